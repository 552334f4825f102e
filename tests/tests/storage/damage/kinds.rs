//! The kinds of damage, and how each is done.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore};

use super::place::{DATA, Place, Substitute, garbage, stores, swap};
use crate::oracle::Bytes;

/// What is done to one store of a queue. Those from [`Damage::SnapshotsDamaged`] on touch no byte of the file with the
/// readings, so nothing may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    Shortened,
    BitFlipped,
    ManyBitsFlipped,
    SectorZeroed(u64),
    Garbage,
    FileEmpty,
    FileMissing,
    ForeignBytes,
    ForeignText,
    FolderForFile,
    SnapshotsDamaged,
    SnapshotsHalf,
    SnapshotStray,
    SnapshotUnfinished,
    SnapshotFolder,
    ConfMissing,
    ConfEmpty,
    ConfFolder,
    SealGarbage,
    SealMissing,
    SealFolder,
    FilesSwapped,
    MarksGarbage,
    MarksMissing,
}

/// One after the other; what depends on the place comes more often.
pub const KINDS: [Damage; 36] = {
    use Damage::*;
    [
        Shortened,
        BitFlipped,
        SectorZeroed(512),
        SectorZeroed(4096),
        Garbage,
        ManyBitsFlipped,
        FileEmpty,
        FileMissing,
        ForeignBytes,
        Shortened,
        BitFlipped,
        SectorZeroed(512),
        SectorZeroed(4096),
        Garbage,
        ForeignText,
        FolderForFile,
        SnapshotsDamaged,
        SnapshotsHalf,
        Shortened,
        BitFlipped,
        SectorZeroed(512),
        SectorZeroed(4096),
        Garbage,
        SnapshotStray,
        SnapshotUnfinished,
        SnapshotFolder,
        ConfMissing,
        ConfEmpty,
        ConfFolder,
        SealGarbage,
        SealMissing,
        SealFolder,
        FilesSwapped,
        MarksGarbage,
        MarksMissing,
        Shortened,
    ]
};

const SEAL: &str = "seal.json";
const MARKS: &str = "marks.json";
const FLIPS: usize = 30;

impl Damage {
    /// Damages a queue; the bytes of it that are no longer what they were. `None` when this queue has nothing of the kind.
    pub fn apply(self, queue: &Path, chance: &mut StdRng) -> Option<Vec<Bytes>> {
        let mut stores = stores(queue);
        stores.shuffle(chance);
        let place = Place { queue, store: stores.first()? };
        match self {
            Damage::Shortened | Damage::BitFlipped | Damage::ManyBitsFlipped => self.cut_or_flip(&place, chance),
            Damage::SectorZeroed(_) | Damage::Garbage => self.overwrite(&place, chance),
            Damage::FileEmpty | Damage::FileMissing | Damage::FolderForFile => self.replace(&place, chance),
            Damage::ForeignBytes | Damage::ForeignText => self.replace(&place, chance),
            Damage::FilesSwapped => swap(&stores).map(|()| vec![]),
            _ => self.beside_the_readings(&place, chance),
        }
    }

    fn cut_or_flip(self, place: &Place, chance: &mut StdRng) -> Option<Vec<Bytes>> {
        let end = place.data_bytes();
        if self == Damage::Shortened {
            let left = chance.random_range(0..end);
            place.data().set_len(left).expect("a file can be cut");
            return Some(vec![place.bytes(left..end)]);
        }
        let flips = if self == Damage::BitFlipped { 1 } else { FLIPS };
        Some((0..flips).map(|_| place.flip(chance.random_range(0..end), chance.random_range(0..8))).collect())
    }

    fn overwrite(self, place: &Place, chance: &mut StdRng) -> Option<Vec<Bytes>> {
        let end = place.data_bytes();
        let (offset, length) = match self {
            Damage::SectorZeroed(bytes) => (chance.random_range(0..end.div_ceil(bytes)) * bytes, bytes),
            _ => (chance.random_range(0..end), chance.random_range(1..64 * 1024)),
        };
        let length = length.min(end - offset);
        let mut bytes = vec![0; usize::try_from(length).expect("a short range")];
        if self == Damage::Garbage {
            chance.fill_bytes(&mut bytes);
        }
        place.data().write_all_at(&bytes, offset).expect("a file can be written");
        Some(vec![place.bytes(offset..offset + length)])
    }

    fn replace(self, place: &Place, chance: &mut StdRng) -> Option<Vec<Bytes>> {
        let substitute = match self {
            Damage::FileMissing => Substitute::Nothing,
            Damage::FolderForFile => Substitute::Folder,
            Damage::FileEmpty => Substitute::Bytes(vec![]),
            Damage::ForeignText => Substitute::Bytes(b"This is no database.\n".repeat(4000)),
            _ => Substitute::Bytes(garbage(chance, 1 << 20)),
        };
        let whole = place.bytes(0..place.data_bytes());
        place.replace(DATA, substitute);
        Some(vec![whole])
    }

    /// Damage that touches no reading.
    fn beside_the_readings(self, place: &Place, chance: &mut StdRng) -> Option<Vec<Bytes>> {
        let some = Substitute::Bytes(garbage(chance, 1000));
        match self {
            Damage::SnapshotsDamaged | Damage::SnapshotsHalf => {
                place.damage_snapshot(self == Damage::SnapshotsHalf, chance)?;
            }
            Damage::SnapshotStray => place.replace("snap.FFFFFFFFFFFFFFFF", some),
            Damage::SnapshotUnfinished => place.replace("snap.00000000000FFFFF.generating", some),
            Damage::SnapshotFolder => place.replace("snap.0000000000001000", Substitute::Folder),
            Damage::ConfMissing => place.replace("conf", Substitute::Nothing),
            Damage::ConfEmpty => place.replace("conf", Substitute::Bytes(vec![])),
            Damage::ConfFolder => place.replace("conf", Substitute::Folder),
            Damage::SealGarbage => place.replace(SEAL, some),
            Damage::SealMissing => place.replace(SEAL, Substitute::Nothing),
            Damage::SealFolder => place.replace(SEAL, Substitute::Folder),
            Damage::MarksGarbage => {
                fs::write(place.queue.join(MARKS), garbage(chance, 300)).expect("it can be written")
            }
            _ => fs::remove_file(place.queue.join(MARKS)).expect("a queue has marks"),
        }
        Some(vec![])
    }
}

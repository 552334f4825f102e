//! Where a damage is done: one store of a queue, and its files.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rand::RngCore;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::oracle::{Bytes, files_below};

/// The file of a store that has the readings.
pub const DATA: &str = "db";

/// What comes in the place of a file.
pub enum Substitute {
    Nothing,
    Bytes(Vec<u8>),
    Folder,
}

/// One store of a queue.
pub struct Place<'a> {
    pub queue: &'a Path,
    pub store: &'a Path,
}

impl Place<'_> {
    pub fn data(&self) -> File {
        File::options().read(true).write(true).open(self.store.join(DATA)).expect("a store has a file with readings")
    }

    pub fn data_bytes(&self) -> u64 {
        self.data().metadata().expect("a file has a length").len()
    }

    /// Bytes of the file with the readings.
    pub fn bytes(&self, range: Range<u64>) -> Bytes {
        let file = self.store.join(DATA).strip_prefix(self.queue).expect("it lies below").to_owned();
        Bytes { file, range }
    }

    /// Turns one bit over.
    pub fn flip(&self, offset: u64, bit: u32) -> Bytes {
        let (file, mut byte) = (self.data(), [0]);
        file.read_exact_at(&mut byte, offset).expect("a file can be read");
        file.write_all_at(&[byte[0] ^ (1 << bit)], offset).expect("a file can be written");
        self.bytes(offset..offset + 1)
    }

    /// Puts something in the place of a file, whether or not there is one.
    pub fn replace(&self, name: &str, substitute: Substitute) {
        let path = self.store.join(name);
        let _ = fs::remove_file(&path);
        match substitute {
            Substitute::Nothing => {}
            Substitute::Bytes(bytes) => fs::write(&path, bytes).expect("a file can be written"),
            Substitute::Folder => fs::create_dir(&path).expect("a folder can be made"),
        }
    }

    /// Damages one of the store's snapshots; `None` when it has none.
    pub fn damage_snapshot(&self, is_half: bool, chance: &mut StdRng) -> Option<()> {
        let is_snapshot =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."));
        let snapshots: Vec<PathBuf> = files_below(self.store).into_iter().filter(is_snapshot).collect();
        let one = snapshots.choose(chance)?;
        let mut content = fs::read(one).expect("a snapshot can be read");
        if is_half {
            content.truncate(content.len() / 2);
        } else {
            content = garbage(chance, content.len());
        }
        fs::write(one, content).expect("a snapshot can be written");
        Some(())
    }
}

pub fn garbage(chance: &mut StdRng, bytes: usize) -> Vec<u8> {
    let mut garbage = vec![0; bytes];
    chance.fill_bytes(&mut garbage);
    garbage
}

/// The stores of a queue whose file is not empty.
pub fn stores(queue: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(queue).expect("a queue's folder").map(|entry| entry.expect("an entry").path());
    let mut stores: Vec<PathBuf> = entries.filter(|path| is_used(&path.join(DATA))).collect();
    stores.sort();
    stores
}

fn is_used(data: &Path) -> bool {
    fs::metadata(data).is_ok_and(|data| data.is_file() && data.len() > 0)
}

/// Each of two stores gets the other one's file: every reading is still there.
pub fn swap(stores: &[PathBuf]) -> Option<()> {
    let [one, other, ..] = stores else {
        return None;
    };
    let aside = one.join("aside");
    let moves = [(one.join(DATA), aside.clone()), (other.join(DATA), one.join(DATA)), (aside, other.join(DATA))];
    moves.into_iter().for_each(|(from, to)| fs::rename(from, to).expect("a file can be moved"));
    Some(())
}

/// Copies all files of a folder into a new one.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder of the queue").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

//! Is a store whole, and does it keep what is written to it? Reading and writing, without deciding what follows.

use std::fs;
use std::path::Path;

use crate::frame::MAGIC;
use crate::key::Key;
use crate::scan::Scan;
use crate::skip::SkippingStore;
use crate::store::{SledStore, Store};
use crate::{QueueError, StreamId, files};

/// A file up to this length is read through at opening, which takes seconds on a slow card; in a longer one damage is
/// found when it is met.
pub(crate) const VERIFIED_BYTES: u64 = 64 * 1024 * 1024;

/// Above every frame, and never shown: what is written to see whether it stays.
const TRIAL: Key = Key::MAX;
const BELOW_TRIAL: Key = Key { order: u64::MAX, first: u64::MAX - 1 };

/// What came of opening a store that is to be written to.
pub(crate) enum Examined {
    Whole(SkippingStore),
    /// It can be read in parts; and what is wrong with it.
    Damaged(SkippingStore, String),
}

/// The length of a store's file; 0 when there is none.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path.join("db")).map_or(0, |data| data.len())
}

/// Whether the whole file is read at opening.
fn is_verified(path: &Path) -> bool {
    file_bytes(path) <= VERIFIED_BYTES
}

/// Opens a store that is to be written to: reads all of it, unless it is long, and tries whether it keeps what is written.
pub(crate) fn examine(path: &Path) -> Result<Examined, QueueError> {
    let store = open_and_look(path)?;
    if is_verified(path) {
        everything(&store).each(|_, _| Ok(()))?;
        if let Some(damage) = counted(store.damaged_places()) {
            return Ok(Examined::Damaged(store, damage));
        }
    }
    try_writing(store, path)
}

/// All frames in a store.
pub(crate) fn everything(store: &SkippingStore) -> Scan<'_> {
    Scan { store, through: BELOW_TRIAL }
}

fn counted(damaged_places: u64) -> Option<String> {
    match damaged_places {
        0 => None,
        1 => Some("1 damaged place".to_owned()),
        places => Some(format!("{places} damaged places")),
    }
}

/// Writes, opens again and looks. Damage where no frame is (the header of a part of the file, say) can make the library
/// drop at the next opening what was written since, although each frame can be read; nothing but trying shows that.
fn try_writing(store: SkippingStore, path: &Path) -> Result<Examined, QueueError> {
    let written = StreamId::random().as_u64().to_be_bytes();
    store.insert(TRIAL, &written)?;
    store.sync()?;
    drop(store);
    let store = open_and_look(path)?;
    if store.next(TRIAL)?.is_none_or(|(_, found)| found != written) {
        return Ok(Examined::Damaged(store, "it does not keep what is written to it".to_owned()));
    }
    // One that a crash leaves behind is written over by the next trial.
    store.remove(TRIAL)?;
    Ok(Examined::Whole(store))
}

/// Opens, makes what was found durable, and reads both ends.
pub(crate) fn open_and_look(path: &Path) -> Result<SkippingStore, QueueError> {
    let store = SledStore::open(path)?;
    store.sync()?;
    let store = SkippingStore::new(Box::new(store));
    let last = store.previous(TRIAL)?;
    // New frames go to the last page. Where damage is not copied around, that one has to be readable.
    if store.damaged_places() > 0 && !is_verified(path) {
        return Err(damaged(path, "its last page cannot be read"));
    }
    let Some((last, _)) = last else {
        // The newest frames are never trimmed, so a store that has had any is not empty.
        return match store.damaged_places() > 0 || files::holds(&path.join("db"), &MAGIC)? {
            true => Err(damaged(path, "it opens as empty, but there are frames in its file")),
            false => Ok(store),
        };
    };
    let scan = Scan { store: &store, through: last };
    if scan.next(Key::MIN)?.is_none() {
        return Err(damaged(path, "not one frame in it can be read"));
    }
    scan.previous(TRIAL)?;
    Ok(store)
}

fn damaged(path: &Path, what: &str) -> QueueError {
    QueueError::Damaged { what: what.to_owned(), place: path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_is_not_too_long_is_read_through() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("db")).unwrap();
        for (length, verified) in [(0, true), (VERIFIED_BYTES, true), (VERIFIED_BYTES + 1, false)] {
            file.set_len(length).unwrap();
            assert_eq!(is_verified(folder.path()), verified, "{length}");
        }
    }

    fn store_with(path: &Path, frames: &[(u64, &[u8])]) {
        let store = SledStore::open(path).unwrap();
        for (first, frame) in frames {
            store.insert(Key { order: 1, first: *first }, frame).unwrap();
        }
        store.sync().unwrap();
    }

    #[test]
    fn a_trial_leaves_nothing_and_one_that_a_crash_left_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        store_with(folder.path(), &[]);
        for _ in 0..2 {
            SledStore::open(folder.path()).unwrap().insert(TRIAL, b"of a crash").unwrap();
            let Ok(Examined::Whole(store)) = examine(folder.path()) else { panic!("an empty store is whole") };
            assert!(store.next(Key::MIN).unwrap().is_none());
        }
    }

    #[test]
    fn a_store_without_a_readable_frame_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        store_with(folder.path(), &[(1, b"not a frame"), (2, b"neither")]);
        assert!(matches!(examine(folder.path()), Err(QueueError::Damaged { .. })));
    }
}

//! What can be read of a damaged store, copied into a new one: nothing is ever written to a store known to be damaged.
//!
//! The steps are ordered for a power cut. The copy is made durable under a name of its own; then the damaged store is
//! moved away; then the copy takes its place. So a copy beside a store is unfinished, and a copy without one is complete.

use std::fs;
use std::path::Path;

use crate::error::io_at;
use crate::generations::{Generations, copy_path, store_path};
use crate::skip::SkippingStore;
use crate::store::{SledStore, Store};
use crate::verify::everything;
use crate::{QueueError, files};

/// Copies every frame that can be read, oldest first, into a new store, durably.
pub(crate) fn copy_readable(from: &SkippingStore, to: &Path) -> Result<(), QueueError> {
    files::make_folder(to)?;
    let copy = SledStore::open(to)?;
    everything(from).each(|key, frame| copy.insert(key, frame))?;
    copy.sync()?;
    files::sync_folder(to)
}

/// Lets a complete copy be the store.
pub(crate) fn put_in_place(folder: &Path, number: u64) -> Result<(), QueueError> {
    files::rename(&copy_path(folder, number), &store_path(folder, number))
}

/// Removes a copy that is not complete, if there is one.
pub(crate) fn discard(folder: &Path, number: u64) -> Result<(), QueueError> {
    let path = copy_path(folder, number);
    if path.exists() {
        fs::remove_dir_all(&path).map_err(io_at("remove", &path))?;
    }
    Ok(())
}

/// Finishes what a power cut interrupted. Says whether a copy took its place.
pub(crate) fn settle(folder: &Path) -> Result<bool, QueueError> {
    let found = Generations::list(folder)?;
    let complete = if found.stores.is_empty() { found.copies.last() } else { None };
    for &number in found.copies.iter().filter(|number| Some(*number) != complete) {
        discard(folder, number)?;
    }
    complete.map(|&number| put_in_place(folder, number)).transpose().map(|placed| placed.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::{Kind, Opened, Record, StreamId, Unit, look, open};

    /// A closed queue with so many readings, a frame each, in its first store.
    fn queue(folder: &Path, readings: u64) -> StreamId {
        let mut opened = open(folder).unwrap();
        for _ in 0..readings {
            let record = Record { kind: Kind::READING, body: vec![1; 100] };
            opened.writer.append(&[Unit::new(vec![record]).unwrap()], 0).unwrap();
        }
        opened.writer.close().unwrap();
        opened.stream
    }

    fn damage_frame(store: &Path, first: u64) {
        let store = SledStore::open(store).unwrap();
        store.insert(Key { order: 1, first }, b"not a frame").unwrap();
        store.sync().unwrap();
    }

    fn numbers(opened: &Opened, stream: StreamId) -> Vec<u64> {
        let found = opened.reader.read(stream, 1, 100, 100_000).unwrap();
        found.into_iter().map(|numbered| numbered.seq).collect()
    }

    fn generations(folder: &Path) -> (Vec<u64>, Vec<u64>, Vec<u64>) {
        let found = Generations::list(folder).unwrap();
        (found.stores, found.set_aside, found.copies)
    }

    #[test]
    fn a_damaged_frame_costs_itself_and_the_rest_is_in_a_new_store() {
        let folder = tempfile::tempdir().unwrap();
        let stream = queue(folder.path(), 5);
        damage_frame(&store_path(folder.path(), 1), 3);
        let opened = open(folder.path()).unwrap();
        let aside = opened.set_aside.clone().unwrap();
        assert_eq!(aside.reason, "1 damaged place; what could be read was copied");
        assert_eq!(numbers(&opened, stream), [1, 2, 4, 5]);
        assert_eq!(opened.reader.damaged_frames(), 0);
        assert_eq!(generations(folder.path()), (vec![2], vec![1], vec![]));
        drop(opened);
        assert_eq!(open(folder.path()).unwrap().set_aside, None);
    }

    #[test]
    fn a_last_frame_that_is_damaged_costs_itself_too() {
        let folder = tempfile::tempdir().unwrap();
        let stream = queue(folder.path(), 5);
        damage_frame(&store_path(folder.path(), 1), 5);
        assert_eq!(numbers(&open(folder.path()).unwrap(), stream), [1, 2, 3, 4]);
    }

    /// The power was cut while the copy was made: the old store is still in use, and is copied anew.
    #[test]
    fn a_copy_beside_a_store_is_unfinished_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let stream = queue(folder.path(), 5);
        files::make_folder(&copy_path(folder.path(), 2)).unwrap();
        drop(SledStore::open(&copy_path(folder.path(), 2)).unwrap());
        let opened = open(folder.path()).unwrap();
        assert_eq!((opened.set_aside.clone(), numbers(&opened, stream)), (None, vec![1, 2, 3, 4, 5]));
        assert_eq!(generations(folder.path()), (vec![1], vec![], vec![]));
        drop(opened);
        damage_frame(&store_path(folder.path(), 1), 3);
        fs::create_dir(copy_path(folder.path(), 2)).unwrap();
        assert_eq!(numbers(&open(folder.path()).unwrap(), stream), [1, 2, 4, 5]);
        assert_eq!(generations(folder.path()), (vec![2], vec![1], vec![]));
    }

    /// The power was cut after the damaged store was moved away.
    #[test]
    fn a_copy_without_a_store_is_complete_and_becomes_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let stream = queue(folder.path(), 5);
        fs::rename(store_path(folder.path(), 1), copy_path(folder.path(), 2)).unwrap();
        fs::create_dir(folder.path().join("set-aside-0000000000000001")).unwrap();
        assert_eq!(look(folder.path()).unwrap().read(stream, 1, 100, 100_000).unwrap().len(), 5);
        assert_eq!(generations(folder.path()), (vec![], vec![1], vec![2]));
        let opened = open(folder.path()).unwrap();
        assert_eq!(numbers(&opened, stream), [1, 2, 3, 4, 5]);
        let aside = opened.set_aside.unwrap();
        assert!(aside.folder.ends_with("set-aside-0000000000000001"), "{aside:?}");
        assert!(aside.reason.contains("an earlier start"), "{aside:?}");
        assert_eq!(generations(folder.path()), (vec![2], vec![1], vec![]));
    }

    #[test]
    fn four_damaged_stores_are_kept_however_many_were_copied() {
        let folder = tempfile::tempdir().unwrap();
        let stream = queue(folder.path(), 7);
        for number in 1..=5 {
            damage_frame(&store_path(folder.path(), number), number);
            let aside = open(folder.path()).unwrap().set_aside.unwrap();
            assert_eq!(aside.reason.contains("was removed"), number == 5, "{}", aside.reason);
        }
        assert_eq!(generations(folder.path()), (vec![6], vec![2, 3, 4, 5], vec![]));
        assert_eq!(numbers(&open(folder.path()).unwrap(), stream), [6, 7]);
    }
}

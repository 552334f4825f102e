//! Looking into a queue that no gateway is using.

use std::path::Path;

use crate::frame::Header;
use crate::key::Key;
use crate::lock::Lock;
use crate::queue::Shared;
use crate::skip::SkippingStore;
use crate::{QueueError, Reader, StreamId, heal, marks};

/// Opens the queue in a folder for reading, without beginning a stream.
///
/// The lock is held until the last clone of the reader is dropped, so that a gateway cannot start meanwhile. Nothing is set
/// aside: that is for the gateway, which tells of it.
///
/// # Errors
/// As [`crate::open`]; [`QueueError::Io`] also when there is no queue, [`QueueError::Damaged`] when its store does not open.
pub fn look(folder: &Path) -> Result<Reader, QueueError> {
    let lock = Lock::take(folder)?;
    let (marks, _) = marks::load(folder)?;
    let store = heal::look_at_store(folder)?;
    let durable = last_whole(&store)?;
    let (stream, order) = (StreamId::random(), marks.highest_order());
    let shared = Shared::new(folder, lock, store, marks, (stream, order), durable);
    Ok(Reader::new(shared.into()))
}

/// The frames of an unfinished unit at the end are not shown; the gateway removes them when it starts.
fn last_whole(store: &SkippingStore) -> Result<Key, QueueError> {
    let mut below = Key::MAX;
    while let Some((key, bytes)) = store.previous(below)? {
        match Header::read(key, &bytes) {
            Ok(header) if header.part.is_unfinished() => below = key,
            _ => return Ok(key),
        }
    }
    Ok(Key::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SledStore, Store};
    use crate::{Kind, Record, Unit, files, open};

    #[test]
    fn looking_shows_what_is_there_and_begins_no_stream() {
        let folder = tempfile::tempdir().unwrap();
        let mut opened = open(folder.path()).unwrap();
        let record = Record { kind: Kind::READING, body: vec![1] };
        opened.writer.append(&[Unit::new(vec![record]).unwrap()], 0).unwrap();
        assert!(matches!(look(folder.path()), Err(QueueError::InUse { .. })));
        let (stream, known) = (opened.stream, opened.reader.known_streams());
        opened.writer.close().unwrap();
        drop(opened.reader);
        for _ in 0..2 {
            let reader = look(folder.path()).unwrap();
            assert_eq!(reader.read(stream, 1, 10, 1000).unwrap().len(), 1);
            assert_eq!(reader.known_streams().len(), known.len());
        }
    }

    #[test]
    fn looking_makes_nothing_and_sets_nothing_aside() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(look(folder.path()), Err(QueueError::Io { .. })));
        assert!(files::names_in(folder.path()).unwrap().iter().all(|name| name == "lock"));
        drop(open(folder.path()).unwrap());
        let path = folder.path().join("store-0000000000000001");
        let store = SledStore::open(&path).unwrap();
        store.insert(Key { order: 1, first: 1 }, b"not a frame").unwrap();
        store.sync().unwrap();
        drop(store);
        assert!(matches!(look(folder.path()), Err(QueueError::Damaged { .. })));
        assert!(path.exists());
        assert!(open(folder.path()).unwrap().set_aside.is_some());
    }
}

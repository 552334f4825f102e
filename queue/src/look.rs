//! Looking into a queue that no gateway is using.

use std::path::Path;
use std::sync::Arc;

use crate::disk::FolderDisk;
use crate::error::io_at;
use crate::lock::Lock;
use crate::queue::survey;
use crate::shared::Shared;
use crate::{QueueError, Reader, StreamId, marks, trim};

/// Opens the queue in a folder for reading, without beginning a stream. Changes nothing.
///
/// The lock is held until the last clone of the reader is dropped, so that a gateway cannot start meanwhile.
///
/// # Errors
/// As [`crate::open`]; [`QueueError::Io`] also when there is no queue.
pub fn look(folder: &Path) -> Result<Reader, QueueError> {
    look_with(folder, Some(Lock::take(folder)?))
}

/// The same for a folder that no gateway can be using, such as that of another machine's card: it is not locked and
/// nothing at all is written.
///
/// # Errors
/// As [`look`].
pub fn look_from(folder: &Path) -> Result<Reader, QueueError> {
    look_with(folder, None)
}

fn look_with(folder: &Path, lock: Option<Lock>) -> Result<Reader, QueueError> {
    let disk = FolderDisk::new(folder);
    let (marks, _) = marks::load(folder)?;
    let (generations, _) = survey(&disk)?;
    if generations.all.is_empty() && marks.list().is_empty() {
        let words = "no reading was ever written there";
        return Err(io_at("find a queue in", folder)(std::io::Error::new(std::io::ErrorKind::NotFound, words)));
    }
    let (stream, order) = (StreamId::random(), marks.highest_order());
    let shared = Arc::new(Shared::new(folder, lock, Box::new(disk), None, (stream, order), generations, marks));
    trim::hide_again(&shared)?;
    Ok(Reader::new(shared))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Record, Unit, files, open};

    #[test]
    fn looking_shows_what_is_there_and_changes_nothing() {
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
    fn looking_makes_no_queue() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(look(folder.path()), Err(QueueError::Io { .. })));
        assert!(files::names_in(folder.path()).unwrap().iter().all(|name| name == "lock"));
    }
}

//! The store that is being written: a small interface, and the one file that names the storage library.
//!
//! The library only ever makes new stores, puts frames into them and reads those back. It never opens one that exists:
//! what it does to a damaged file (panics, hangs, a part dropped without a word) cannot happen here. Stores that are
//! complete, or that a crash left behind, are read by `salvage.rs`.

use std::any::Any;
use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::error::io_at;
use crate::files::sync_folder;
use crate::key::Key;
use crate::{QueueError, files};

/// A new map from keys to frames. What was inserted is durable after `sync`, and only then.
pub(crate) trait Store: Send + Sync {
    /// Puts a frame in.
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError>;
    /// A frame that was put in.
    fn get(&self, key: Key) -> Result<Option<Vec<u8>>, QueueError>;
    /// Makes everything so far durable. An error is final for this store.
    fn sync(&self) -> Result<(), QueueError>;
    /// The length of its file.
    fn file_bytes(&self) -> Result<u64, QueueError>;
}

/// The library's file in a store's folder.
pub(crate) const DATA_FILE: &str = "db";
/// A value longer than a 64th of this would become a file of its own, which the library never syncs.
const SEGMENT_BYTES: usize = 512 * 1024;
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// The store on disk.
///
/// Its own flush hands the bytes to the system but never asks the disk for them, so a second handle of the same file
/// does that. Each call is guarded: the library may panic.
pub(crate) struct SledStore {
    db: sled::Db,
    file: File,
    folder: PathBuf,
}

impl SledStore {
    /// Makes a store in a folder that does not exist yet, and reserves so many bytes of the disk for it, so that no
    /// write into it can find the disk full. A file system that cannot reserve is used as it is.
    pub(crate) fn create(folder: &Path, reserved_bytes: u64) -> Result<SledStore, QueueError> {
        files::make_folder(folder)?;
        let db = guarded(folder, || make(folder).map_err(|error| sorted(error, folder)))?;
        let data = folder.join(DATA_FILE);
        let file = OpenOptions::new().read(true).write(true).open(&data).map_err(io_at("open", &data))?;
        if reserved_bytes > 0 {
            reserve(&file, reserved_bytes).map_err(io_at("reserve room for", &data))?;
        }
        sync_folder(folder)?;
        Ok(SledStore { db, file, folder: folder.to_owned() })
    }
}

fn make(folder: &Path) -> sled::Result<sled::Db> {
    sled::Config::new()
        .path(folder)
        .create_new(false)
        .flush_every_ms(None)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(CACHE_BYTES)
        .use_compression(false)
        .mode(sled::Mode::LowSpace)
        .open()
}

fn reserve(file: &File, bytes: u64) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        outcome => outcome.map_err(Into::into),
    }
}

impl Store for SledStore {
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError> {
        guarded(&self.folder, || self.db.insert(key.to_bytes(), frame).map_err(|error| sorted(error, &self.folder)))?;
        Ok(())
    }

    fn get(&self, key: Key) -> Result<Option<Vec<u8>>, QueueError> {
        let found = guarded(&self.folder, || self.db.get(key.to_bytes()).map_err(|error| sorted(error, &self.folder)))?;
        Ok(found.map(|frame| frame.to_vec()))
    }

    fn sync(&self) -> Result<(), QueueError> {
        let failed = |reason: String| QueueError::SyncFailed { path: self.folder.clone(), reason };
        guarded(&self.folder, || self.db.flush().map_err(|error| failed(error.to_string())))?;
        self.file.sync_data().map_err(|error| failed(error.to_string()))
    }

    fn file_bytes(&self) -> Result<u64, QueueError> {
        Ok(self.file.metadata().map_err(io_at("look at the store in", &self.folder))?.len())
    }
}

fn guarded<T>(folder: &Path, call: impl FnOnce() -> Result<T, QueueError>) -> Result<T, QueueError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(damaged(folder, panic_words(&*panic))))
}

/// What a caught panic said.
fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let words = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
    format!("the storage library gave up: {words}")
}

fn damaged(folder: &Path, what: String) -> QueueError {
    QueueError::Damaged { what, place: folder.display().to_string() }
}

/// Who acts on an error of the library: a refusal of the system is the operator's, everything else is damage.
fn sorted(error: sled::Error, folder: &Path) -> QueueError {
    match error {
        sled::Error::Io(source) if source.raw_os_error().is_some() => io_at("use the store in", folder)(source),
        error => damaged(folder, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::MAX_FRAME_BYTES;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn room_is_reserved_and_frames_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::create(&path, 4 << 20).unwrap();
        let key = Key { order: 1, first: 1 };
        store.insert(key, &[7; 5000]).unwrap();
        store.sync().unwrap();
        assert_eq!(store.get(key).unwrap(), Some(vec![7; 5000]));
        assert_eq!(store.get(Key { order: 1, first: 2 }).unwrap(), None);
        assert!(store.file_bytes().unwrap() < 1 << 20);
        let blocks = std::fs::metadata(path.join(DATA_FILE)).unwrap().blocks();
        assert!(blocks * 512 >= 4 << 20, "{blocks} blocks");
    }

    /// Such files are never synced by the library.
    #[test]
    fn no_frame_is_so_long_that_it_gets_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::create(&path, 0).unwrap();
        for first in 0..200 {
            store.insert(Key { order: 1, first }, &vec![7; MAX_FRAME_BYTES]).unwrap();
            store.sync().unwrap();
        }
        assert!(files::names_in(&path.join("blobs")).unwrap().is_empty());
    }
}

//! Where frames are kept: a small interface, and the one file that names the storage library.

use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::QueueError;
use crate::error::io_at;
use crate::files::{names_in, sync_folder};
use crate::key::Key;

/// A sorted map from keys to frames. What was inserted or removed is durable after `sync`, and only then.
pub(crate) trait Store: Send + Sync {
    /// Puts a frame in, or replaces it.
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError>;
    /// Takes a frame out; it is no error when there is none.
    fn remove(&self, key: Key) -> Result<(), QueueError>;
    /// The first frame at or above a key.
    fn next(&self, from: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError>;
    /// The last frame below a key.
    fn previous(&self, below: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError>;
    /// Makes everything so far durable. An error is final for this handle of the store.
    fn sync(&self) -> Result<(), QueueError>;
}

/// Small segments, so that space is given back soon.
const SEGMENT_BYTES: usize = 512 * 1024;
const CACHE_BYTES: u64 = 4 * 1024 * 1024;
/// A store that was just closed keeps its lock until its last thread has ended.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The store on disk.
///
/// Its own flush hands the bytes to the system but never asks the disk for them, so a second handle of the same file
/// does that. Each call is guarded: on a damaged file the library may panic.
pub(crate) struct SledStore {
    db: sled::Db,
    file: File,
    folder: PathBuf,
}

impl SledStore {
    /// Opens the store in a folder, or makes one.
    pub(crate) fn open(folder: &Path) -> Result<SledStore, QueueError> {
        let db = open_waiting(folder)?;
        let data = folder.join("db");
        let file = OpenOptions::new().read(true).write(true).open(&data).map_err(io_at("open", &data))?;
        sync_folder(folder)?;
        Ok(SledStore { db, file, folder: folder.to_owned() })
    }

    fn entry(
        &self,
        found: Option<sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        let Some(found) = found else { return Ok(None) };
        let (key, frame) = found.map_err(|error| sorted(error, &self.folder))?;
        let what = || "a key is not one of ours".to_owned();
        let key =
            Key::from_bytes(&key).ok_or_else(|| QueueError::Foreign { path: self.folder.clone(), what: what() })?;
        Ok(Some((key, frame.to_vec())))
    }

    /// A full disk is not damage, and must not set a store aside when it is opened.
    fn sync_failed(&self, error: sled::Error) -> QueueError {
        match error {
            sled::Error::Io(source) if is_systems(&source) => io_at("make durable what is in", &self.folder)(source),
            error => QueueError::SyncFailed { path: self.folder.clone(), reason: error.to_string() },
        }
    }
}

impl Store for SledStore {
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError> {
        guarded(&self.folder, || self.db.insert(key.to_bytes(), frame).map_err(|error| sorted(error, &self.folder)))?;
        Ok(())
    }

    fn remove(&self, key: Key) -> Result<(), QueueError> {
        guarded(&self.folder, || self.db.remove(key.to_bytes()).map_err(|error| sorted(error, &self.folder)))?;
        Ok(())
    }

    fn next(&self, from: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        guarded(&self.folder, || self.entry(self.db.range(from.to_bytes()..).next()))
    }

    fn previous(&self, below: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        guarded(&self.folder, || self.entry(self.db.range(..below.to_bytes()).next_back()))
    }

    fn sync(&self) -> Result<(), QueueError> {
        guarded(&self.folder, || self.db.flush().map_err(|error| self.sync_failed(error)))?;
        self.file.sync_data().map_err(|error| self.sync_failed(error.into()))
    }
}

/// Removes those snapshots of the library that are only half there or damaged. They make opening faster and hold
/// nothing else, but a bad one keeps the whole store closed.
pub(crate) fn remove_bad_snapshots(folder: &Path) -> Result<(), QueueError> {
    for name in names_in(folder)?.iter().filter(|name| name.starts_with("snap.")) {
        let path = folder.join(name);
        let content = fs::read(&path).map_err(io_at("read", &path))?;
        if name.ends_with(".generating") || !is_whole_snapshot(&content) {
            fs::remove_file(&path).map_err(io_at("remove", &path))?;
        }
    }
    Ok(())
}

/// A snapshot ends with a length of 8 bytes and the checksum of what comes before that.
fn is_whole_snapshot(content: &[u8]) -> bool {
    let Some((rest, sum)) = content.split_last_chunk::<4>() else {
        return false;
    };
    let Some((pages, _length)) = rest.split_last_chunk::<8>() else {
        return false;
    };
    crc32fast::hash(pages).to_le_bytes() == *sum
}

fn open_waiting(folder: &Path) -> Result<sled::Db, QueueError> {
    for _ in 1..LOCK_TRIES {
        match open_once(folder) {
            Err(sled::Error::Io(error)) if is_locked(&error) => thread::sleep(LOCK_PAUSE),
            outcome => return outcome.map_err(|error| sorted(error, folder)),
        }
    }
    open_once(folder).map_err(|error| match error {
        sled::Error::Io(source) if is_locked(&source) => io_at("lock", folder)(source),
        error => sorted(error, folder),
    })
}

fn open_once(folder: &Path) -> sled::Result<sled::Db> {
    sled::Config::new()
        .path(folder)
        .flush_every_ms(None)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(CACHE_BYTES)
        .use_compression(false)
        .mode(sled::Mode::LowSpace)
        .open()
}

/// The library has no own error for a store that somebody has open.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn guarded<T>(folder: &Path, call: impl FnOnce() -> Result<T, QueueError>) -> Result<T, QueueError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(damaged(folder, panic_words(&*panic))))
}

/// What a caught panic said.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> String {
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
        sled::Error::Io(source) if is_systems(&source) => io_at("use the store in", folder)(source),
        sled::Error::Unsupported(what) => QueueError::Foreign { path: folder.to_owned(), what },
        error => damaged(folder, error.to_string()),
    }
}

/// A sector that cannot be read is damage; a full disk or a missing right is not.
fn is_systems(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| code != rustix::io::Errno::IO.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshots(folder: &Path) -> Vec<String> {
        let mut names = names_in(folder).unwrap();
        names.retain(|name| name.starts_with("snap."));
        names.sort();
        names
    }

    #[test]
    fn only_bad_snapshots_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        store.insert(Key { order: 1, first: 1 }, &[1; 5000]).unwrap();
        store.sync().unwrap();
        drop(store);
        drop(SledStore::open(folder.path()).unwrap());
        let whole = snapshots(folder.path());
        assert_eq!(whole.len(), 1);
        let content = fs::read(folder.path().join(&whole[0])).unwrap();
        fs::write(folder.path().join("snap.FFFF"), &content[1..]).unwrap();
        fs::write(folder.path().join("snap.FFFE"), "").unwrap();
        fs::write(folder.path().join("snap.FFFD.generating"), &content).unwrap();
        remove_bad_snapshots(folder.path()).unwrap();
        assert_eq!(snapshots(folder.path()), whole);
    }

    #[test]
    fn an_unreadable_sector_is_damage_and_a_full_disk_is_not() {
        let error = |errno: rustix::io::Errno| sorted(sled::Error::Io(errno.into()), Path::new("store"));
        assert!(matches!(error(rustix::io::Errno::IO), QueueError::Damaged { .. }));
        assert!(matches!(error(rustix::io::Errno::NOSPC), QueueError::Io { .. }));
        let short = sled::Error::Io(io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(sorted(short, Path::new("store")), QueueError::Damaged { .. }));
    }

    #[test]
    fn a_sync_that_a_full_disk_refuses_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        let refused = |errno: rustix::io::Errno| store.sync_failed(sled::Error::Io(errno.into()));
        assert!(matches!(refused(rustix::io::Errno::NOSPC), QueueError::Io { .. }));
        assert!(matches!(refused(rustix::io::Errno::IO), QueueError::SyncFailed { .. }));
    }

    #[test]
    fn a_database_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        store.db.insert("name", "value").unwrap();
        assert!(matches!(store.next(Key::MIN), Err(QueueError::Foreign { .. })));
    }
}

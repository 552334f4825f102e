//! A store for tests that forgets what was not synced, as a disk does when the power is cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::QueueError;
use crate::key::Key;
use crate::store::Store;

pub(crate) fn key(order: u64, first: u64) -> Key {
    Key { order, first }
}

type Frames = BTreeMap<Key, Vec<u8>>;

#[derive(Default)]
struct Disk {
    /// What reads see.
    cached: Frames,
    durable: Frames,
    /// What was done since the last sync, oldest first; `None` removes.
    unsynced: Vec<(Key, Option<Vec<u8>>)>,
    unreadable: Vec<(Key, Key)>,
    refuse_sync: bool,
}

/// Clones see the same disk.
#[derive(Clone, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<Disk>>);

impl MemoryStore {
    /// Cuts the power: what was synced stays, and the first `survivors` of the writes after that.
    pub(crate) fn cut_power(&self, survivors: usize) {
        self.end_process(survivors);
        let mut disk = self.0.lock().unwrap();
        disk.unsynced.clear();
        disk.durable = disk.cached.clone();
    }

    /// Ends the process that used the store: its first `survivors` unsynced writes had reached the page cache.
    pub(crate) fn end_process(&self, survivors: usize) {
        let mut disk = self.0.lock().unwrap();
        disk.unsynced.truncate(survivors);
        let mut cached = disk.durable.clone();
        for (key, frame) in disk.unsynced.clone() {
            apply(&mut cached, key, frame);
        }
        disk.cached = cached;
        disk.refuse_sync = false;
    }

    /// From now on no sync succeeds, until the process ends.
    pub(crate) fn refuse_sync(&self) {
        self.0.lock().unwrap().refuse_sync = true;
    }

    /// Reads that would find a frame between two keys, both included, meet damage.
    pub(crate) fn make_unreadable(&self, first: Key, last: Key) {
        self.0.lock().unwrap().unreadable.push((first, last));
    }

    /// Changes one byte of a frame.
    pub(crate) fn flip(&self, key: Key) {
        let mut disk = self.0.lock().unwrap();
        let byte = disk.cached.get_mut(&key).and_then(|frame| frame.last_mut()).unwrap();
        *byte ^= 1;
    }
}

fn apply(frames: &mut Frames, key: Key, frame: Option<Vec<u8>>) {
    match frame {
        Some(frame) => frames.insert(key, frame),
        None => frames.remove(&key),
    };
}

impl Disk {
    fn write(&mut self, key: Key, frame: Option<Vec<u8>>) {
        apply(&mut self.cached, key, frame.clone());
        self.unsynced.push((key, frame));
    }

    fn readable(&self, key: Key) -> Result<(), QueueError> {
        match self.unreadable.iter().any(|(first, last)| (first..=last).contains(&&key)) {
            true => Err(QueueError::Damaged { what: "unreadable".to_owned(), place: key.to_string() }),
            false => Ok(()),
        }
    }

    fn checked(&self, found: Option<(&Key, &Vec<u8>)>) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        let Some((key, frame)) = found else {
            return Ok(None);
        };
        self.readable(*key)?;
        Ok(Some((*key, frame.clone())))
    }
}

impl Store for MemoryStore {
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError> {
        self.0.lock().unwrap().write(key, Some(frame.to_vec()));
        Ok(())
    }

    fn remove(&self, key: Key) -> Result<(), QueueError> {
        let mut disk = self.0.lock().unwrap();
        disk.readable(key)?;
        disk.write(key, None);
        Ok(())
    }

    fn next(&self, from: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        let disk = self.0.lock().unwrap();
        disk.checked(disk.cached.range(from..).next())
    }

    fn previous(&self, below: Key) -> Result<Option<(Key, Vec<u8>)>, QueueError> {
        let disk = self.0.lock().unwrap();
        disk.checked(disk.cached.range(..below).next_back())
    }

    fn sync(&self) -> Result<(), QueueError> {
        let mut disk = self.0.lock().unwrap();
        if disk.refuse_sync {
            return Err(QueueError::SyncFailed { path: "memory".into(), reason: "the disk is gone".to_owned() });
        }
        disk.unsynced.clear();
        disk.durable = disk.cached.clone();
        Ok(())
    }
}

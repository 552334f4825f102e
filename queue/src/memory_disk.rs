//! A disk that forgets what was not synced, as a real one does when the power is cut.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use crate::QueueError;
use crate::disk::{Disk, Frames, GENERATION_BYTES, Size};
use crate::frame::Header;
use crate::index::{FrameRef, Index};
use crate::key::Key;
use crate::seal::Seal;
use crate::store::Store;

type Stored = BTreeMap<Key, Vec<u8>>;

#[derive(Default, Clone)]
struct Generation {
    durable: Stored,
    cached: Stored,
    unsynced: Vec<(Key, Vec<u8>)>,
    seal: Option<Seal>,
}

#[derive(Default)]
struct State {
    generations: BTreeMap<u64, Generation>,
    /// Their removal may not have reached the disk.
    removed: BTreeMap<u64, Generation>,
    next: u64,
    refuse_sync: bool,
    /// A generation ends after so many frames.
    frames_a_generation: usize,
    loads: usize,
}

/// Which of the writes that were not synced survive: the bits of a number, over and over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Survivors(pub(crate) u64);

impl Survivors {
    fn keeps(self, index: usize) -> bool {
        self.0 >> (index % 64) & 1 == 1
    }
}

#[derive(Clone)]
pub(crate) struct MemoryDisk(Arc<Mutex<State>>);

impl MemoryDisk {
    pub(crate) fn new(frames_a_generation: usize) -> MemoryDisk {
        MemoryDisk(Arc::new(Mutex::new(State { frames_a_generation, next: 1, ..State::default() })))
    }

    pub(crate) fn next_generation(&self) -> u64 {
        self.0.lock().unwrap().next
    }

    pub(crate) fn refuse_sync(&self) {
        self.0.lock().unwrap().refuse_sync = true;
    }

    /// The process ended: what it had written is in the page cache, up to some point.
    pub(crate) fn end_process(&self, survivors: Survivors) {
        let mut state = self.0.lock().unwrap();
        state.refuse_sync = false;
        for generation in state.generations.values_mut() {
            let kept = usize::try_from(survivors.0 % 20).unwrap();
            generation.unsynced.truncate(kept);
            generation.cached = generation.durable.clone();
            generation.cached.extend(generation.unsynced.iter().cloned());
        }
    }

    /// The power was cut: of what was not synced, some survives.
    pub(crate) fn cut_power(&self, survivors: Survivors) {
        let mut state = self.0.lock().unwrap();
        state.refuse_sync = false;
        let back: Vec<(u64, Generation)> = std::mem::take(&mut state.removed).into_iter().collect();
        state
            .generations
            .extend(back.into_iter().enumerate().filter(|(at, _)| survivors.keeps(*at)).map(|(_, one)| one));
        for generation in state.generations.values_mut() {
            let unsynced = std::mem::take(&mut generation.unsynced);
            let kept = unsynced.into_iter().enumerate().filter(|(at, _)| survivors.keeps(*at)).map(|(_, write)| write);
            generation.durable.extend(kept);
            generation.cached = generation.durable.clone();
        }
    }

    /// Damages one byte of a frame, wherever that is.
    pub(crate) fn flip(&self, key: Key) {
        let mut state = self.0.lock().unwrap();
        for generation in state.generations.values_mut() {
            for stored in [&mut generation.cached, &mut generation.durable] {
                if let Some(byte) = stored.get_mut(&key).and_then(|frame| frame.last_mut()) {
                    *byte ^= 1;
                }
            }
        }
    }

    /// How often the file of a generation was read.
    pub(crate) fn loads(&self) -> usize {
        self.0.lock().unwrap().loads
    }

    pub(crate) fn generations(&self) -> usize {
        self.0.lock().unwrap().generations.len()
    }
}

impl Disk for MemoryDisk {
    fn list(&self) -> Result<Vec<u64>, QueueError> {
        Ok(self.0.lock().unwrap().generations.keys().copied().collect())
    }

    fn create(&self, number: u64, _reserved_bytes: u64) -> Result<Arc<dyn Store>, QueueError> {
        let mut state = self.0.lock().unwrap();
        assert!(number >= state.next, "number {number} was used before");
        state.next = number + 1;
        state.generations.insert(number, Generation::default());
        Ok(Arc::new(MemoryStore { disk: self.clone(), number }))
    }

    fn seal(&self, number: u64) -> Result<Option<Seal>, QueueError> {
        Ok(self.0.lock().unwrap().generations.get(&number).and_then(|generation| generation.seal.clone()))
    }

    fn write_seal(&self, number: u64, seal: &Seal) -> Result<(), QueueError> {
        let mut state = self.0.lock().unwrap();
        if state.refuse_sync {
            return Err(gone());
        }
        if let Some(generation) = state.generations.get_mut(&number) {
            generation.seal = Some(seal.clone());
        }
        Ok(())
    }

    fn make_durable(&self, number: u64) -> Result<(), QueueError> {
        let mut state = self.0.lock().unwrap();
        if let Some(generation) = state.generations.get_mut(&number) {
            generation.unsynced.clear();
            generation.durable = generation.cached.clone();
        }
        Ok(())
    }

    fn load(&self, number: u64) -> Result<(Index, Box<dyn Frames>), QueueError> {
        let mut state = self.0.lock().unwrap();
        state.loads += 1;
        let stored = state.generations.get(&number).map(|generation| generation.cached.clone()).unwrap_or_default();
        let parsed =
            stored.values().filter_map(|bytes| Some(FrameRef::new(&Header::parse(bytes).ok()?, 0, bytes.len())));
        Ok((Index::new(parsed.collect()), Box::new(MemoryFrames(stored))))
    }

    fn adopt(&self, _number: u64, _from: &std::path::Path) -> Result<(), QueueError> {
        panic!("imports are tested on a real disk")
    }

    fn remove(&self, number: u64, _damaged: bool) -> Result<(), QueueError> {
        let mut state = self.0.lock().unwrap();
        if let Some(generation) = state.generations.remove(&number) {
            state.removed.insert(number, generation);
        }
        Ok(())
    }

    fn size(&self, number: u64) -> Size {
        let state = self.0.lock().unwrap();
        let stored = state.generations.get(&number).map(|generation| generation.cached.values().map(Vec::len).sum());
        let length = u64::try_from(stored.unwrap_or(0)).unwrap();
        Size { length, on_disk: length }
    }
}

fn gone() -> QueueError {
    QueueError::SyncFailed { path: "memory".into(), reason: "the disk is gone".to_owned() }
}

struct MemoryFrames(Stored);

impl Frames for MemoryFrames {
    fn read(&self, frame: &FrameRef) -> io::Result<Vec<u8>> {
        Ok(self.0.get(&frame.key()).cloned().unwrap_or_default())
    }
}

struct MemoryStore {
    disk: MemoryDisk,
    number: u64,
}

impl Store for MemoryStore {
    fn insert(&self, key: Key, frame: &[u8]) -> Result<(), QueueError> {
        let mut state = self.disk.0.lock().unwrap();
        if let Some(generation) = state.generations.get_mut(&self.number) {
            assert!(generation.cached.insert(key, frame.to_vec()).is_none(), "a frame was written over");
            generation.unsynced.push((key, frame.to_vec()));
        }
        Ok(())
    }

    fn get(&self, key: Key) -> Result<Option<Vec<u8>>, QueueError> {
        let state = self.disk.0.lock().unwrap();
        Ok(state.generations.get(&self.number).and_then(|generation| generation.cached.get(&key).cloned()))
    }

    fn sync(&self) -> Result<(), QueueError> {
        let mut state = self.disk.0.lock().unwrap();
        if state.refuse_sync {
            return Err(gone());
        }
        if let Some(generation) = state.generations.get_mut(&self.number) {
            generation.unsynced.clear();
            generation.durable = generation.cached.clone();
        }
        Ok(())
    }

    fn file_bytes(&self) -> Result<u64, QueueError> {
        let state = self.disk.0.lock().unwrap();
        let frames = state.generations.get(&self.number).map_or(0, |generation| generation.cached.len());
        Ok(if frames >= state.frames_a_generation { GENERATION_BYTES } else { 0 })
    }
}

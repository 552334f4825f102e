//! What the writer and the readers of a queue share: its generations, its marks, and the way to a frame.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;
use crate::frame::Frame;
use crate::generations::{Candidate, Generation, Generations, Loaded};
use crate::index::{FrameRef, Index};
use crate::lock::Lock;
use crate::marks::Marks;
use crate::room::Room;
use crate::{QueueError, StreamId, trim};

/// What Writer and Reader share. Where both are held, `generations` is locked before `marks`.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) room: Option<Room>,
    /// The stream that is being written, and its order. Held only for a moment, with nothing locked after it.
    current: Mutex<(StreamId, u64)>,
    generations: Mutex<Generations>,
    marks: Mutex<Marks>,
    _lock: Option<Lock>,
}

impl Shared {
    pub(crate) fn new(
        folder: &Path,
        lock: Option<Lock>,
        disk: Box<dyn Disk>,
        room: Option<Room>,
        current: (StreamId, u64),
        generations: Generations,
        marks: Marks,
    ) -> Self {
        let (current, generations, marks) = (Mutex::new(current), Mutex::new(generations), Mutex::new(marks));
        Self { folder: folder.to_owned(), disk, room, current, generations, marks, _lock: lock }
    }

    /// The stream that is being written, and its order.
    pub(crate) fn current(&self) -> (StreamId, u64) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_current(&self, stream: StreamId, order: u64) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (stream, order);
    }

    pub(crate) fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the index of a generation: that of the one being written, or what was read of its file.
    pub(crate) fn with_index<T>(&self, number: u64, look: impl FnOnce(&Index) -> T) -> Result<T, QueueError> {
        {
            let generations = self.generations();
            if let Some(open) = generations.open.as_ref().filter(|open| open.number == number) {
                return Ok(look(&open.index));
            }
        }
        Ok(look(&self.loaded(number)?.index))
    }

    /// What the file of a generation holds. Reads all of it, unless that was done lately.
    pub(crate) fn loaded(&self, number: u64) -> Result<Arc<Loaded>, QueueError> {
        if let Some(loaded) = self.generations().loaded(number) {
            return Ok(loaded);
        }
        // Without holding up others: it takes a moment on a slow card.
        let read = self.disk.load(number);
        if let Err(error) = &read
            && let Some(generation) = self.generations().all.get_mut(&number)
        {
            generation.unreadable = Some(error.to_string());
        }
        let (index, frames) = read?;
        let index = self.as_known(number, index);
        let loaded = Arc::new(Loaded { index, frames });
        let corrections = {
            let mut generations = self.generations();
            let before = generations.corrections;
            generations.keep_loaded(number, &loaded);
            generations.corrections - before
        };
        if corrections > 0 {
            trim::hide_again(self)?;
            self.believe_no_seal()?;
        }
        Ok(loaded)
    }

    /// One file holds something else than its seal says. What it should hold may be in another one, so that nothing can
    /// be called missing before all were read.
    fn believe_no_seal(&self) -> Result<(), QueueError> {
        loop {
            let unread = {
                let generations = self.generations();
                let open = generations.open.as_ref().map(|open| open.number);
                let unread = |known: &Generation| known.holes.is_none() && known.unreadable.is_none();
                let mut numbers =
                    generations.all.iter().filter(|(number, known)| Some(**number) != open && unread(known));
                numbers.next().map(|(number, _)| *number)
            };
            match unread.map(|number| self.loaded(number)) {
                None => return Ok(()),
                Some(Err(QueueError::Io { .. }) | Ok(_)) => {}
                Some(Err(error)) => return Err(error),
            }
        }
    }

    /// Without what a crash left of the last append, and with the order that streams from another queue have here.
    fn as_known(&self, number: u64, index: Index) -> Index {
        let generations = self.generations();
        let Some(seal) = generations.all.get(&number).map(|known| &known.seal) else { return index };
        let index = if seal.left_open { index.without_unfinished_units() } else { index };
        let order_of = |stream| seal.held.iter().find(|held| held.stream == stream).map(|held| held.order);
        if seal.imported { index.with_orders(order_of) } else { index }
    }

    /// The place of the frame that holds a number of a stream or, if there is none, of the next one.
    pub(crate) fn find(&self, stream: StreamId, number: u64) -> Result<Option<(u64, FrameRef)>, QueueError> {
        loop {
            let (candidates, corrections) = {
                let generations = self.generations();
                (generations.candidates(stream, number), generations.corrections)
            };
            let found = self.find_among(&candidates, stream, number)?;
            if self.generations().corrections == corrections {
                return Ok(found);
            }
        }
    }

    fn find_among(
        &self,
        candidates: &[Candidate],
        stream: StreamId,
        number: u64,
    ) -> Result<Option<(u64, FrameRef)>, QueueError> {
        let mut best: Option<(u64, FrameRef)> = None;
        for candidate in candidates {
            if best.is_some_and(|(_, frame)| frame.first <= number.max(candidate.first)) {
                break;
            }
            let found =
                self.with_index(candidate.number, |index| index.at(stream, number, candidate.hidden).copied())?;
            if let Some(frame) = found.filter(|frame| best.is_none_or(|(_, best)| frame.first < best.first)) {
                best = Some((candidate.number, frame));
            }
        }
        Ok(best)
    }

    /// Reads a frame; none when it is not what it was when it was found.
    pub(crate) fn frame(&self, number: u64, found: &FrameRef) -> Result<Option<Frame>, QueueError> {
        if let Some(frame) = self.frame_of_open(number, found) {
            return Ok(Some(frame));
        }
        let loaded = self.loaded(number)?;
        let place = loaded.index.at(found.stream, found.first, 0).filter(|place| place.first == found.first);
        let bytes = place.and_then(|place| loaded.frames.read(place).ok());
        let frame = bytes.and_then(|bytes| decode(found, &bytes));
        if frame.is_none() {
            self.note_unreadable(number, found);
        }
        Ok(frame)
    }

    /// From the store that is being written. When that fails, its raw file may still have the frame.
    fn frame_of_open(&self, number: u64, found: &FrameRef) -> Option<Frame> {
        let store = {
            let generations = self.generations();
            let open = generations.open.as_ref().filter(|open| open.number == number)?;
            Arc::clone(&open.store)
        };
        decode(found, &store.get(found.key()).ok()??)
    }

    /// The next search does not find it any more.
    fn note_unreadable(&self, number: u64, found: &FrameRef) {
        let mut generations = self.generations();
        if !generations.all.contains_key(&number) {
            return;
        }
        generations.damaged_places = generations.damaged_places.saturating_add(1);
        generations.drop_loaded(number);
        if let Some(open) = generations.open.as_mut().filter(|open| open.number == number) {
            open.index.forget(found);
        }
        if let Some(generation) = generations.all.get_mut(&number) {
            generation.seal.damaged = true;
        }
    }

    /// How much of the disk is free for this queue; everything when it is not on a disk.
    pub(crate) fn free_bytes(&self) -> Result<u64, QueueError> {
        self.room.as_ref().map_or(Ok(u64::MAX), Room::free_bytes)
    }

    pub(crate) fn write_marks(&self) -> Result<(), QueueError> {
        let marks = self.marks().clone();
        marks.write(&self.folder)
    }
}

fn decode(found: &FrameRef, bytes: &[u8]) -> Option<Frame> {
    let frame = Frame::decode(bytes).ok()?;
    (frame.stream == found.stream && frame.first == found.first).then_some(frame)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("folder", &self.folder).field("current", &self.current()).finish_non_exhaustive()
    }
}

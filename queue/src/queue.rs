//! Opening a queue, and what its two ends share.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, FolderDisk};
use crate::frame::Frame;
use crate::generations::{Candidate, Generation, Generations, Loaded};
use crate::index::{FrameRef, Index};
use crate::lock::Lock;
use crate::marks::Marks;
use crate::room::Room;
use crate::seal::Seal;
use crate::{QueueError, Reader, StreamId, Writer, files, marks, trim};

/// What may be chosen of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of the disk that are left free; none: 5 % of the disk, at most 256 MiB.
    pub reserve_bytes: Option<u64>,
    /// The length of a file that is given up when the disk is full and something still has to be said; at most a 16th of
    /// the disk. 0: none.
    pub ballast_bytes: u64,
}

/// A queue that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The one end that appends and trims.
    pub writer: Writer,
    /// The other end, which may be cloned.
    pub reader: Reader,
    /// The stream minted at this start.
    pub stream: StreamId,
    /// What was found damaged or cannot be read, in words. What can be read of it is there all the same.
    pub damaged: Vec<String>,
    /// The file of marks that could not be read, if so; it is written anew.
    pub marks_set_aside: Option<SetAside>,
}

/// Something that was damaged and was moved away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub folder: PathBuf,
    /// Why.
    pub reason: String,
}

/// What the queue holds of one stream. There may be holes in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The stream.
    pub stream: StreamId,
    /// The local counter of streams: a later stream has a higher one.
    pub order: u64,
    /// The first number held.
    pub first: u64,
    /// The last number held.
    pub last: u64,
}

/// What Writer and Reader share. Where both are held, `generations` is locked before `marks`.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) room: Option<Room>,
    pub(crate) stream: StreamId,
    pub(crate) order: u64,
    generations: Mutex<Generations>,
    marks: Mutex<Marks>,
    _lock: Option<Lock>,
}

/// Between the orders of two starts there is room for streams that come from other queues.
pub(crate) const ORDERS_A_START: u64 = 1 << 20;

impl Shared {
    pub(crate) fn new(
        folder: &Path,
        lock: Option<Lock>,
        disk: Box<dyn Disk>,
        room: Option<Room>,
        (stream, order): (StreamId, u64),
        generations: Generations,
        marks: Marks,
    ) -> Self {
        let (generations, marks) = (Mutex::new(generations), Mutex::new(marks));
        Self { folder: folder.to_owned(), disk, room, stream, order, generations, marks, _lock: lock }
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
        f.debug_struct("Queue").field("folder", &self.folder).field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// Opens the queue in a folder, which is made if it is missing, and begins a new stream.
///
/// Reads the seal of each generation, and the whole file of those that have none: the one that was being written when
/// the last process ended without a goodbye.
///
/// # Errors
/// [`QueueError::InUse`] at once when another process has it, [`QueueError::NewerLayout`] when this version cannot read
/// it (nothing is changed then), [`QueueError::Io`] when the system refuses. A full disk and damage are no errors.
pub fn open(folder: &Path) -> Result<Opened, QueueError> {
    open_with(folder, Settings::default())
}

/// As [`open`], with settings.
///
/// # Errors
/// As [`open`].
pub fn open_with(folder: &Path, settings: Settings) -> Result<Opened, QueueError> {
    files::make_folder(folder)?;
    let lock = Lock::take(folder)?;
    let (marks, unreadable) = marks::load(folder)?;
    let disk = FolderDisk::new(folder);
    let room = Room::new(folder, settings)?;
    let next = disk.unused()?;
    disk.tidy()?;
    let opened = start(folder, Some(lock), Box::new(disk), Some(room), marks, next, || {
        unreadable.map(|reason| marks::set_aside(folder, reason)).transpose()
    })?;
    Ok(opened)
}

/// Begins a new stream over the generations on a disk.
pub(crate) fn start(
    folder: &Path,
    lock: Option<Lock>,
    disk: Box<dyn Disk>,
    room: Option<Room>,
    marks: Marks,
    next_generation: u64,
    set_marks_aside: impl FnOnce() -> Result<Option<SetAside>, QueueError>,
) -> Result<Opened, QueueError> {
    let (generations, damaged) = survey(&*disk)?;
    // Only now is it certain that this version can read everything, and anything may be changed.
    let marks_set_aside = set_marks_aside()?;
    let stream = StreamId::random();
    let marks = with_new_stream(marks, &generations, stream);
    let order = marks.highest_order();
    let shared = Arc::new(Shared::new(folder, lock, disk, room, (stream, order), generations, marks));
    let writer = Writer::new(Arc::clone(&shared), next_generation)?;
    Ok(Opened { writer, reader: Reader::new(shared), stream, damaged, marks_set_aside })
}

/// What is on the disk, and what is wrong with it.
pub(crate) fn survey(disk: &dyn Disk) -> Result<(Generations, Vec<String>), QueueError> {
    let mut all = BTreeMap::new();
    let mut damaged = Vec::new();
    for number in disk.list()? {
        let generation = match disk.seal(number)? {
            Some(seal) => Generation::new(seal, true),
            None => unsealed(disk, number, &mut damaged)?,
        };
        all.insert(number, generation);
    }
    Ok((Generations::of(all), damaged))
}

/// A generation that was not completed: a crash left it, or its seal is damaged.
///
/// What is shown of it must not be lost with the next power cut, so it is made durable first. Where that fails there is
/// nothing better to do than to read it.
fn unsealed(disk: &dyn Disk, number: u64, damaged: &mut Vec<String>) -> Result<Generation, QueueError> {
    let _ = disk.make_durable(number);
    let index = match disk.load(number) {
        Ok((index, _)) => index.without_unfinished_units(),
        Err(QueueError::Io { doing, path, source }) if source.kind() == io::ErrorKind::PermissionDenied => {
            let why = QueueError::Io { doing, path, source }.to_string();
            damaged.push(why.clone());
            return Ok(Generation { unreadable: Some(why), ..Generation::default() });
        }
        Err(error) => return Err(error),
    };
    let mut seal = Seal { left_open: true, ..Seal::of(&index) };
    if index.frames().is_empty() && disk.size(number).length > 0 {
        seal.damaged = true;
        damaged.push(format!("generation {number}: not one reading can be found in it"));
    } else if seal.damaged {
        damaged.push(format!("generation {number}: numbers are missing in {} places", index.holes().len()));
    }
    Ok(Generation::new(seal, false))
}

/// Adds what the generations hold and the new stream, whose order is above everything that was ever seen.
fn with_new_stream(mut marks: Marks, generations: &Generations, stream: StreamId) -> Marks {
    for span in generations.spans() {
        marks.learn(span.stream, span.order, span.last);
    }
    let order = (marks.highest_order() / ORDERS_A_START).saturating_add(1).saturating_mul(ORDERS_A_START);
    marks.learn(stream, order, 0);
    marks
}

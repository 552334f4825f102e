//! Opening a queue: what is on the disk, and a new stream.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, FolderDisk};
use crate::generations::{Generation, Generations};
use crate::lock::Lock;
use crate::marks::Marks;
use crate::room::Room;
use crate::seal::Seal;
use crate::shared::Shared;
use crate::{QueueError, Reader, StreamId, Writer, files, marks};

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
    /// The stream minted at this start; [`Writer::begin_stream`] may begin others.
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
    disk.tidy();
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
    let order = marks.order_above_all();
    marks.learn(stream, order, 0);
    marks
}

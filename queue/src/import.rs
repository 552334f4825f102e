//! Records of another queue, taken in as generations of this one.
//!
//! They are written beside the queue by whoever brings them, and taken in by the queue's one writer. They keep their
//! streams and numbers, so a database that has them already takes them as what they are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::disk::{GENERATION_BYTES, IMPORT, RESERVED_BYTES};
use crate::error::io_at;
use crate::frame::Header;
use crate::index::{FrameRef, Index};
use crate::marks::Marks;
use crate::pack::pack;
use crate::salvage::frames_in;
use crate::seal::Seal;
use crate::shared::Shared;
use crate::store::{DATA_FILE, SledStore, Store};
use crate::{QueueError, Record, StreamId, Unit, files};

const PART: &str = "part-";
/// So many bytes of frames are synced at once.
const SYNCED_BYTES: usize = 128 * 1024;

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Readings and other numbered records that the queue now holds and did not hold before.
    pub readings: u64,
    /// Those that it held, or had delivered and trimmed, before.
    pub already_here: u64,
}

/// Builds generations of foreign records in a folder of their own, beside the queue.
pub struct Importer {
    folder: PathBuf,
    parts: u64,
    store: Option<SledStore>,
    seal: Seal,
    unsynced: usize,
    /// Streams in the order in which they came.
    orders: BTreeMap<StreamId, u64>,
    finished: bool,
}

/// What was begun and not finished is removed.
impl Drop for Importer {
    fn drop(&mut self) {
        self.store = None;
        if !self.finished {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Importer {
    /// Begins in a new folder in that of a queue, whether or not a gateway uses it.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn begin(queue: &Path) -> Result<Importer, QueueError> {
        let folder = queue.join(format!("{IMPORT}{}", StreamId::random()));
        files::make_folder(&folder)?;
        let seal = Seal { imported: true, ..Seal::default() };
        Ok(Importer { folder, parts: 0, store: None, seal, unsynced: 0, orders: BTreeMap::new(), finished: false })
    }

    /// Adds numbered records of a stream, the first of which has the number `first`. The numbers of a stream have to
    /// ascend from call to call.
    ///
    /// # Errors
    /// [`QueueError::Io`] also when a record is not one that a queue can hold.
    pub fn add(&mut self, stream: StreamId, first: u64, written_ms: u64, records: &[Record]) -> Result<(), QueueError> {
        let units: Result<Vec<Unit>, _> = records.iter().map(|record| Unit::new(vec![record.clone()])).collect();
        let units = units.map_err(|error| self.refused(error))?;
        let next_order = u64::try_from(self.orders.len()).unwrap_or(u64::MAX).saturating_add(1);
        let order = *self.orders.entry(stream).or_insert(next_order);
        let mut number = first;
        for piece in pack(&units) {
            let header = Header {
                part: piece.part,
                records: u16::try_from(piece.records.len()).unwrap_or(u16::MAX),
                numbered: u16::try_from(piece.numbered()).unwrap_or(u16::MAX),
                order,
                stream,
                first: number,
                written_ms,
                group: first,
            };
            let bytes = header.encode(&piece.records).map_err(|error| self.refused(error))?;
            self.insert(&FrameRef::new(&header, 0, bytes.len()), &bytes)?;
            number = number.saturating_add(piece.numbered());
        }
        Ok(())
    }

    fn refused(&self, error: impl std::error::Error + Send + Sync + 'static) -> QueueError {
        io_at("put a record into", &self.folder)(std::io::Error::other(error))
    }

    fn insert(&mut self, frame: &FrameRef, bytes: &[u8]) -> Result<(), QueueError> {
        if self.store.as_ref().map(Store::file_bytes).transpose()?.is_none_or(|length| length >= GENERATION_BYTES) {
            self.complete_part()?;
            self.parts += 1;
            self.store = Some(SledStore::create(&self.part(self.parts), RESERVED_BYTES)?);
        }
        let Some(store) = &self.store else { return Ok(()) };
        store.insert(frame.key(), bytes)?;
        self.seal.add(frame.stream, frame.order, (frame.first, frame.last()), frame.bytes.into());
        self.unsynced += bytes.len();
        if self.unsynced >= SYNCED_BYTES {
            store.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    fn part(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{PART}{number:016}"))
    }

    fn complete_part(&mut self) -> Result<(), QueueError> {
        let Some(store) = self.store.take() else { return Ok(()) };
        store.sync()?;
        drop(store);
        let seal = std::mem::replace(&mut self.seal, Seal { imported: true, ..Seal::default() });
        seal.write(&self.part(self.parts))
    }

    /// Completes it. Returns its folder, for [`crate::Writer::take_in`].
    ///
    /// # Errors
    /// [`QueueError::Io`] or [`QueueError::SyncFailed`].
    pub fn finish(mut self) -> Result<PathBuf, QueueError> {
        self.complete_part()?;
        files::sync_folder(&self.folder)?;
        self.finished = true;
        Ok(self.folder.clone())
    }
}

/// The complete generations in an import, oldest first.
fn parts(import: &Path) -> Result<Vec<(PathBuf, Seal)>, QueueError> {
    let mut names = files::names_in(import)?;
    names.retain(|name| name.starts_with(PART));
    names.sort();
    let mut parts = Vec::new();
    for path in names.iter().map(|name| import.join(name)) {
        let incomplete =
            || QueueError::Damaged { what: "the import is not complete".to_owned(), place: path.display().to_string() };
        let seal = Seal::read(&path)?.filter(|seal| seal.imported).ok_or_else(incomplete)?;
        parts.push((path, seal));
    }
    Ok(parts)
}

/// Moves what was imported into the queue. Numbers that are already here are left out only where that saves everything:
/// held twice they do no harm.
pub(crate) fn take_in(shared: &Shared, import: &Path, next_number: &mut u64) -> Result<TakenIn, QueueError> {
    let mut taken = TakenIn::default();
    let (current, _) = shared.current();
    for (path, seal) in parts(import)? {
        let (new, already_here) = count(shared, &path)?;
        if new > 0 && seal.held.iter().any(|held| held.stream == current) {
            let what = "it has numbers of the stream that is being written here, which nobody else can have given";
            return Err(QueueError::Damaged { what: what.to_owned(), place: path.display().to_string() });
        }
        taken.readings = taken.readings.saturating_add(new);
        taken.already_here = taken.already_here.saturating_add(already_here);
        if new == 0 {
            continue;
        }
        // On the disk the marks come first, so that a generation that gets lost is missed. In memory they come last: a
        // reader that knows an end and does not see its generation yet would take it for missing.
        let (_, newest) = shared.current();
        let mut known = shared.marks().clone();
        let seal = learn(&mut known, newest, seal);
        seal.write(&path)?;
        known.write(&shared.folder)?;
        shared.disk.adopt(*next_number, &path)?;
        let held = seal.held.clone();
        shared.generations().all.insert(*next_number, crate::generations::Generation::new(seal, true));
        held.iter().for_each(|held| shared.marks().learn(held.stream, held.order, held.last));
        shared.write_marks()?;
        *next_number = next_number.saturating_add(1);
    }
    crate::trim::hide_again(shared)?;
    fs::remove_dir_all(import).map_err(io_at("remove", import))?;
    Ok(taken)
}

/// How many numbers of a part are new here, and how many are not.
fn count(shared: &Shared, part: &Path) -> Result<(u64, u64), QueueError> {
    let path = part.join(DATA_FILE);
    let file = File::open(&path).map_err(io_at("read", &path))?;
    let index = Index::new(frames_in(&file, &path.display().to_string())?);
    let spans = shared.generations().spans();
    let (mut new, mut already_here) = (0_u64, 0_u64);
    for frame in index.frames() {
        let trimmed = shared.marks().trimmed(frame.stream);
        let span = spans.iter().find(|span| span.stream == frame.stream);
        let is_here =
            |number: &u64| *number <= trimmed || span.is_some_and(|span| (span.first..=span.last).contains(number));
        let here = (frame.first..=frame.last()).filter(is_here).count();
        let here = u64::try_from(here).unwrap_or(u64::MAX);
        already_here = already_here.saturating_add(here);
        new = new.saturating_add(u64::from(frame.numbered).saturating_sub(here));
    }
    Ok((new, already_here))
}

/// Gives each stream that was never seen here a place just before the one that is being written.
fn learn(marks: &mut Marks, newest: u64, mut seal: Seal) -> Seal {
    for held in &mut seal.held {
        let below = marks.list().iter().map(|known| known.order).filter(|order| *order < newest).max();
        let order = marks.get(held.stream).map_or(below.unwrap_or(0).saturating_add(1), |known| known.order);
        held.order = order;
        marks.learn(held.stream, order, held.last);
    }
    seal
}

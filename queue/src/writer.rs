//! The writing end.

use std::path::Path;
use std::sync::Arc;

use crate::error::io_at;
use crate::frame::{Header, Part};
use crate::index::FrameRef;
use crate::marks::Pace;
use crate::pack::{Piece, pack};
use crate::rotation::Rotation;
use crate::shared::Shared;
use crate::store::Store;
use crate::wear::Meter;
use crate::{KEPT_FRAMES, QueueError, Span, StreamId, TakenIn, Unit, trim};

/// The sequence numbers that an append gave, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The first one.
    pub first: u64,
    /// The last one; `first - 1` when nothing was appended.
    pub last: u64,
}

/// What was dropped to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Where the readings stood. Whether some were delivered already, the queue does not know.
    pub spans: Vec<Span>,
    /// How many readings that were.
    pub readings: u64,
}

/// So many bytes of frames are synced at once at most. The storage library uses a part of its file again only after it
/// has written two more parts of 512 KiB; with a sync in between, nothing can be written over that is not durable
/// elsewhere. It writes each frame about three times.
const SYNCED_BYTES: usize = 128 * 1024;

/// The writing end: one thread owns it. Dropping it closes it; [`Writer::close`] also says whether that worked.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    rotation: Rotation,
    next_seq: u64,
    /// [`KEPT_FRAMES`], but for tests.
    pub(crate) kept_frames: usize,
    /// None before the first append.
    marks_written: Option<Pace>,
    /// Whether the marks on disk name this stream. Nothing is appended before they do.
    marks_name_stream: bool,
    marks_problem: Option<QueueError>,
    meter: Meter,
    /// Set by a failed write, after which nobody can say what the disk holds.
    failed: Option<String>,
    closed: bool,
}

struct Encoded {
    frame: FrameRef,
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, next_generation: u64) -> Result<Writer, QueueError> {
        trim::settle(&shared)?;
        let meter = Meter::new(shared.marks().wear);
        let mut writer = Writer {
            rotation: Rotation::new(next_generation),
            next_seq: 1,
            kept_frames: KEPT_FRAMES,
            marks_written: None,
            marks_name_stream: false,
            marks_problem: None,
            meter,
            failed: None,
            closed: false,
            shared,
        };
        // A store that is lost later is noticed by them. On a full disk they follow before the first reading.
        match writer.write_marks() {
            Err(error) if !error.is_full_disk() => Err(error),
            _ => Ok(writer),
        }
    }

    /// Appends units and gives their records consecutive numbers. Durable when it returns `Ok`, and only then visible to
    /// readers. `written_ms` is the wall clock, milliseconds since 1970; 0 when it is unknown.
    ///
    /// # Errors
    /// [`QueueError::Full`] when the disk has no room beyond the reserve: nothing was written, and it may be tried again.
    /// [`QueueError::SyncFailed`], which is final: every later call returns it too, and the process has to end with exit
    /// code 74. Whether the units are in the queue is known when it is opened again.
    pub fn append(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        self.append_within(units, written_ms, false)
    }

    /// As [`Writer::append`], but may use the reserve of the disk: for the little that has to be said when it is full.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_from_reserve(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        self.append_within(units, written_ms, true)
    }

    fn append_within(
        &mut self,
        units: &[Unit],
        written_ms: u64,
        may_use_reserve: bool,
    ) -> Result<Appended, QueueError> {
        if let Some(reason) = &self.failed {
            return Err(self.sync_failed(reason.clone()));
        }
        let first = self.next_seq;
        if units.is_empty() {
            return Ok(Appended { first, last: first - 1 });
        }
        let frames = self.encode(units, written_ms)?;
        self.name_stream()?;
        self.write(&frames, may_use_reserve)?;
        self.next_seq = units.iter().fold(first, |next, unit| next.saturating_add(count(unit.numbered())));
        let last = self.next_seq - 1;
        self.write_marks_lazily(Pace { end: last, written_ms });
        Ok(Appended { first, last })
    }

    fn encode(&self, units: &[Unit], written_ms: u64) -> Result<Vec<Encoded>, QueueError> {
        let mut first = self.next_seq;
        let mut frames = Vec::new();
        for piece in pack(units) {
            let header = self.header(&piece, first, written_ms);
            let encoded = header.encode(&piece.records);
            let bytes =
                encoded.map_err(|error| io_at("encode for", &self.shared.folder)(std::io::Error::other(error)))?;
            frames.push(Encoded { frame: FrameRef::new(&header, 0, bytes.len()), bytes });
            first = first.saturating_add(piece.numbered());
        }
        Ok(frames)
    }

    fn header(&self, piece: &Piece<'_>, first: u64, written_ms: u64) -> Header {
        let (stream, order) = self.shared.current();
        Header {
            part: piece.part,
            records: u16::try_from(piece.records.len()).unwrap_or(u16::MAX),
            numbered: u16::try_from(piece.numbered()).unwrap_or(u16::MAX),
            order,
            stream,
            first,
            written_ms,
            group: self.next_seq,
        }
    }

    /// The marks on disk have to name the stream before its first reading is there.
    fn name_stream(&mut self) -> Result<(), QueueError> {
        if self.marks_name_stream {
            return Ok(());
        }
        self.write_marks().map_err(|error| match error.is_full_disk() {
            true => QueueError::Full { path: self.shared.folder.clone(), free_bytes: 0 },
            false => error,
        })
    }

    /// Writes in pieces that are synced one by one, each into the generation that has room for it. Only when nothing was
    /// written yet may the disk be too full.
    fn write(&mut self, frames: &[Encoded], may_use_reserve: bool) -> Result<(), QueueError> {
        let mut store = self.rotation.store(&self.shared, may_use_reserve)?;
        for (index, piece) in pieces(frames).into_iter().enumerate() {
            let written = match index > 0 && begins_a_unit(piece) {
                true => self.rotation.store(&self.shared, true).map(|next| store = next),
                false => Ok(()),
            };
            if let Err(error) = written.and_then(|()| self.make_durable(&*store, piece)) {
                let reason = reason_of(error);
                self.failed = Some(reason.clone());
                return Err(self.sync_failed(reason));
            }
            let mut generations = self.shared.generations();
            piece.iter().for_each(|encoded| generations.publish(encoded.frame));
        }
        Ok(())
    }

    fn make_durable(&mut self, store: &dyn Store, frames: &[Encoded]) -> Result<(), QueueError> {
        for Encoded { frame, bytes } in frames {
            store.insert(frame.key(), bytes)?;
        }
        self.meter.count_sync();
        store.sync()
    }

    /// Marks that cannot be written do not undo an append: it is tried again after the next one, and `close` tells.
    fn write_marks_lazily(&mut self, now: Pace) {
        let (stream, order) = self.shared.current();
        self.shared.marks().learn(stream, order, now.end);
        if self.marks_problem.is_some() || self.marks_written.is_none_or(|last| last.is_due(now)) {
            self.marks_written = Some(now);
            self.shared.marks().wear = self.meter.wear(now.written_ms);
            self.marks_problem = self.write_marks().err();
            if let Some(room) = &self.shared.room {
                room.keep_ballast();
            }
        }
    }

    fn write_marks(&mut self) -> Result<(), QueueError> {
        self.shared.write_marks()?;
        self.marks_name_stream = true;
        Ok(())
    }

    /// Ends the stream that is being written and begins another, whose numbers count from 1. The old one is complete: its
    /// end is durable, so that what is lost of it later is noticed. A stream without a number goes on as it is.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the marks cannot be written: nothing has begun, and the old stream goes on as before.
    /// [`QueueError::SyncFailed`] when a write has failed before, as with [`Writer::append`].
    pub fn begin_stream(&mut self) -> Result<StreamId, QueueError> {
        if let Some(reason) = &self.failed {
            return Err(self.sync_failed(reason.clone()));
        }
        if self.next_seq == 1 {
            return Ok(self.stream());
        }
        let stream = StreamId::random();
        let order = self.name_in_marks(stream)?;
        let open = self.shared.generations().open.as_ref().map(|open| open.number);
        if let Some(number) = open {
            self.rotation.seal_if_open(&self.shared, number);
        }
        self.shared.set_current(stream, order);
        (self.next_seq, self.marks_written, self.marks_problem) = (1, None, None);
        Ok(stream)
    }

    /// Names a new stream in the marks on disk, beside the end of the one before. Returns its order.
    fn name_in_marks(&self, stream: StreamId) -> Result<u64, QueueError> {
        let order = {
            let mut marks = self.shared.marks();
            let order = marks.order_above_all();
            marks.learn(stream, order, 0);
            order
        };
        // Where only the last sync failed, the marks on disk may name it all the same: a stream without a reading.
        self.shared.write_marks().inspect_err(|_| self.shared.marks().forget(stream))?;
        Ok(order)
    }

    /// Removes frames whose readings all have numbers up to `through`, and those of all older streams. Returns how many
    /// readings that were.
    ///
    /// The newest [`KEPT_FRAMES`] frames always stay. A stream that is not known removes nothing. A generation of which
    /// everything is removed leaves the disk. What was removed may come back if the power is cut within a minute.
    ///
    /// # Errors
    /// [`QueueError::Io`] or [`QueueError::NewerLayout`] when the queue cannot be read or changed.
    pub fn trim(&mut self, stream: StreamId, through: u64) -> Result<u64, QueueError> {
        let Some(known) = self.shared.marks().get(stream) else {
            return Ok(0);
        };
        let removed = trim::hide(&self.shared, (known.order, through), self.kept_frames)?;
        trim::remove_hidden(&self.shared)?;
        Ok(removed)
    }

    /// Removes the oldest generation, delivered or not; that which is being written is completed first. None when the
    /// queue is empty.
    ///
    /// # Errors
    /// As [`Writer::trim`].
    pub fn drop_oldest(&mut self) -> Result<Option<Dropped>, QueueError> {
        let Some((number, _)) = self.shared.generations().oldest() else { return Ok(None) };
        self.rotation.seal_if_open(&self.shared, number);
        let dropped = trim::drop_generation(&self.shared, number)?;
        // Before it leaves the disk, so that the reason is known for what is missing.
        self.marks_problem = self.write_marks().err();
        trim::remove_hidden(&self.shared)?;
        Ok(dropped)
    }

    /// Takes in what an [`crate::Importer`] left in a folder of this queue's folder, durably; the folder is then gone.
    ///
    /// # Errors
    /// [`QueueError::Damaged`] when it is not complete, [`QueueError::Io`]. What was taken in before stays, and the rest
    /// may be taken in by another call.
    pub fn take_in(&mut self, import: &Path) -> Result<TakenIn, QueueError> {
        self.rotation.take_in(&self.shared, import)
    }

    /// The bytes of all frames in the queue that are not trimmed.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.shared.generations().live_bytes()
    }

    /// The bytes that are free on the disk of the queue.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn free_bytes(&self) -> Result<u64, QueueError> {
        self.shared.free_bytes()
    }

    /// The bytes of the disk that the queue leaves free.
    #[must_use]
    pub fn reserve_bytes(&self) -> u64 {
        self.shared.room.as_ref().map_or(0, |room| room.reserve_bytes)
    }

    /// The folder of the queue.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// The stream that this writer appends to.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.shared.current().0
    }

    /// Completes the generation and writes the marks.
    ///
    /// # Errors
    /// [`QueueError::SyncFailed`] or [`QueueError::Io`]; what was appended is durable all the same.
    pub fn close(mut self) -> Result<(), QueueError> {
        self.closed = true;
        self.finish()
    }

    fn finish(&mut self) -> Result<(), QueueError> {
        if self.next_seq == 1 && self.failed.is_none() {
            self.shared.marks().forget(self.stream());
        }
        if let Some(reason) = self.failed.take() {
            return Err(self.sync_failed(reason));
        }
        let open = self.shared.generations().open.as_ref().map(|open| open.number);
        if let Some(number) = open {
            self.rotation.seal_if_open(&self.shared, number);
        }
        let wear = self.meter.wear(0);
        self.shared.marks().wear = wear;
        self.write_marks()
    }

    fn sync_failed(&self, reason: String) -> QueueError {
        QueueError::SyncFailed { path: self.shared.folder.clone(), reason }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.closed {
            // Nobody can be told here; the next opening finds the same from the generations.
            let _ = self.finish();
        }
    }
}

fn begins_a_unit(frames: &[Encoded]) -> bool {
    frames.first().is_some_and(|encoded| matches!(encoded.frame.part, Part::Whole | Part::First))
}

/// Cuts frames into pieces of about [`SYNCED_BYTES`].
fn pieces(frames: &[Encoded]) -> Vec<&[Encoded]> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, encoded) in frames.iter().enumerate() {
        bytes += encoded.bytes.len();
        if bytes >= SYNCED_BYTES || index + 1 == frames.len() {
            pieces.push(&frames[start..=index]);
            (start, bytes) = (index + 1, 0);
        }
    }
    pieces
}

fn reason_of(error: QueueError) -> String {
    match error {
        QueueError::SyncFailed { reason, .. } => reason,
        error => error.to_string(),
    }
}

fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

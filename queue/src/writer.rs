//! The writing end.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::error::io_at;
use crate::frame::{FrameError, Header};
use crate::key::Key;
use crate::marks::Pace;
use crate::pack::{Piece, pack};
use crate::queue::Shared;
use crate::scan::newer_layout;
use crate::{KEPT_FRAMES, QueueError, StreamId, Unit};

/// The sequence numbers that an append gave, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The first one.
    pub first: u64,
    /// The last one; `first - 1` when nothing was appended.
    pub last: u64,
}

/// The writing end: one thread owns it. Dropping it closes it; [`Writer::close`] also says whether that worked.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    next_seq: u64,
    live_bytes: u64,
    /// The newest frames, at most [`KEPT_FRAMES`], oldest first.
    newest: VecDeque<Key>,
    /// [`KEPT_FRAMES`], but for tests.
    pub(crate) kept_frames: usize,
    marks_written: Pace,
    marks_problem: Option<QueueError>,
    /// Set by a failed write, after which nobody can say what the disk holds.
    failed: Option<String>,
    closed: bool,
}

struct Encoded {
    key: Key,
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, live_bytes: u64) -> Result<Writer, QueueError> {
        let newest = newest_keys(&shared)?;
        Ok(Writer {
            shared,
            next_seq: 1,
            live_bytes,
            newest,
            kept_frames: KEPT_FRAMES,
            marks_written: Pace { end: 0, written_ms: 0 },
            marks_problem: None,
            failed: None,
            closed: false,
        })
    }

    /// Appends units and gives their records consecutive numbers. Durable when it returns `Ok`, and only then visible to
    /// readers. `written_ms` is the wall clock, milliseconds since 1970; 0 when it is unknown.
    ///
    /// # Errors
    /// [`QueueError::SyncFailed`], which is final: every later call returns it too, and the process has to end with exit
    /// code 74. Whether the units are in the queue is known when it is opened again.
    pub fn append(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        if let Some(reason) = &self.failed {
            return Err(self.sync_failed(reason.clone()));
        }
        let first = self.next_seq;
        let frames = self.encode(units, written_ms)?;
        if let Err(error) = self.make_durable(&frames) {
            let reason = reason_of(error);
            self.failed = Some(reason.clone());
            return Err(self.sync_failed(reason));
        }
        self.publish(frames);
        self.next_seq = units.iter().fold(first, |next, unit| next.saturating_add(count(unit.numbered())));
        let last = self.next_seq - 1;
        self.write_marks_lazily(Pace { end: last, written_ms });
        Ok(Appended { first, last })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn encode(&self, units: &[Unit], written_ms: u64) -> Result<Vec<Encoded>, QueueError> {
        let mut first = self.next_seq;
        let mut frames = Vec::new();
        for piece in pack(units) {
            let header = self.header(&piece, first, written_ms);
            let encoded = header.encode(&piece.records);
            let bytes =
                encoded.map_err(|error| io_at("encode for", &self.shared.folder)(std::io::Error::other(error)))?;
            frames.push(Encoded { key: header.key(), bytes });
            first = first.saturating_add(piece.numbered());
        }
        Ok(frames)
    }

    fn header(&self, piece: &Piece<'_>, first: u64, written_ms: u64) -> Header {
        Header {
            part: piece.part,
            records: u16::try_from(piece.records.len()).unwrap_or(u16::MAX),
            numbered: u16::try_from(piece.numbered()).unwrap_or(u16::MAX),
            order: self.shared.order,
            stream: self.shared.stream,
            first,
            written_ms,
        }
    }

    fn make_durable(&self, frames: &[Encoded]) -> Result<(), QueueError> {
        for frame in frames {
            self.shared.store.insert(frame.key, &frame.bytes)?;
        }
        if frames.is_empty() { Ok(()) } else { self.shared.store.sync() }
    }

    fn publish(&mut self, frames: Vec<Encoded>) {
        for frame in frames {
            self.live_bytes = self.live_bytes.saturating_add(count(frame.bytes.len()));
            self.newest.push_back(frame.key);
            self.shared.publish(frame.key);
        }
        let too_many = self.newest.len().saturating_sub(KEPT_FRAMES);
        self.newest.drain(..too_many);
    }

    /// Marks that cannot be written do not undo an append: it is tried again after the next one, and `close` tells.
    fn write_marks_lazily(&mut self, now: Pace) {
        self.shared.marks().learn(self.shared.stream, self.shared.order, now.end);
        if self.marks_problem.is_some() || self.marks_written.is_due(now) {
            self.marks_written = now;
            self.marks_problem = self.write_marks().err();
        }
    }

    fn write_marks(&self) -> Result<(), QueueError> {
        let marks = self.shared.marks().clone();
        marks.write(&self.shared.folder)
    }

    /// Removes frames whose readings all have numbers up to `through`, and those of all older streams. Returns how many
    /// readings that were.
    ///
    /// The newest [`KEPT_FRAMES`] frames always stay. A stream that is not known removes nothing. What was removed comes
    /// back if the power is cut before the next append.
    ///
    /// # Errors
    /// [`QueueError::Damaged`], [`QueueError::Io`] or [`QueueError::NewerLayout`] when the store cannot be read.
    pub fn trim(&mut self, stream: StreamId, through: u64) -> Result<u64, QueueError> {
        let Some(known) = self.shared.marks().get(stream) else {
            return Ok(0);
        };
        let Some(keep_from) = self.keep_from() else {
            return Ok(0);
        };
        let mut removed = 0;
        let mut from = Key::MIN;
        while let Some((key, bytes)) = self.shared.store.next(from)?.filter(|(key, _)| *key < keep_from) {
            let (last, numbered) = self.extent(key, &bytes)?;
            if (Key { order: key.order, first: last }) > (Key { order: known.order, first: through }) {
                break;
            }
            self.shared.store.remove(key)?;
            self.live_bytes = self.live_bytes.saturating_sub(count(bytes.len()));
            removed += numbered;
            from = key.after();
        }
        Ok(removed)
    }

    /// The oldest of the frames that always stay; `None` when there are no others.
    fn keep_from(&self) -> Option<Key> {
        let index = self.newest.len().checked_sub(self.kept_frames)?;
        self.newest.get(index).copied()
    }

    /// The last number of a frame and how many there are. A damaged frame ends where the next one begins, and has none.
    fn extent(&self, key: Key, bytes: &[u8]) -> Result<(u64, u64), QueueError> {
        match Header::read(key, bytes) {
            Ok(header) => Ok((header.last(), header.numbered.into())),
            Err(FrameError::NewerLayout(found)) => Err(newer_layout(key, found)),
            Err(FrameError::Damaged(_)) => {
                let next = self.shared.store.next(key.after())?.filter(|(next, _)| next.order == key.order);
                Ok((next.map_or(key.first, |(next, _)| next.first.saturating_sub(1)), 0))
            }
        }
    }

    /// The bytes of all frames in the queue. Kept exactly from opening on; what was there at opening is estimated from
    /// the first and the last frame of each stream.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// The stream that this writer appends to.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.shared.stream
    }

    /// Makes trims durable and writes the marks.
    ///
    /// # Errors
    /// [`QueueError::SyncFailed`] or [`QueueError::Io`]; what was appended is durable all the same.
    pub fn close(mut self) -> Result<(), QueueError> {
        self.closed = true;
        self.finish()
    }

    fn finish(&mut self) -> Result<(), QueueError> {
        if self.next_seq == 1 && self.failed.is_none() {
            self.shared.marks().forget(self.shared.stream);
        }
        self.write_marks()?;
        match self.failed.take() {
            Some(reason) => Err(self.sync_failed(reason)),
            None => self.shared.store.sync(),
        }
    }

    fn sync_failed(&self, reason: String) -> QueueError {
        QueueError::SyncFailed { path: self.shared.folder.clone(), reason }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.closed {
            // Nobody can be told here; the next opening finds the same from the store.
            let _ = self.finish();
        }
    }
}

fn newest_keys(shared: &Shared) -> Result<VecDeque<Key>, QueueError> {
    let mut newest = VecDeque::with_capacity(KEPT_FRAMES + 1);
    let mut below = Key::MAX;
    while newest.len() < KEPT_FRAMES {
        let Some((key, _)) = shared.store.previous(below)? else {
            break;
        };
        newest.push_front(key);
        below = key;
    }
    Ok(newest)
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

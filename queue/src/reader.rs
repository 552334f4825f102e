//! The reading end.

use std::sync::Arc;

use crate::frame::Frame;
use crate::key::Key;
use crate::queue::Shared;
use crate::{KnownStream, QueueError, Record, Span, StreamId};

/// The reading end: it sees durable frames, and only those. Clones see the same queue.
///
/// A queue stays locked until its writer and all its readers are dropped.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Shared>);

/// A record with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its sequence number in its stream, from 1.
    pub seq: u64,
    /// The wall clock when it was written, milliseconds since 1970; 0 when it was unknown.
    pub written_ms: u64,
    /// The record.
    pub record: Record,
}

/// The frame that would be trimmed next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldestFrame {
    /// Its stream.
    pub stream: StreamId,
    /// The local counter of that stream.
    pub order: u64,
    /// The number of its first numbered record.
    pub first: u64,
    /// The number of its last numbered record.
    pub last: u64,
    /// The wall clock when it was written, milliseconds since 1970; 0 when it was unknown.
    pub written_ms: u64,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Reader {
        Reader(shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// What the queue holds, stream by stream, oldest first; a few seeks for each stream.
    ///
    /// # Errors
    /// [`QueueError::Damaged`], [`QueueError::Io`] or [`QueueError::NewerLayout`] when the store cannot be read.
    pub fn spans(&self) -> Result<Vec<Span>, QueueError> {
        Ok(self.0.scan().spans()?.into_iter().map(|(span, _)| span).collect())
    }

    /// Numbered records of a stream, from the first one at or above `from` that exists, in order.
    ///
    /// A hole, such as a damaged frame, shows as a jump in `seq`. At most `max_records`, and at most `max_bytes` of
    /// bodies; but at least one record if any exists. Empty when the queue holds nothing of the stream from there on.
    ///
    /// # Errors
    /// As [`Reader::spans`].
    pub fn read(
        &self,
        stream: StreamId,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<Numbered>, QueueError> {
        let Some(known) = self.0.marks().get(stream) else {
            return Ok(Vec::new());
        };
        let scan = self.0.scan();
        let mut batch = Batch { records: Vec::new(), bytes: 0, max_records, max_bytes };
        let mut frame = scan.at(known.order, from)?;
        while let Some(found) = frame {
            let after = found.key().after();
            if !batch.take(found, from) {
                break;
            }
            frame = scan.next(after)?.filter(|frame| frame.order == known.order);
        }
        Ok(batch.records)
    }

    /// The oldest frame, or `None` when the queue is empty.
    ///
    /// # Errors
    /// As [`Reader::spans`].
    pub fn oldest(&self) -> Result<Option<OldestFrame>, QueueError> {
        let frame = self.0.scan().next(Key::MIN)?;
        Ok(frame.map(|Frame { stream, order, first, last, written_ms, .. }| OldestFrame {
            stream,
            order,
            first,
            last,
            written_ms,
        }))
    }

    /// Frames with all their records, newest first: to find the latest MQTT receipts again. Ends after an error.
    ///
    /// Sees what was durable when it was called.
    pub fn newest_first(&self) -> impl Iterator<Item = Result<Frame, QueueError>> {
        let scan = self.0.scan();
        let mut below = Some(Key::MAX);
        std::iter::from_fn(move || {
            let found = scan.previous(below?).transpose();
            below = found.as_ref().and_then(|found| found.as_ref().ok()).map(Frame::key);
            found
        })
    }

    /// Every stream that is remembered, oldest first, also those of which nothing is left here.
    #[must_use]
    pub fn known_streams(&self) -> Vec<KnownStream> {
        self.0.marks().list()
    }

    /// Remembers that a database has a stream up to `end`; a lower end than is known changes nothing.
    ///
    /// Durable when the marks are written next: after the next readings, at the latest when the writer is closed.
    ///
    /// # Errors
    /// [`QueueError::UnknownStream`].
    pub fn note_end(&self, stream: StreamId, end: u64) -> Result<(), QueueError> {
        let mut marks = self.0.marks();
        let known = marks.get(stream).ok_or(QueueError::UnknownStream { stream })?;
        marks.learn(stream, known.order, end);
        Ok(())
    }

    /// Forgets a stream of which the queue holds nothing any more; one that is not known is no error.
    ///
    /// Durable when the marks are written next.
    ///
    /// # Errors
    /// [`QueueError::StillQueued`] for the stream being written and for one with readings here; else as
    /// [`Reader::spans`].
    pub fn forget(&self, stream: StreamId) -> Result<(), QueueError> {
        let Some(known) = self.0.marks().get(stream) else {
            return Ok(());
        };
        let held = self.0.scan().next(Key::start_of(known.order))?;
        if stream == self.0.stream || held.is_some_and(|frame| frame.order == known.order) {
            return Err(QueueError::StillQueued { stream });
        }
        self.0.marks().forget(stream);
        Ok(())
    }

    /// How many damaged places were met since opening, each counted once (up to 4096): frames, or pages of the store that
    /// hold several.
    #[must_use]
    pub fn damaged_frames(&self) -> u64 {
        self.0.store.damaged_places()
    }
}

/// Records gathered up to a limit.
struct Batch {
    records: Vec<Numbered>,
    bytes: usize,
    max_records: usize,
    max_bytes: usize,
}

impl Batch {
    /// Takes the numbered records of a frame at or above a number; `false` when the batch is full.
    fn take(&mut self, frame: Frame, from: u64) -> bool {
        let numbered = frame.records.into_iter().filter(|record| record.kind.is_numbered());
        let written_ms = frame.written_ms;
        for (seq, record) in (frame.first..).zip(numbered).skip_while(|(seq, _)| *seq < from) {
            if !self.has_room(record.body.len()) {
                return false;
            }
            self.bytes += record.body.len();
            self.records.push(Numbered { seq, written_ms, record });
        }
        self.has_room(0)
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.records.is_empty()
            || (self.records.len() < self.max_records && self.bytes.saturating_add(bytes) <= self.max_bytes)
    }
}

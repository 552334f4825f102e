//! The reading end.

use std::sync::Arc;

use crate::frame::Frame;
use crate::generations::Generation;
use crate::index::FrameRef;
use crate::missing::{self, MissingSpan};
use crate::shared::Shared;
use crate::stat::{self, Stat, Verified};
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

impl OldestFrame {
    fn of(frame: &FrameRef) -> OldestFrame {
        let FrameRef { stream, order, first, written_ms, .. } = *frame;
        OldestFrame { stream, order, first, last: frame.last(), written_ms }
    }
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Reader {
        Reader(shared)
    }

    /// The stream that is being written, which has no end yet. Who compares ends with what is held asks for it first: all
    /// others are then complete. Of a queue that is only looked into, none is being written.
    #[must_use]
    pub fn current(&self) -> StreamId {
        self.0.current().0
    }

    /// What the queue holds, stream by stream, oldest first. What was trimmed does not count.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.0.generations().spans()
    }

    /// Numbered records of a stream, from the first one at or above `from` that exists, in order.
    ///
    /// A hole, such as a damaged frame, shows as a jump in `seq`. At most `max_records`, and at most `max_bytes` of
    /// bodies; but at least one record if any exists. Empty when the queue holds nothing of the stream from there on.
    ///
    /// # Errors
    /// [`QueueError::Io`] when there is no right to read a part of the queue, [`QueueError::NewerLayout`].
    pub fn read(
        &self,
        stream: StreamId,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<Numbered>, QueueError> {
        let mut batch = Batch { records: Vec::new(), bytes: 0, max_records, max_bytes };
        let mut next = from;
        while let Some((generation, found)) = self.0.find(stream, next)? {
            let frame = self.0.frame(generation, &found)?;
            if frame.is_some_and(|frame| !batch.take(frame, next)) {
                break;
            }
            let Some(after) = found.last().checked_add(1) else { break };
            next = after;
        }
        Ok(batch.records)
    }

    /// The oldest frame that can be read, or `None` when there is none.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn oldest(&self) -> Result<Option<OldestFrame>, QueueError> {
        // Reading a file may show that there is less in it than was thought, or that it cannot be read; the next one is
        // asked then.
        loop {
            let oldest = {
                let generations = self.0.generations();
                generations.oldest().map(|(number, held)| {
                    (number, held, generations.all.get(&number).map_or(0, |known| known.hidden.frames))
                })
            };
            let Some((number, held, hidden)) = oldest else { return Ok(None) };
            match self.0.with_index(number, |index| index.frames().get(hidden).copied()) {
                Ok(Some(frame)) => return Ok(Some(OldestFrame::of(&frame))),
                Err(QueueError::Io { .. }) => {}
                outcome => {
                    outcome?;
                    if self.0.generations().oldest() == Some((number, held)) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Frames of this queue's own with all their records, newest first over all its streams, also trimmed ones: to find the
    /// latest MQTT receipts again. Ends after an error.
    pub fn newest_first(&self) -> impl Iterator<Item = Result<Frame, QueueError>> {
        NewestFirst::new(self.0.clone())
    }

    /// Whether a part of the queue cannot be read for want of rights, and the system's words: nothing may then be
    /// called missing.
    #[must_use]
    pub fn unreadable(&self) -> Option<String> {
        self.0.generations().all.values().find_map(|generation| generation.unreadable.clone())
    }

    /// Why numbers of a stream, both included, are not in the queue.
    #[must_use]
    pub fn why_missing(&self, stream: StreamId, first: u64, last: u64) -> Vec<MissingSpan> {
        let dropped = self.0.marks().dropped(stream).to_vec();
        let unfinished = |number| self.is_unfinished(stream, number);
        missing::explain((first, last), &dropped, unfinished)
    }

    fn is_unfinished(&self, stream: StreamId, number: u64) -> bool {
        let Ok(Some((generation, _))) = self.0.find(stream, number) else { return false };
        let left_open = self.0.generations().all.get(&generation).is_some_and(|known| known.seal.left_open);
        left_open && self.0.with_index(generation, |index| index.is_in_last_group(stream, number)).unwrap_or(false)
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
        let is_held = self.spans().iter().any(|span| span.stream == stream);
        if stream == self.current() || is_held {
            return Err(QueueError::StillQueued { stream });
        }
        self.0.marks().forget(stream);
        Ok(())
    }

    /// The queue in figures.
    ///
    /// # Errors
    /// [`QueueError::Io`] when the disk cannot be asked.
    pub fn stat(&self) -> Result<Stat, QueueError> {
        stat::stat(&self.0)
    }

    /// Reads everything; `progress` hears of the bytes that are done, and of those in all.
    ///
    /// # Errors
    /// [`QueueError::NewerLayout`].
    pub fn verify(&self, progress: impl FnMut(u64, u64)) -> Result<Verified, QueueError> {
        stat::verify(&self.0, progress)
    }

    /// In how many places something was found missing or damaged since opening.
    #[must_use]
    pub fn damaged_places(&self) -> u64 {
        self.0.generations().damaged_places
    }
}

/// Goes through the generations from the newest on, and through the frames of each from its end on.
struct NewestFirst {
    shared: Arc<Shared>,
    generations: Vec<u64>,
    current: Option<(u64, Vec<FrameRef>)>,
}

impl NewestFirst {
    fn new(shared: Arc<Shared>) -> NewestFirst {
        let own = |generation: &Generation| !generation.seal.imported && generation.unreadable.is_none();
        let generations = {
            let known = shared.generations();
            known.all.iter().filter(|(_, generation)| own(generation)).map(|(number, _)| *number).collect()
        };
        NewestFirst { shared, generations, current: None }
    }

    fn step(&mut self) -> Result<Option<Frame>, QueueError> {
        loop {
            if let Some((number, frames)) = &mut self.current
                && let Some(found) = frames.pop()
            {
                if let Some(frame) = self.shared.frame(*number, &found)? {
                    return Ok(Some(frame));
                }
                continue;
            }
            let Some(number) = self.generations.pop() else { return Ok(None) };
            let frames = self.shared.with_index(number, |index| index.frames().to_vec())?;
            self.current = Some((number, frames));
        }
    }
}

impl Iterator for NewestFirst {
    type Item = Result<Frame, QueueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step().transpose();
        if matches!(found, Some(Err(_))) {
            self.generations.clear();
            self.current = None;
        }
        found
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

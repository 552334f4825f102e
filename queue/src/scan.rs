//! Finding frames in a store, oldest or newest first, past those that are damaged.

use crate::frame::{Frame, FrameError, LAYOUT};
use crate::key::Key;
use crate::skip::SkippingStore;
use crate::{QueueError, Span};

/// A view of the store up to and including a key.
pub(crate) struct Scan<'a> {
    pub(crate) store: &'a SkippingStore,
    pub(crate) through: Key,
}

impl Scan<'_> {
    /// The first readable frame at or above a key.
    pub(crate) fn next(&self, from: Key) -> Result<Option<Frame>, QueueError> {
        let mut from = from;
        while let Some((key, bytes)) = self.store.next(from)?.filter(|(key, _)| *key <= self.through) {
            match self.readable(key, &bytes)? {
                Some(frame) => return Ok(Some(frame)),
                None => from = key.after(),
            }
        }
        Ok(None)
    }

    /// The last readable frame below a key.
    pub(crate) fn previous(&self, below: Key) -> Result<Option<Frame>, QueueError> {
        let mut below = below.min(self.through.after());
        while let Some((key, bytes)) = self.store.previous(below)? {
            match self.readable(key, &bytes)? {
                Some(frame) => return Ok(Some(frame)),
                None => below = key,
            }
        }
        Ok(None)
    }

    /// Shows every readable frame as it is stored, oldest first, and meets every damaged place on the way.
    pub(crate) fn each(&self, mut see: impl FnMut(Key, &[u8]) -> Result<(), QueueError>) -> Result<(), QueueError> {
        let mut from = Key::MIN;
        while let Some((key, frame)) = self.store.next(from)?.filter(|(key, _)| *key <= self.through) {
            if self.readable(key, &frame)?.is_some() {
                see(key, &frame)?;
            }
            from = key.after();
        }
        Ok(())
    }

    /// The frame that holds a number of a stream, or the first one after it.
    pub(crate) fn at(&self, order: u64, seq: u64) -> Result<Option<Frame>, QueueError> {
        let holder = self.previous(Key { order, first: seq }.after())?;
        match holder.filter(|frame| frame.order == order && frame.last >= seq) {
            Some(frame) => Ok(Some(frame)),
            None => Ok(self.next(Key { order, first: seq })?.filter(|frame| frame.order == order)),
        }
    }

    /// What is held of each stream, oldest first, and about how many bytes that is.
    pub(crate) fn spans(&self) -> Result<Vec<(Span, u64)>, QueueError> {
        let mut spans = Vec::new();
        let mut from = Key::MIN;
        while let Some(first) = self.next(from)? {
            from = Key::start_of(first.order.saturating_add(1));
            if let Some(last) = self.previous(from)? {
                spans.push(span_between(&first, &last));
            }
        }
        Ok(spans)
    }

    fn readable(&self, key: Key, bytes: &[u8]) -> Result<Option<Frame>, QueueError> {
        match Frame::decode(key, bytes) {
            Ok(frame) => Ok(Some(frame)),
            Err(FrameError::Damaged(_)) => {
                self.store.note_damage(key);
                Ok(None)
            }
            Err(FrameError::NewerLayout(found)) => Err(newer_layout(key, found)),
        }
    }
}

/// The error for a frame that a newer version wrote.
pub(crate) fn newer_layout(key: Key, found: u8) -> QueueError {
    QueueError::NewerLayout { place: key.to_string(), found: found.into(), known: LAYOUT.into() }
}

/// The bytes are those of the two frames, spread over all numbers of the stream.
fn span_between(first: &Frame, last: &Frame) -> (Span, u64) {
    let span = Span { stream: first.stream, order: first.order, first: first.first, last: last.last };
    let count = |from: u64, to: u64| u128::from(to.saturating_sub(from)) + 1;
    let seen = count(first.first, first.last) + count(last.first, last.last);
    let bytes = (u128::from(first.bytes) + u128::from(last.bytes)) * count(span.first, span.last) / seen;
    (span, u64::try_from(bytes).unwrap_or(u64::MAX))
}

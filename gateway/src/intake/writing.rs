//! What the intake asks of the queue's writing end.

use queue::{Appended, Dropped, QueueError, StreamId, TakenIn, Unit, Writer};
use std::path::Path;

/// The queue's writing end; a test may put one in its place that refuses.
pub trait WritingEnd {
    /// As [`Writer::append`].
    ///
    /// # Errors
    /// As there.
    fn append(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError>;

    /// As [`Writer::append_from_reserve`].
    ///
    /// # Errors
    /// As there.
    fn append_from_reserve(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError>;

    /// As [`Writer::trim`].
    ///
    /// # Errors
    /// As there.
    fn trim(&mut self, stream: StreamId, through: u64) -> Result<u64, QueueError>;

    /// As [`Writer::drop_oldest`].
    ///
    /// # Errors
    /// As there.
    fn drop_oldest(&mut self) -> Result<Option<Dropped>, QueueError>;

    /// As [`Writer::take_in`].
    ///
    /// # Errors
    /// As there.
    fn take_in(&mut self, import: &Path) -> Result<TakenIn, QueueError>;

    /// As [`Writer::begin_stream`].
    ///
    /// # Errors
    /// As there.
    fn begin_stream(&mut self) -> Result<StreamId, QueueError>;

    /// As [`Writer::live_bytes`].
    fn live_bytes(&self) -> u64;

    /// As [`Writer::close`].
    ///
    /// # Errors
    /// As there.
    fn close(self) -> Result<(), QueueError>;
}

impl WritingEnd for Writer {
    fn append(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        Writer::append(self, units, written_ms)
    }

    fn append_from_reserve(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        Writer::append_from_reserve(self, units, written_ms)
    }

    fn trim(&mut self, stream: StreamId, through: u64) -> Result<u64, QueueError> {
        Writer::trim(self, stream, through)
    }

    fn drop_oldest(&mut self) -> Result<Option<Dropped>, QueueError> {
        Writer::drop_oldest(self)
    }

    fn take_in(&mut self, import: &Path) -> Result<TakenIn, QueueError> {
        Writer::take_in(self, import)
    }

    fn begin_stream(&mut self) -> Result<StreamId, QueueError> {
        Writer::begin_stream(self)
    }

    fn live_bytes(&self) -> u64 {
        Writer::live_bytes(self)
    }

    fn close(self) -> Result<(), QueueError> {
        Writer::close(self)
    }
}

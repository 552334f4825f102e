//! The batch after the one that is being written: read and decoded by another thread while the server works.
//!
//! Nothing of it is sent before the transaction before it has moved the cursor: it is used only where the cursor then is,
//! and it is gone with the connection.

use super::DrainError;
use super::backlog::{Backlog, Limits};
use super::plan::Batch;
use queue::{QueueError, StreamId};
use std::io;
use tokio::task::JoinHandle;

/// At most one batch, made ready for one connection.
#[derive(Default)]
pub struct Ahead(Option<Reading>);

struct Reading {
    stream: StreamId,
    cursor: u64,
    limits: Limits,
    outcome: JoinHandle<Result<Option<Batch>, QueueError>>,
}

impl Ahead {
    /// Begins to read what follows `batch`, if the queue has more of its stream.
    pub fn prepare(&mut self, backlog: &Backlog, batch: &Batch, limits: Limits) {
        let Batch { stream, last: cursor, .. } = *batch;
        let read = |lacking| Reading { stream, cursor, limits, outcome: backlog.read(lacking, limits) };
        self.0 = backlog.queued_after(batch).map(read);
    }

    /// The batch that follows `cursor` in `stream`, if that is what was made ready and it keeps to the limits.
    pub async fn take(&mut self, stream: StreamId, cursor: u64, limits: Limits) -> Result<Option<Batch>, DrainError> {
        let fits = |reading: &Reading| {
            (reading.stream, reading.cursor) == (stream, cursor) && reading.limits.are_within(limits)
        };
        let Some(reading) = self.0.take().filter(fits) else { return Ok(None) };
        Ok(reading.outcome.await.map_err(io::Error::other)??)
    }
}

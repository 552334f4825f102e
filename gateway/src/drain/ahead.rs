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
    /// Begins to read what follows `batch`, if the queue has more of its stream; says whether it has. What was made ready
    /// of another stream is kept until then.
    pub fn prepare(&mut self, backlog: &Backlog, batch: &Batch, limits: Limits) -> bool {
        let Batch { stream, last: cursor, .. } = *batch;
        self.0.take_if(|reading| reading.stream == stream);
        let Some(lacking) = backlog.queued_after(batch) else { return false };
        self.0 = Some(Reading { stream, cursor, limits, outcome: backlog.read(lacking, limits) });
        true
    }

    /// The batch that follows `cursor` in `stream`, if that is what was made ready and it keeps to the limits.
    pub async fn take(&mut self, stream: StreamId, cursor: u64, limits: Limits) -> Result<Option<Batch>, DrainError> {
        let fits = |reading: &Reading| reading.cursor == cursor && reading.limits.are_within(limits);
        let Some(reading) = self.0.take_if(|reading| reading.stream == stream).filter(fits) else { return Ok(None) };
        Ok(reading.outcome.await.map_err(io::Error::other)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{Kind, Record, Unit, Writer};

    const LIMITS: Limits = Limits { rows: 2, bytes: 1 << 20 };

    fn append(writer: &mut Writer, readings: usize) -> StreamId {
        let unit = Unit::new(vec![Record { kind: Kind::READING, body: vec![1] }]).unwrap();
        writer.append(&vec![unit; readings], 0).unwrap();
        writer.stream()
    }

    #[tokio::test]
    async fn what_is_ready_of_one_stream_stays_while_another_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut opened = queue::open(folder.path()).unwrap();
        let old = append(&mut opened.writer, 6);
        opened.writer.begin_stream().unwrap();
        let live = append(&mut opened.writer, 1);
        let (backlog, mut ahead) = (Backlog { reader: opened.reader }, Ahead::default());
        let through = |stream, last| Batch::of_missing(stream, 0, last, |_, _| Vec::new());
        assert!(ahead.prepare(&backlog, &through(old, 2), LIMITS), "four wait behind it");
        assert!(!ahead.prepare(&backlog, &through(live, 1), LIMITS), "nothing waits behind it");
        assert!(ahead.take(live, 1, LIMITS).await.unwrap().is_none());
        let next = ahead.take(old, 2, LIMITS).await.unwrap().unwrap();
        assert_eq!((next.stream, next.first, next.last), (old, 3, 4));
        assert!(ahead.prepare(&backlog, &next, LIMITS));
        assert!(ahead.take(old, 5, LIMITS).await.unwrap().is_none(), "the cursor is elsewhere");
        assert!(ahead.take(old, 4, LIMITS).await.unwrap().is_none(), "it is gone");
    }
}

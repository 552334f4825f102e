//! What the queue holds that a source lacks.

use super::DrainError;
use super::plan::{Batch, plan};
use super::source::Source;
use queue::{Numbered, QueueError, Reader, StreamId};
use std::collections::BTreeMap;
use std::io;

/// Rows a transaction.
const BATCH_ROWS: usize = 1000;
/// Bytes of records a transaction, far below the servers' default max_allowed_packet of 16 MiB. A lower limit of a server's
/// own is not asked for.
const BATCH_BYTES: usize = 1024 * 1024;
/// Streams remembered after they have left the queue, so that one missing from a restored database is noticed.
const STREAMS_REMEMBERED: usize = 4096;

/// The queue, as the drain sees it.
pub struct Backlog {
    /// The reading end.
    pub reader: Reader,
    /// The stream that is being written.
    pub current: StreamId,
}

impl Backlog {
    /// Every stream that is in the queue or remembered.
    pub fn streams(&self) -> Vec<StreamId> {
        self.reader.known_streams().iter().map(|known| known.stream).collect()
    }

    /// Remembers how far a source has each stream; more than the queue knows means that the disk has lost something.
    pub fn note_cursors(&self, source: &Source) -> Result<(), QueueError> {
        source.cursors().try_for_each(|(stream, cursor)| self.reader.note_end(stream, cursor))
    }

    /// The next batch for a source, oldest stream first; none when it has everything.
    pub async fn next_batch(&self, source: &Source) -> Result<Option<Batch>, DrainError> {
        let spans = self.reader.spans();
        for known in self.reader.known_streams() {
            let stream = known.stream;
            let Some(cursor) = source.cursor(stream) else { continue };
            let queued = spans.iter().find(|span| span.stream == stream).map_or(0, |span| span.last);
            // The stream that is being written has no end yet to be missing.
            let end = if stream == self.current { queued } else { known.end.max(queued) };
            if cursor < end
                && let Some(batch) = self.batch(Lacking { stream, cursor, queued, end }).await?
            {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// In a thread that may wait for the disk.
    async fn batch(&self, lacking: Lacking) -> Result<Option<Batch>, DrainError> {
        let (reader, current) = (self.reader.clone(), self.current);
        let batch = tokio::task::spawn_blocking(move || lacking.batch(&reader, current));
        Ok(batch.await.map_err(io::Error::other)??)
    }

    /// Keeps the list of remembered streams within its bound; only streams that every server has go. Returns them.
    pub fn forget_surplus(&self, leave: &BTreeMap<StreamId, u64>) -> Vec<StreamId> {
        let known = self.reader.known_streams();
        let surplus = known.len().saturating_sub(STREAMS_REMEMBERED);
        let everywhere = |stream, end| leave.get(&stream).is_some_and(|through| *through >= end);
        let old = known.iter().take(surplus).filter(|known| everywhere(known.stream, known.end));
        old.map(|known| known.stream).filter(|stream| self.reader.forget(*stream).is_ok()).collect()
    }
}

/// The records that follow a number without a gap between them.
fn without_holes(items: Vec<Numbered>, cursor: u64) -> Vec<Numbered> {
    let follow = (cursor.saturating_add(1)..).zip(items).take_while(|(expected, item)| *expected == item.seq);
    follow.map(|(_, item)| item).collect()
}

/// What a source lacks of a stream.
struct Lacking {
    stream: StreamId,
    /// How far it has it.
    cursor: u64,
    /// The last number in the queue; 0 when there is none.
    queued: u64,
    /// The last number that there ever was.
    end: u64,
}

impl Lacking {
    fn batch(&self, reader: &Reader, current: StreamId) -> Result<Option<Batch>, QueueError> {
        let Self { stream, cursor, queued, end } = *self;
        let why = |first, last| reader.why_missing(stream, first, last);
        if cursor < queued {
            let items = match reader.read(stream, cursor.saturating_add(1), BATCH_ROWS, BATCH_BYTES) {
                // The reader remembers it: from now on the stream is in doubt.
                Err(QueueError::Io { .. }) => Vec::new(),
                read => read?,
            };
            let items = if is_in_doubt(reader) { without_holes(items, cursor) } else { items };
            if !items.is_empty() {
                return Ok(Some(plan(stream, cursor, items, why)));
            }
        }
        // Nothing of it can be read any more.
        let is_gone = stream != current && !is_in_doubt(reader);
        Ok(is_gone.then(|| Batch::of_missing(stream, cursor, end, why)))
    }
}

/// What cannot be read for want of rights is not missing: its stream waits, and the others go on.
fn is_in_doubt(reader: &Reader) -> bool {
    reader.unreadable().is_some()
}

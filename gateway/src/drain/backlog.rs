//! What the queue holds that a source lacks.

use super::DrainError;
use super::ahead::Ahead;
use super::plan::{Batch, plan};
use super::source::Source;
use queue::{KnownStream, Numbered, QueueError, Reader, Span, StreamId};
use std::collections::BTreeMap;
use std::io;
use tokio::task::JoinHandle;

/// Rows a transaction: as many as LOAD DATA has that the drain is compared with. A quick server takes 20 ms for them, in which
/// the round trips of a transaction count for little.
const BATCH_ROWS: usize = 5000;
/// Bytes of records a transaction.
const BATCH_BYTES: usize = 1024 * 1024;
/// Streams remembered after they have left the queue, so that one missing from a restored database is noticed.
const STREAMS_REMEMBERED: usize = 4096;

/// What one transaction may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows, at least 1.
    pub rows: usize,
    /// Bytes of records, if it is more than one.
    pub bytes: usize,
}

impl Limits {
    /// What a transaction holds at most. A server that takes less at once gets it in several statements.
    pub const MOST: Self = Self { rows: BATCH_ROWS, bytes: BATCH_BYTES };

    /// Whether what keeps to these keeps to the others too.
    pub fn are_within(self, others: Self) -> bool {
        self.rows <= others.rows && self.bytes <= others.bytes
    }
}

/// The queue, as the drain sees it.
pub struct Backlog {
    /// The reading end.
    pub reader: Reader,
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

    /// How many numbers of a stream are queued and not in this source.
    pub fn waiting(&self, source: &Source, stream: StreamId) -> u64 {
        let span = self.reader.spans().into_iter().find(|span| span.stream == stream);
        let waiting = |(cursor, span): (u64, Span)| span.last.saturating_sub(cursor.max(span.first.saturating_sub(1)));
        source.cursor(stream).zip(span).map_or(0, waiting)
    }

    /// The next batch for a source, of one stream `first` and then of the oldest; none when it has everything. What was read
    /// `ahead` is taken where it fits.
    pub async fn next_batch(
        &self,
        source: &Source,
        first: Option<StreamId>,
        limits: Limits,
        ahead: &mut Ahead,
    ) -> Result<Option<Batch>, DrainError> {
        // In this order, so that no number that is being queued at this moment is taken for one that is gone.
        let (current, known, spans) = (self.reader.current(), self.reader.known_streams(), self.reader.spans());
        for known in in_turn(known, first) {
            let Some(cursor) = source.cursor(known.stream) else { continue };
            let Some(lacking) = Lacking::of(known, cursor, &spans, current) else { continue };
            if let Some(batch) = ahead.take(known.stream, cursor, limits).await? {
                return Ok(Some(batch));
            }
            if let Some(batch) = self.read(lacking, limits).await.map_err(io::Error::other)?? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// What the queue will still hold of the stream when a source has a batch.
    pub(super) fn queued_after(&self, batch: &Batch) -> Option<Lacking> {
        let Batch { stream, last: cursor, .. } = *batch;
        let is_current = stream == self.reader.current();
        let queued = self.reader.spans().into_iter().find(|span| span.stream == stream)?.last;
        (cursor < queued).then_some(Lacking { stream, is_current, cursor, queued, end: queued })
    }

    /// In a thread that may wait for the disk.
    pub(super) fn read(&self, lacking: Lacking, limits: Limits) -> JoinHandle<Result<Option<Batch>, QueueError>> {
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || lacking.batch(&reader, limits))
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

/// One of them first, the others as they are.
fn in_turn(mut known: Vec<KnownStream>, first: Option<StreamId>) -> Vec<KnownStream> {
    known.sort_by_key(|known| first != Some(known.stream));
    known
}

/// What a source lacks of a stream.
pub(super) struct Lacking {
    stream: StreamId,
    /// It is being written.
    is_current: bool,
    /// How far it has it.
    cursor: u64,
    /// The last number in the queue; 0 when there is none.
    queued: u64,
    /// The last number that there ever was.
    end: u64,
}

impl Lacking {
    /// What a source with this cursor lacks of a stream.
    fn of(known: KnownStream, cursor: u64, spans: &[Span], current: StreamId) -> Option<Self> {
        let (stream, is_current) = (known.stream, known.stream == current);
        let queued = spans.iter().find(|span| span.stream == stream).map_or(0, |span| span.last);
        // The stream that is being written has no end yet to be missing.
        let end = if is_current { queued } else { known.end.max(queued) };
        (cursor < end).then_some(Self { stream, is_current, cursor, queued, end })
    }

    fn batch(&self, reader: &Reader, limits: Limits) -> Result<Option<Batch>, QueueError> {
        let Self { stream, is_current, cursor, queued, end } = *self;
        let why = |first, last| reader.why_missing(stream, first, last);
        if cursor < queued {
            let items = match reader.read(stream, cursor.saturating_add(1), limits.rows, limits.bytes) {
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
        let is_gone = !is_current && !is_in_doubt(reader);
        Ok(is_gone.then(|| Batch::of_missing(stream, cursor, end, why)))
    }
}

/// What cannot be read for want of rights is not missing: its stream waits, and the others go on.
fn is_in_doubt(reader: &Reader) -> bool {
    reader.unreadable().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(stream: u64, end: u64) -> KnownStream {
        KnownStream { stream: StreamId::from_u64(stream).unwrap(), order: stream, end }
    }

    #[test]
    fn one_stream_goes_first_and_the_others_stay_in_their_order() {
        let all = [known(1, 0), known(2, 0), known(3, 0)];
        let turn = |first: Option<u64>| {
            let first = first.and_then(StreamId::from_u64);
            in_turn(all.to_vec(), first).iter().map(|known| known.order).collect::<Vec<_>>()
        };
        assert_eq!(turn(None), [1, 2, 3]);
        assert_eq!(turn(Some(3)), [3, 1, 2]);
        assert_eq!(turn(Some(9)), [1, 2, 3]);
    }

    #[test]
    fn only_a_stream_that_is_complete_can_lack_its_end() {
        let span = Span { stream: known(1, 0).stream, order: 1, first: 1, last: 40 };
        let end = |current| Lacking::of(known(1, 50), 40, &[span], known(current, 0).stream).map(|lacking| lacking.end);
        assert_eq!(end(1), None, "ten numbers are on their way");
        assert_eq!(end(2), Some(50));
    }
}

//! Fills holes: numbers at or below the cursor of the source that are in no table and that the queue still has.
//!
//! A hole comes with a dump that was not of one moment, or with a replica that left out tables. The drain never looks below
//! the cursor, so this does, by wish: in transactions that lock the cursor's row first, and so never beside the drain or
//! another replay; never moving the cursor; and never twice, as what is accounted for is read under that lock.

use super::numbers::{count, holes};
use super::rows::{accounted, cursor, holes_up_to};
use super::{Open, ReconcileError, STATEMENT_DEADLINE, open, streams};
use crate::database::{Account, Cell, DbError, Deadlines, Session};
use crate::drain::plan::{Batch, plan};
use crate::drain::routes::Routes;
use crate::drain::write::Tables;
use crate::event::Event;
use crate::local::QueueAccess;
use crate::memory::look_and_choose;
use crate::topology::View;
use crate::topology::probe::{identity, read_only};
use config::Config;
use queue::{MissingSpan, StreamId, Why};
use serde::Serialize;

type Span = (u64, u64);

/// What to fill.
#[derive(Debug, Clone, Copy)]
pub struct ReplayWish {
    /// Of this stream; none for every stream of this gateway.
    pub stream: Option<StreamId>,
    /// No number below this.
    pub first: u64,
    /// No number above this.
    pub last: u64,
    /// Write a gap for what the queue does not have any more.
    pub gaps: bool,
    /// Write nothing.
    pub dry_run: bool,
    /// The gateway's clock, for the event that tells of it.
    pub now_us: i64,
}

/// One hole, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// The stream, as 16 hex digits.
    pub stream: String,
    /// First number of the hole.
    pub first_seq: u64,
    /// Last number of the hole.
    pub last_seq: u64,
    /// Numbers written as rows.
    pub written: u64,
    /// Numbers that a gap names now.
    pub as_gaps: u64,
    /// Numbers that the queue does not have any more and no gap names.
    pub not_in_queue: u64,
    /// Numbers left out because a replica has them: the same rows from the source would stop its replication.
    pub on_replica: u64,
}

/// What came of it all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The source.
    pub server: String,
    /// Nothing was written; the figures say what would be.
    pub dry_run: bool,
    /// Servers that did not answer, so that nobody knows what they have.
    pub not_asked: Vec<String>,
    /// Each hole.
    pub holes: Vec<Filled>,
}

impl Replayed {
    /// The sum of a figure over all holes.
    pub fn sum(&self, figure: impl Fn(&Filled) -> u64) -> u64 {
        self.holes.iter().map(figure).sum()
    }

    /// No number is left in a hole.
    pub fn is_whole(&self) -> bool {
        self.sum(|hole| hole.not_in_queue + hole.on_replica) == 0
    }
}

struct Replay<'a> {
    queue: &'a QueueAccess,
    wish: ReplayWish,
    tables: Tables,
    replicas: Vec<Open>,
}

/// Fills the holes of the source.
///
/// # Errors
/// [`ReconcileError`]. What was written until then stays, and is left alone when it is run again.
pub async fn replay(
    config: &Config,
    account: &Account,
    queue: &QueueAccess,
    wish: ReplayWish,
) -> Result<Replayed, ReconcileError> {
    let (views, choice) = look_and_choose(config, account).await;
    let index = choice.source.ok_or(ReconcileError::NoSource(choice.why))?;
    // What routes lead to is not mended afterwards: nobody knows what the user's tables have of it.
    let source = source(config, account, index, &views).await?;
    let tables = Tables::open(source, config.gateway.site.as_str(), Routes::default()).await?;
    let mut replayed = Replayed { dry_run: wish.dry_run, ..Replayed::default() };
    let mut replicas = Vec::new();
    for (other, view) in views.iter().enumerate().filter(|(other, _)| *other != index) {
        // One that follows nobody gets nothing of what is written here.
        if view.facts().is_some_and(|facts| facts.replication.is_empty()) {
            continue;
        }
        match open(config, account, other).await {
            Ok(replica) => replicas.push(replica),
            Err(_) => replayed.not_asked.push(view.name.clone()),
        }
    }
    let mut replay = Replay { queue, wish, tables, replicas };
    replayed.server = replay.tables.session().server().to_owned();
    for stream in replay.streams(config).await? {
        for hole in replay.holes(stream).await? {
            replayed.holes.push(replay.fill(stream, hole).await?);
        }
    }
    let written = replayed.sum(|hole| hole.written);
    if written > 0 && !wish.dry_run {
        replay.tell(config, written).await?;
    }
    replay.tables.close().await;
    Ok(replayed)
}

/// A connection to the source that was chosen: the address may have moved since.
async fn source(config: &Config, account: &Account, index: usize, views: &[View]) -> Result<Session, DbError> {
    let Some(server) = config.mysql.servers.get(index) else { return Err(DbError::closed("mysql.servers")) };
    let deadlines = Deadlines { connect: config.mysql.connect_timeout, query: STATEMENT_DEADLINE };
    let mut session = Session::open(server, account, deadlines).await?;
    let chosen = views.get(index).and_then(View::facts).map(|facts| facts.identity.as_str());
    let (found, _, _) = identity(&mut session).await?;
    if chosen != Some(found.as_str()) || read_only(&mut session).await? {
        let words = "it is not the server that takes writes any more; run this again".to_owned();
        return Err(DbError::not_source(&server.to_string(), words));
    }
    Ok(session)
}

impl Replay<'_> {
    async fn streams(&mut self, config: &Config) -> Result<Vec<StreamId>, ReconcileError> {
        if let Some(stream) = self.wish.stream {
            return Ok(vec![stream]);
        }
        let queued = self.queue.streams()?;
        let all = streams::all(self.tables.session(), config.gateway.id.as_str(), queued).await?;
        Ok(all.into_iter().map(|stream| stream.id).collect())
    }

    /// The holes that are wished to be filled.
    async fn holes(&mut self, stream: StreamId) -> Result<Vec<Span>, DbError> {
        let session = self.tables.session();
        let last = cursor(session, stream.as_u64()).await?.min(self.wish.last);
        let found = holes_up_to(session, stream.as_u64(), last).await?;
        let wished = found.into_iter().map(|(from, to)| (from.max(self.wish.first), to));
        Ok(wished.filter(|(from, to)| from <= to).collect())
    }

    /// Fills one hole, as much at a time as the queue gives in one answer: as much as the drain writes at a time.
    async fn fill(&mut self, stream: StreamId, (first, last): Span) -> Result<Filled, ReconcileError> {
        let (stream_name, mut next) = (stream.to_string(), first);
        let mut filled = Filled { stream: stream_name, first_seq: first, last_seq: last, ..Filled::default() };
        while next <= last {
            let mut items = self.queue.read(stream, next)?;
            let through = items.last().map_or(last, |item| item.seq.min(last));
            items.retain(|item| item.seq <= through);
            let batch = plan(stream, next - 1, items, |_, _| Vec::new());
            self.write(batch, (next, through), &mut filled).await?;
            next = through + 1;
        }
        Ok(filled)
    }

    /// Writes what is still a hole in `first..=last` when the cursor's row is locked, in one transaction.
    async fn write(&mut self, mut batch: Batch, span: Span, filled: &mut Filled) -> Result<(), DbError> {
        let (stream, elsewhere) = (batch.stream, self.on_replicas(batch.stream, span).await?);
        self.tables.session().run("START TRANSACTION").await?;
        self.lock_cursor(stream, span.1).await?;
        let (singles, ranges) = accounted(self.tables.session(), stream.as_u64(), span.0, span.1).await?;
        let open = holes(span.0, span.1, &singles, &ranges);
        let free = without(&open, &elsewhere);
        keep_only(&mut batch, &free);
        let missing = without(&free, &numbers_of(&batch));
        if self.wish.gaps {
            missing.iter().for_each(|(first, last)| batch.gaps.extend(gaps_of(stream, *first, *last)));
        }
        filled.on_replica += count(&open) - count(&free);
        filled.written += count(&free) - count(&missing);
        *(if self.wish.gaps { &mut filled.as_gaps } else { &mut filled.not_in_queue }) += count(&missing);
        if self.wish.dry_run || batch.rows() == 0 {
            return self.tables.session().run("ROLLBACK").await;
        }
        self.tables.write_rows(&batch).await?;
        self.tables.session().run("COMMIT").await
    }

    async fn lock_cursor(&mut self, stream: StreamId, last: u64) -> Result<(), DbError> {
        let session = self.tables.session();
        let sql = "SELECT last_seq FROM streams WHERE stream = ? FOR UPDATE";
        let rows = session.ask_with(sql, vec![Cell::UInt(stream.as_u64())]).await?;
        let cursor = rows.first().and_then(|row| row.first()).and_then(Cell::as_u64).unwrap_or(0);
        if cursor >= last {
            return Ok(());
        }
        session.run("ROLLBACK").await?;
        let words = format!("the cursor of stream {stream} has gone back to {cursor} meanwhile; run this again");
        Err(DbError::cursor_moved(session.server(), words))
    }

    /// The numbers that some replica has.
    async fn on_replicas(&mut self, stream: StreamId, (first, last): Span) -> Result<Vec<Span>, DbError> {
        let mut found = Vec::new();
        for replica in &mut self.replicas {
            let (singles, ranges) = accounted(&mut replica.session, stream.as_u64(), first, last).await?;
            found.extend(singles.into_iter().map(|seq| (seq, seq)).chain(ranges));
        }
        Ok(found)
    }

    /// A row of `events`.
    async fn tell(&mut self, config: &Config, written: u64) -> Result<(), DbError> {
        let text = format!("written into holes by db replay: {written}");
        let (site, gateway) = (config.gateway.site.as_str(), config.gateway.id.as_str());
        let event = Event { at_us: self.wish.now_us, site, gateway, kind: "replay", text: &text, count: Some(written) };
        event.write(self.tables.session()).await
    }
}

/// What of `spans` is in none of `taken`.
fn without(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    spans.iter().flat_map(|(first, last)| holes(*first, *last, &[], taken)).collect()
}

/// Drops the rows whose numbers are not in `spans`.
fn keep_only(batch: &mut Batch, spans: &[Span]) {
    let is_free = |seq: u64| spans.iter().any(|(first, last)| (*first..=*last).contains(&seq));
    batch.readings.retain(|(seq, _)| is_free(*seq));
    batch.gaps.retain(|row| is_free(row.seq));
    batch.dead_letters.retain(|row| is_free(row.seq));
}

fn numbers_of(batch: &Batch) -> Vec<Span> {
    let readings = batch.readings.iter().map(|(seq, _)| (*seq, *seq));
    let gaps = batch.gaps.iter().map(|row| (row.seq, row.last_seq));
    readings.chain(gaps).chain(batch.dead_letters.iter().map(|row| (row.seq, row.seq))).collect()
}

/// The row that names numbers which are nowhere any more, as the drain would have written it.
fn gaps_of(stream: StreamId, first: u64, last: u64) -> Vec<crate::drain::plan::GapRow> {
    Batch::of_missing(stream, first - 1, last, |first, last| vec![MissingSpan { first, last, why: Why::Gone }]).gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{Kind, Numbered, Record};

    #[test]
    fn only_what_is_still_a_hole_and_on_no_replica_is_written() {
        let stream = StreamId::from_u64(7).unwrap();
        let item = |seq| Numbered { seq, written_ms: 0, record: Record { kind: Kind(77), body: vec![1] } };
        let mut batch = plan(stream, 10, [11, 12, 13, 15, 16].map(item).into(), |_, _| Vec::new());
        assert!(batch.gaps.is_empty(), "14 is not in the queue, and nobody wished for a gap");
        let open = holes(11, 18, &[12], &[]);
        let free = without(&open, &[(16, 16)]);
        keep_only(&mut batch, &free);
        assert_eq!(numbers_of(&batch), [(11, 11), (13, 13), (15, 15)]);
        let missing = without(&free, &numbers_of(&batch));
        assert_eq!(missing, [(14, 14), (17, 18)]);
        assert_eq!((count(&open) - count(&free), count(&missing)), (1, 3));
        let gaps = gaps_of(stream, 17, 18);
        assert_eq!((gaps.len(), gaps[0].seq, gaps[0].last_seq, gaps[0].gap.count), (1, 17, 18, Some(2)));
    }
}

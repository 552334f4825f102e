//! Holes by (stream, number), over the source and the queue.

use super::hole::Hole;
use super::numbers::{count, holes};
use super::rows::{cursor, holes_up_to, number};
use super::stream::{Stream, finding};
use super::{Finding, Open, ReconcileError, Report, Wrong, values};
use crate::database::{Cell, DbError};
use crate::local::{QueueAccess, QueuedStream};
use queue::StreamId;
use std::collections::BTreeMap;

/// Every stream that this gateway has in the source, in the queue, or remembers.
pub async fn all(
    source: &mut crate::database::Session,
    gateway: &str,
    queued: Vec<QueuedStream>,
) -> Result<Vec<Stream>, DbError> {
    let mut streams: BTreeMap<u64, Stream> = queued
        .into_iter()
        .map(|known| (known.stream.as_u64(), Stream { id: known.stream, end: known.end, queued: known.queued }))
        .collect();
    let rows = source.ask_with("SELECT stream FROM streams WHERE gateway = ?", vec![Cell::text(gateway)]).await?;
    for id in rows.iter().filter_map(|row| StreamId::from_u64(row.first()?.as_u64()?)) {
        streams.entry(id.as_u64()).or_insert(Stream { id, end: 0, queued: None });
    }
    Ok(streams.into_values().collect())
}

/// Audits one stream in the source and the queue. Returns the holes below the cursor.
pub async fn audit(
    report: &mut Report,
    source: &mut Open,
    queue: &QueueAccess,
    stream: &Stream,
) -> Result<Vec<Hole>, ReconcileError> {
    let id = stream.id.as_u64();
    let cursor = cursor(&mut source.session, id).await?;
    count_rows(report, source, id).await?;
    let mut found = Vec::new();
    for (first, last) in holes_up_to(&mut source.session, id, cursor).await? {
        found.push(Hole::of(stream, first, last, queue)?);
    }
    beyond(report, source, stream, cursor).await?;
    let waiting = waiting(report, queue, stream, cursor)?;
    report.waiting += waiting;
    values::compare(report, source, queue, stream, cursor).await?;
    Ok(found)
}

async fn count_rows(report: &mut Report, source: &mut Open, id: u64) -> Result<(), DbError> {
    let stream = || vec![Cell::UInt(id)];
    let session = &mut source.session;
    report.readings += number(session, "SELECT COUNT(*) FROM readings WHERE stream = ?", stream()).await?;
    // One that was retried is a reading now.
    let letters = "SELECT COUNT(*) FROM dead_letters WHERE stream = ? AND state <> 'retried' AND route = ''";
    report.dead_letters += number(session, letters, stream()).await?;
    report.gaps += number(session, "SELECT COUNT(*) FROM gaps WHERE stream = ?", stream()).await?;
    Ok(())
}

/// Rows that the cursor does not know would be written a second time.
async fn beyond(report: &mut Report, source: &mut Open, stream: &Stream, cursor: u64) -> Result<(), DbError> {
    let sql = "SELECT COUNT(*), MIN(seq), MAX(seq) FROM readings WHERE stream = ? AND seq > ?";
    let rows = source.session.ask_with(sql, vec![Cell::UInt(stream.id.as_u64()), Cell::UInt(cursor)]).await?;
    if let Some([rows, first, last]) = rows.first().map(Vec::as_slice)
        && let (Some(rows), Some(first), Some(last)) = (rows.as_u64(), first.as_u64(), last.as_u64())
    {
        let found = finding(Wrong::Changed, source, stream, first, last, "rows stand beyond the cursor");
        report.add(Finding { count: rows, ..found });
    }
    Ok(())
}

/// Every number beyond the cursor must be in the queue. Returns how many are.
fn waiting(report: &mut Report, queue: &QueueAccess, stream: &Stream, cursor: u64) -> Result<u64, ReconcileError> {
    let end = stream.end.max(stream.queued.map_or(0, |(_, last)| last));
    let (mut next, mut found) = (cursor + 1, Vec::new());
    while stream.queued.is_some() && next <= end {
        let items = queue.read(stream.id, next)?;
        let Some(last) = items.last().map(|item| item.seq) else { break };
        found.extend(items.iter().map(|item| item.seq).filter(|seq| *seq <= end));
        next = last + 1;
    }
    let missing = holes(cursor + 1, end, &found, &[]);
    for (first, last) in &missing {
        let text =
            "numbers beyond the cursor are not in the queue either; the gateway writes a gap for them when it drains";
        report.add(Finding {
            wrong: Wrong::Lost,
            place: "queue".to_owned(),
            stream: stream.id.to_string(),
            first_seq: *first,
            last_seq: *last,
            count: count(&[(*first, *last)]),
            text: text.to_owned(),
        });
    }
    Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
}

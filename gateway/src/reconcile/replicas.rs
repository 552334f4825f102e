//! The source's rows compared with a replica's: holes by number, values by checksum.

use super::hole::Hole;
use super::numbers::holes;
use super::rows::{accounted, chunks, cursor, filters, number};
use super::stream::{Stream, finding};
use super::{Open, Report, Wrong};
use crate::database::{Cell, DbError, Row};

/// One row as text; NULL and the empty text differ.
const ROW_TEXT: &str = "CONCAT_WS('|', r.seq, c.site, c.node, c.channel, r.sampled_at, r.time_quality, IFNULL(r.time_error_us, '-'), \
    IFNULL(r.gateway_time, '-'), IFNULL(r.value, '-'), IFNULL(r.value_int, '-'), IFNULL(CONCAT('+', r.value_text), '-'), IFNULL(r.raw, '-'), \
    IFNULL(r.no_data, '-'), IFNULL(r.node_seq, '-'), IFNULL(r.node_time, '-'))";

/// Compares every stream up to the replica's own cursor; returns how many readings the replica has. What of the source's
/// holes it has is noted there.
pub async fn compare(
    report: &mut Report,
    source: &mut Open,
    replica: &mut Open,
    streams: &[Stream],
    holes: &mut [Hole],
) -> Result<u64, DbError> {
    let mut readings = 0;
    let filters = filters(&mut replica.session).await?;
    for stream in streams {
        let id = stream.id.as_u64();
        let count = "SELECT COUNT(*) FROM readings WHERE stream = ?";
        readings += number(&mut replica.session, count, vec![Cell::UInt(id)]).await?;
        let shared = cursor(&mut replica.session, id).await?.min(cursor(&mut source.session, id).await?);
        let mut of_stream: Vec<&mut Hole> = holes.iter_mut().filter(|hole| hole.stream.id == stream.id).collect();
        for (first, last) in chunks(shared) {
            missing(report, replica, stream, (first, last), &mut of_stream, &filters).await?;
            values(report, source, replica, stream, (first, last), &of_stream).await?;
        }
    }
    Ok(readings)
}

/// Numbers that the replica lacks. Those that the source lacks too are told there, once.
async fn missing(
    report: &mut Report,
    replica: &mut Open,
    stream: &Stream,
    (first, last): (u64, u64),
    of_source: &mut [&mut Hole],
    filters: &[String],
) -> Result<(), DbError> {
    let (singles, ranges) = accounted(&mut replica.session, stream.id.as_u64(), first, last).await?;
    let lacking = holes(first, last, &singles, &ranges);
    for hole in of_source.iter_mut() {
        hole.note_replica(&replica.name, (first, last), &lacking);
    }
    let told: Vec<(u64, u64)> = of_source.iter().map(|hole| (hole.first, hole.last)).collect();
    for (from, to) in lacking.iter().flat_map(|(from, to)| holes(*from, *to, &[], &told)) {
        report.add(finding(Wrong::Lost, replica, stream, from, to, &lacking_words(filters)));
    }
    Ok(())
}

/// What a replica that let the cursor through without its rows is told of.
fn lacking_words(filters: &[String]) -> String {
    let below = "numbers below this replica's cursor are in no table of it, and the source has them";
    if filters.is_empty() {
        return format!("{below}: do not promote it, build it anew from the source");
    }
    format!(
        "{below}: it leaves out tables ({}): do not promote it, remove the filter and build it anew from the source",
        filters.join(", ")
    )
}

async fn values(
    report: &mut Report,
    source: &mut Open,
    replica: &mut Open,
    stream: &Stream,
    (first, last): (u64, u64),
    of_source: &[&mut Hole],
) -> Result<(), DbError> {
    if checksum(source, stream, first, last).await? == checksum(replica, stream, first, last).await? {
        return Ok(());
    }
    let (here, there) = (texts(source, stream, first, last).await?, texts(replica, stream, first, last).await?);
    let is_told = |seq: u64| of_source.iter().any(|hole| (hole.first..=hole.last).contains(&seq));
    for (seq, text) in differing(&here, &there).into_iter().filter(|(seq, _)| !is_told(*seq)) {
        report.add(finding(Wrong::Changed, replica, stream, seq, seq, &text));
    }
    Ok(())
}

fn span_of(stream: &Stream, first: u64, last: u64) -> Vec<Cell> {
    vec![Cell::UInt(stream.id.as_u64()), Cell::UInt(first), Cell::UInt(last)]
}

async fn checksum(server: &mut Open, stream: &Stream, first: u64, last: u64) -> Result<Vec<Row>, DbError> {
    let sql = format!(
        "SELECT COUNT(*), BIT_XOR(CRC32({ROW_TEXT})), SUM(CRC32({ROW_TEXT})) FROM readings r LEFT JOIN channels c USING (channel_id) \
         WHERE r.stream = ? AND r.seq BETWEEN ? AND ?"
    );
    server.session.ask_with(&sql, span_of(stream, first, last)).await
}

async fn texts(server: &mut Open, stream: &Stream, first: u64, last: u64) -> Result<Vec<(u64, String)>, DbError> {
    let sql = format!(
        "SELECT r.seq, {ROW_TEXT} FROM readings r LEFT JOIN channels c USING (channel_id) \
         WHERE r.stream = ? AND r.seq BETWEEN ? AND ? ORDER BY r.seq"
    );
    let rows = server.session.ask_with(&sql, span_of(stream, first, last)).await?;
    Ok(rows.iter().filter_map(|row| Some((row.first()?.as_u64()?, row.get(1)?.as_text()?))).collect())
}

/// Numbers that both have and that differ, and numbers of which only the replica has a reading. What only the source
/// has is a hole of the replica, and found as such.
fn differing(source: &[(u64, String)], replica: &[(u64, String)]) -> Vec<(u64, String)> {
    let here: std::collections::BTreeMap<u64, &String> = source.iter().map(|(seq, text)| (*seq, text)).collect();
    let unlike = replica.iter().filter_map(|(seq, there)| match here.get(seq) {
        Some(here) if *here == there => None,
        Some(here) => Some((*seq, format!("the source says {here}, this replica {there}"))),
        None => Some((*seq, format!("only this replica has {there}"))),
    });
    unlike.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_rows_are_named() {
        let row = |seq, text: &str| (seq, text.to_owned());
        let found = differing(&[row(1, "a"), row(2, "b"), row(4, "d")], &[row(1, "a"), row(2, "x"), row(3, "c")]);
        let numbers: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers, [2, 3]);
    }
}

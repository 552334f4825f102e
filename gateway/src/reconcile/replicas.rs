//! The source's rows compared with a replica's: holes by number, values by checksum.

use super::numbers::holes;
use super::rows::{accounted, chunks, cursor, number};
use super::stream::{Stream, finding};
use super::{Finding, Open, Report, Wrong};
use crate::database::{Cell, DbError, Row};

/// One row as text; NULL and the empty text differ.
const ROW_TEXT: &str = "CONCAT_WS('|', r.seq, c.site, c.node, c.channel, r.sampled_at, r.time_quality, IFNULL(r.time_error_us, '-'), \
    IFNULL(r.gateway_time, '-'), IFNULL(r.value, '-'), IFNULL(r.value_int, '-'), IFNULL(CONCAT('+', r.value_text), '-'), IFNULL(r.raw, '-'), \
    IFNULL(r.no_data, '-'), IFNULL(r.node_seq, '-'), IFNULL(r.node_time, '-'))";

/// Compares every stream up to the replica's own cursor; returns how many readings the replica has.
pub async fn compare(
    report: &mut Report,
    source: &mut Open,
    replica: &mut Open,
    streams: &[Stream],
) -> Result<u64, DbError> {
    let mut readings = 0;
    for stream in streams {
        let id = stream.id.as_u64();
        readings += number(replica, "SELECT COUNT(*) FROM readings WHERE stream = ?", vec![Cell::UInt(id)]).await?;
        let shared = cursor(replica, id).await?.min(cursor(source, id).await?);
        for (first, last) in chunks(shared) {
            span(report, source, replica, stream, first, last).await?;
        }
    }
    Ok(readings)
}

async fn span(
    report: &mut Report,
    source: &mut Open,
    replica: &mut Open,
    stream: &Stream,
    first: u64,
    last: u64,
) -> Result<(), DbError> {
    let (singles, ranges) = accounted(replica, stream.id.as_u64(), first, last).await?;
    for (from, to) in holes(first, last, &singles, &ranges) {
        report.add(finding(
            Wrong::Lost,
            replica,
            stream,
            from,
            to,
            "numbers below this replica's cursor are in no table of it",
        ));
    }
    if checksum(source, stream, first, last).await? == checksum(replica, stream, first, last).await? {
        return Ok(());
    }
    let (here, there) = (texts(source, stream, first, last).await?, texts(replica, stream, first, last).await?);
    for (seq, text) in differing(&here, &there) {
        report.add(Finding { ..finding(Wrong::Changed, replica, stream, seq, seq, &text) });
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

/// Numbers that both have and that differ, and numbers that only the replica has. What only the source has is a hole,
/// and found as such.
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

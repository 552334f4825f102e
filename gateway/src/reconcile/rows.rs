//! What the auditor reads from a server.

use super::numbers::holes;
use crate::database::{Cell, DbError, Session};

/// Numbers looked at in one go.
pub const CHUNK: u64 = 10_000;

/// The numbers that are accounted for in `first..=last`: single ones, and spans that touch it, of gaps and of what was left out
/// since the other gateway of the site brought it.
pub async fn accounted(
    session: &mut Session,
    stream: u64,
    first: u64,
    last: u64,
) -> Result<(Vec<u64>, Vec<(u64, u64)>), DbError> {
    let span = |first, last| vec![Cell::UInt(stream), Cell::UInt(first), Cell::UInt(last)];
    let mut singles = Vec::new();
    // A row that only a route refused is a reading too.
    for table in ["readings WHERE", "dead_letters WHERE route = '' AND"] {
        let sql = format!("SELECT seq FROM {table} stream = ? AND seq BETWEEN ? AND ?");
        let rows = session.ask_with(&sql, span(first, last)).await?;
        singles.extend(rows.iter().filter_map(|row| row.first().and_then(Cell::as_u64)));
    }
    let mut ranges = Vec::new();
    for table in ["gaps", "left_out"] {
        let sql = format!("SELECT seq, last_seq FROM {table} WHERE stream = ? AND last_seq >= ? AND seq <= ?");
        let rows = session.ask_with(&sql, span(first, last)).await?;
        ranges.extend(rows.iter().filter_map(|row| match row.as_slice() {
            [first, last] => Some((first.as_u64()?, last.as_u64()?)),
            _ => None,
        }));
    }
    Ok((singles, ranges))
}

/// The first number of the first row.
pub async fn number(session: &mut Session, sql: &str, parameters: Vec<Cell>) -> Result<u64, DbError> {
    let rows = session.ask_with(sql, parameters).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_u64).unwrap_or(0))
}

/// The cursor of a stream at this server.
pub async fn cursor(session: &mut Session, stream: u64) -> Result<u64, DbError> {
    number(session, "SELECT last_seq FROM streams WHERE stream = ?", vec![Cell::UInt(stream)]).await
}

/// Numbers up to `last` that a server accounts for nowhere.
pub async fn holes_up_to(session: &mut Session, stream: u64, last: u64) -> Result<Vec<(u64, u64)>, DbError> {
    let mut found = Vec::new();
    for (first, last) in chunks(last) {
        let (singles, ranges) = accounted(session, stream, first, last).await?;
        found.extend(holes(first, last, &singles, &ranges));
    }
    Ok(found)
}

/// The replication filters of a server, as it names them. They stay when a replica is promoted and nothing else tells of
/// its past any more. None where the server is of another family and has no such variables.
pub async fn filters(session: &mut Session) -> Result<Vec<String>, DbError> {
    let rows = session.ask("SHOW GLOBAL VARIABLES LIKE 'replicate\\_%'").await?;
    let named = rows.iter().filter_map(|row| match row.as_slice() {
        [name, value] => Some((name.as_text()?, value.as_text()?)),
        _ => None,
    });
    let leaves_out = |(name, value): &(String, String)| {
        !value.is_empty() && ["_do_", "_ignore_", "_rewrite_"].iter().any(|part| name.contains(part))
    };
    Ok(named.filter(leaves_out).map(|(name, value)| format!("{name} = {value}")).collect())
}

/// The spans of `1..=last` in chunks.
pub fn chunks(last: u64) -> impl Iterator<Item = (u64, u64)> {
    let starts = (0..last.div_ceil(CHUNK)).map(|index| index * CHUNK + 1);
    starts.map(move |first| (first, last.min(first + CHUNK - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_everything_once() {
        assert_eq!(chunks(0).count(), 0);
        assert_eq!(chunks(1).collect::<Vec<_>>(), [(1, 1)]);
        assert_eq!(chunks(CHUNK + 1).collect::<Vec<_>>(), [(1, CHUNK), (CHUNK + 1, CHUNK + 1)]);
    }
}

//! What the queue still keeps, compared with the source's rows, column by column.

use super::stream::{Stream, finding};
use super::{Open, ReconcileError, Report, Wrong};
use crate::database::{Cell, DbError, Row};
use crate::local::QueueAccess;
use queue::{Kind, Numbered};
use sensors::{Reading, Value};
use std::collections::BTreeMap;

/// The columns that are compared, in the order of [`expected`].
const COLUMNS: &str = "c.node, c.channel, r.sampled_at, r.time_quality, r.time_error_us, r.value, r.value_int, r.value_text, \
                       r.raw, r.no_data, r.node_seq, r.node_time";

/// Compares every reading that the queue keeps and the source has.
pub async fn compare(
    report: &mut Report,
    source: &mut Open,
    queue: &QueueAccess,
    stream: &Stream,
    cursor: u64,
) -> Result<(), ReconcileError> {
    let Some((first, _)) = stream.queued else { return Ok(()) };
    let mut next = first;
    while next <= cursor {
        let items = queue.read(stream.id, next)?;
        let Some(last) = items.last().map(|item| item.seq) else { break };
        let rows = rows(source, stream, next, last.min(cursor)).await?;
        for item in items.iter().filter(|item| item.seq <= cursor && item.record.kind.plain() == Kind::READING) {
            report.compared += 1;
            if let Some(text) = difference(item, rows.get(&item.seq)) {
                report.add(finding(Wrong::Changed, source, stream, item.seq, item.seq, &text));
            }
        }
        next = last + 1;
    }
    Ok(())
}

async fn rows(source: &mut Open, stream: &Stream, first: u64, last: u64) -> Result<BTreeMap<u64, Row>, DbError> {
    let sql = format!(
        "SELECT r.seq, {COLUMNS} FROM readings r LEFT JOIN channels c USING (channel_id) WHERE r.stream = ? AND r.seq BETWEEN ? AND ?"
    );
    let parameters = vec![Cell::UInt(stream.id.as_u64()), Cell::UInt(first), Cell::UInt(last)];
    let rows = source.session.ask_with(&sql, parameters).await?;
    let by_seq = rows.into_iter().filter_map(|mut row| {
        let seq = row.first()?.as_u64()?;
        Some((seq, row.split_off(1)))
    });
    Ok(by_seq.collect())
}

/// What differs; none when the row says what the reading says. A row that is not there at all is a hole and found as
/// such.
fn difference(item: &Numbered, row: Option<&Row>) -> Option<String> {
    let row = row?;
    let reading = match Reading::from_bytes(&item.record.body) {
        Ok(reading) => reading,
        Err(error) => return Some(format!("the queue's copy cannot be read: {error}")),
    };
    let names = COLUMNS.split(", ").map(str::trim);
    let mut columns = names.zip(expected(&reading)).zip(row);
    let (name, kept, found) =
        columns.find_map(|((name, kept), found)| (!same(&kept, found)).then_some((name, kept, found)))?;
    Some(format!(
        "{} of {} {}: the queue keeps {kept:?}, the row says {found:?}",
        &name[2..],
        reading.node,
        reading.channel
    ))
}

/// What the row should say, worked out here once more and not taken from the code that writes it.
fn expected(reading: &Reading) -> Vec<Cell> {
    let double = |int: i64| int.to_string().parse().map_or(Cell::Null, Cell::Double);
    let (value, value_int, value_text, no_data) = match &reading.value {
        Ok(Value::Float(float)) => (Cell::Double(*float), Cell::Null, Cell::Null, Cell::Null),
        Ok(Value::Int(int)) => (double(*int), Cell::Int(*int), Cell::Null, Cell::Null),
        Ok(Value::Bool(true)) => (Cell::Double(1.0), Cell::Int(1), Cell::Null, Cell::Null),
        Ok(Value::Bool(false)) => (Cell::Double(0.0), Cell::Int(0), Cell::Null, Cell::Null),
        Ok(Value::Text(text)) => (Cell::Null, Cell::Null, Cell::text(text), Cell::Null),
        Err(reason) => (Cell::Null, Cell::Null, Cell::Null, Cell::Int(*reason as i64)),
    };
    vec![
        Cell::text(reading.node.as_str()),
        Cell::text(reading.channel.as_str()),
        Cell::TimeUs(reading.stamp.wall_us),
        Cell::Int(reading.stamp.quality as i64),
        Cell::optional(reading.stamp.error_us, |us| Cell::Int(i64::from(us))),
        value,
        value_int,
        value_text,
        Cell::optional(reading.raw, Cell::Double),
        no_data,
        Cell::optional(reading.node_seq, Cell::Int),
        Cell::optional(reading.node_time_us, Cell::TimeUs),
    ]
}

/// Whether two cells say the same; whole numbers may come signed or unsigned, and MariaDB stores -0.0 as 0.0.
fn same(kept: &Cell, found: &Cell) -> bool {
    match (kept, found) {
        (Cell::Double(kept), Cell::Double(found)) => positive_zero(*kept).to_bits() == positive_zero(*found).to_bits(),
        (Cell::Int(_) | Cell::UInt(_), Cell::Int(_) | Cell::UInt(_)) => kept.as_i64() == found.as_i64(),
        _ => kept == found,
    }
}

fn positive_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_the_same_only_to_the_last_bit() {
        assert!(same(&Cell::Double(0.1), &Cell::Double(0.1)));
        assert!(same(&Cell::Double(-0.0), &Cell::Double(0.0)));
        assert!(!same(&Cell::Double(-5e-324), &Cell::Double(0.0)));
        assert!(!same(&Cell::Double(1.5), &Cell::Double(1.500_000_000_000_000_2)));
        assert!(same(&Cell::Int(7), &Cell::UInt(7)));
        assert!(!same(&Cell::Int(7), &Cell::Null));
        assert!(!same(&Cell::text("a"), &Cell::text("A")));
    }
}

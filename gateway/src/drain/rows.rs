//! A reading as a row of `readings`. Pure; the auditor uses it the other way round to compare.

use super::plan::Batch;
use crate::database::{Cell, Row};
use sensors::{Reading, Value};

/// The columns of [`reading_row`], in its order.
pub const READING_COLUMNS: &[&str] = &[
    "stream",
    "seq",
    "channel_id",
    "sampled_at",
    "time_quality",
    "time_error_us",
    "gateway_time",
    "value",
    "value_int",
    "value_text",
    "raw",
    "no_data",
    "node_seq",
    "node_time",
    "maybe_twice",
];

/// The row. `value` holds every number and truth value as a double, so that averages need one column only; `value_int`
/// holds whole numbers and truth values exactly; `value_text` holds text.
/// `maybe_twice` marks one that the other gateway of the site may have written too.
pub fn reading_row(stream: u64, seq: u64, channel_id: u64, reading: &Reading, maybe_twice: bool) -> Row {
    let (value, value_int, value_text, no_data) = value_cells(reading);
    let stamp = &reading.stamp;
    vec![
        Cell::UInt(stream),
        Cell::UInt(seq),
        Cell::UInt(channel_id),
        Cell::TimeUs(stamp.wall_us),
        Cell::Int(i64::from(stamp.quality as u8)),
        Cell::optional(stamp.error_us, |us| Cell::UInt(u64::from(us))),
        // Filled when a clock that was wrong at the time has been corrected since; then it is what the clock said.
        Cell::Null,
        value,
        value_int,
        value_text,
        Cell::optional(reading.raw, Cell::Double),
        no_data,
        Cell::optional(reading.node_seq, Cell::Int),
        Cell::optional(reading.node_time_us, Cell::TimeUs),
        Cell::optional(maybe_twice.then_some(1), Cell::Int),
    ]
}

/// Leaves out the columns that have no value in any row: most readings have none in half of them, and each costs the
/// server and us as much as one with a value.
pub fn without_empty_columns<'a>(columns: &[&'a str], mut rows: Vec<Row>) -> (Vec<&'a str>, Vec<Row>) {
    let mut used = vec![false; columns.len()];
    for row in &rows {
        used.iter_mut().zip(row).for_each(|(used, cell)| *used |= *cell != Cell::Null);
    }
    for row in &mut rows {
        let mut keep = used.iter().copied();
        row.retain(|_| keep.next().unwrap_or(true));
    }
    let names = columns.iter().zip(&used).filter(|(_, used)| **used).map(|(name, _)| *name).collect();
    (names, rows)
}

/// Bytes of the values in the rows of a batch, as they are sent.
pub fn sent_bytes(batch: &Batch) -> u64 {
    let readings =
        batch.readings.iter().flat_map(|(seq, reading)| reading_row(0, *seq, 0, reading, batch.marked.contains(seq)));
    let readings: u64 = readings.map(|cell| cell.sent_bytes()).sum();
    let gaps = batch.gaps.iter().map(|row| GAP_BYTES + count(row.gap.reason.len()));
    let letters = batch.dead_letters.iter().map(|row| count(row.bytes.len() + row.reason.len() + row.origin.len()));
    readings + gaps.sum::<u64>() + letters.map(|texts| DEAD_LETTER_BYTES + texts).sum::<u64>()
}

/// What rows of the other tables have beside their texts.
const GAP_BYTES: u64 = 64;
const DEAD_LETTER_BYTES: u64 = 48;

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The cells of `value`, `value_int`, `value_text` and `no_data`.
pub fn value_cells(reading: &Reading) -> (Cell, Cell, Cell, Cell) {
    match &reading.value {
        Ok(Value::Float(float)) => (Cell::Double(*float), Cell::Null, Cell::Null, Cell::Null),
        Ok(Value::Int(int)) => (Cell::Double(nearest_double(*int)), Cell::Int(*int), Cell::Null, Cell::Null),
        Ok(Value::Bool(bool)) => {
            let int = i64::from(*bool);
            (Cell::Double(nearest_double(int)), Cell::Int(int), Cell::Null, Cell::Null)
        }
        Ok(Value::Text(text)) => (Cell::Null, Cell::Null, Cell::text(text), Cell::Null),
        Err(reason) => (Cell::Null, Cell::Null, Cell::Null, Cell::Int(i64::from(*reason as u8))),
    }
}

/// Beyond 2^53 not every whole number is a double; `value_int` stays exact.
#[allow(clippy::cast_precision_loss, reason = "the exact number stands beside it")]
fn nearest_double(int: i64) -> f64 {
    int as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_for_every_column() {
        let stamp = sensors::Stamp {
            boot: 0,
            boottime_us: 0,
            wall_us: 5,
            quality: sensors::ClockQuality::Synced,
            error_us: Some(9),
        };
        let reading = Reading {
            node: "n".to_owned().try_into().unwrap(),
            channel: "c".to_owned().try_into().unwrap(),
            unit: None,
            value: Ok(Value::Int(i64::MAX)),
            raw: None,
            stamp,
            node_seq: Some(-3),
            node_time_us: None,
        };
        let row = reading_row(1, 2, 3, &reading, false);
        assert_eq!(row.len(), READING_COLUMNS.len());
        let cell = |name: &str| &row[READING_COLUMNS.iter().position(|column| *column == name).unwrap()];
        assert_eq!(cell("value"), &Cell::Double(2.0_f64.powi(63)));
        assert_eq!(cell("value_int"), &Cell::Int(i64::MAX));
        assert_eq!(cell("time_error_us"), &Cell::UInt(9));
        assert_eq!(cell("node_seq"), &Cell::Int(-3));
    }

    #[test]
    fn a_column_that_is_empty_in_every_row_is_left_out_and_no_other() {
        let rows = vec![
            vec![Cell::Int(1), Cell::Null, Cell::Null, Cell::Double(0.0)],
            vec![Cell::Int(2), Cell::Null, Cell::text(""), Cell::Null],
        ];
        let (names, rows) = without_empty_columns(&["a", "b", "c", "d"], rows);
        assert_eq!(names, ["a", "c", "d"]);
        let expected =
            [[Cell::Int(1), Cell::Null, Cell::Double(0.0)], [Cell::Int(2), Cell::text(""), Cell::Null]].map(Vec::from);
        assert_eq!(rows, expected);
        assert_eq!(without_empty_columns(&["a"], Vec::new()), (Vec::new(), Vec::new()));
    }
}

//! A line to its readings. Pure, with the same kinds of values as in [`decode`](crate::decode).

use crate::clock::Stamp;
use crate::decode::{DecodeError, Found, Origin, decode, node_time_us, parse};
use crate::reading::Reading;
use config::{Channel, Column, LineFormat, NodeId};
use serde_json::Value as Json;
use thiserror::Error;

/// Why a line gives no readings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// What is in it cannot be a reading.
    #[error(transparent)]
    Content(#[from] DecodeError),
    /// JSON, but one value alone.
    #[error("the line is a single value; send a JSON object, or write format = \"number\" and channel for this port")]
    NotAnObject,
    /// Something else than a number.
    #[error("the line is not a number")]
    NotANumber,
    /// Bytes that are no text.
    #[error("the line is not UTF-8 text; compare baud and parity with the node's")]
    NotText,
    /// More or fewer fields than columns.
    #[error("the line has {found} fields, and the configuration names {columns} columns")]
    Fields {
        /// Fields in the line.
        found: usize,
        /// Columns in the configuration.
        columns: usize,
    },
}

/// Decodes one line.
///
/// # Errors
/// [`LineError`] when it gives no readings.
pub fn decode_line(node: &NodeId, format: &LineFormat, line: &[u8], stamp: Stamp) -> Result<Vec<Reading>, LineError> {
    match format {
        LineFormat::JsonLines => object(node, line, stamp),
        LineFormat::Csv { columns, delimiter } => fields(node, columns, *delimiter, line, stamp),
        LineFormat::Number { channel } => number(node, channel, line, stamp),
    }
}

/// True when a line that has lost its beginning can never pass for a whole one. Of `21.5`, `1.5` can.
pub fn shows_its_beginning(format: &LineFormat) -> bool {
    matches!(format, LineFormat::JsonLines)
}

fn object(node: &NodeId, line: &[u8], stamp: Stamp) -> Result<Vec<Reading>, LineError> {
    let origin = Origin { node, channel: None, sequence: "/seq", time: "/time" };
    decode(origin, line, stamp).map_err(|error| match error {
        DecodeError::NoChannel => LineError::NotAnObject,
        other => LineError::Content(other),
    })
}

fn fields(
    node: &NodeId,
    columns: &[Column],
    delimiter: u8,
    line: &[u8],
    stamp: Stamp,
) -> Result<Vec<Reading>, LineError> {
    let text = std::str::from_utf8(line).map_err(|_| LineError::NotText)?;
    let fields: Vec<&str> = text.split(char::from(delimiter)).map(str::trim).collect();
    if fields.len() != columns.len() {
        return Err(LineError::Fields { found: fields.len(), columns: columns.len() });
    }
    let mut found = Found::default();
    for (column, text) in columns.iter().zip(fields) {
        take(&mut found, column, &field(text))?;
    }
    Ok(found.into_readings(node, stamp)?)
}

/// What stands at `seq` or `time` and is neither is a channel like any other.
fn take(found: &mut Found, column: &Column, field: &Json) -> Result<(), DecodeError> {
    let (name, is_identity) = match column {
        Column::Skipped => return Ok(()),
        Column::Channel(channel) => (channel.as_str(), false),
        Column::Sequence => {
            found.node_seq = field.as_i64();
            ("seq", found.node_seq.is_some())
        }
        Column::Time => {
            found.node_time_us = node_time_us(field);
            ("time", found.node_time_us.is_some())
        }
    };
    if is_identity { Ok(()) } else { found.take(name, field) }
}

/// A number, true or false, nothing, or else text.
fn field(text: &str) -> Json {
    if text.is_empty() {
        return Json::Null;
    }
    match parse(text.as_bytes()) {
        Ok(value @ (Json::Number(_) | Json::Bool(_))) => value,
        _ => Json::String(text.to_owned()),
    }
}

fn number(node: &NodeId, channel: &Channel, line: &[u8], stamp: Stamp) -> Result<Vec<Reading>, LineError> {
    let Ok(value @ Json::Number(_)) = parse(line) else {
        return Err(LineError::NotANumber);
    };
    let mut found = Found::default();
    found.take(channel.as_str(), &value)?;
    Ok(found.into_readings(node, stamp)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ClockQuality;
    use crate::reading::{NoData, Value};

    fn run(format: &LineFormat, line: &str) -> Result<Vec<Reading>, LineError> {
        let stamp = Stamp { boot: 1, boottime_us: 2, wall_us: 3, quality: ClockQuality::Unset, error_us: None };
        decode_line(&NodeId::new("silo").unwrap(), format, line.as_bytes(), stamp)
    }

    fn pairs(readings: &[Reading]) -> Vec<(&str, Result<Value, NoData>)> {
        readings.iter().map(|reading| (reading.channel.as_str(), reading.value.clone())).collect()
    }

    fn channel(name: &str) -> Column {
        Column::Channel(Channel::new(name).unwrap())
    }

    fn csv(delimiter: u8) -> LineFormat {
        let columns = vec![Column::Sequence, Column::Time, Column::Skipped, channel("a"), channel("b")];
        LineFormat::Csv { columns, delimiter }
    }

    #[test]
    fn an_object_gives_its_members_and_a_single_value_is_refused_in_words_about_ports() {
        let readings = run(&LineFormat::JsonLines, r#"{"seq": 7, "time": 1772366400, "a": {"b": 2.5}}"#).unwrap();
        assert_eq!(pairs(&readings), [("a.b", Ok(Value::Float(2.5)))]);
        assert_eq!((readings[0].node_seq, readings[0].node_time_us), (Some(7), Some(1_772_366_400_000_000)));
        assert_eq!(run(&LineFormat::JsonLines, "21.5"), Err(LineError::NotAnObject));
        assert!(matches!(run(&LineFormat::JsonLines, "{\"a\":"), Err(LineError::Content(DecodeError::NotJson(_)))));
    }

    #[test]
    fn fields_keep_their_kinds() {
        let readings = run(&csv(b','), "17, 2026-03-01T12:00:00Z ,x, 21 ,+.5").unwrap();
        assert_eq!(pairs(&readings), [("a", Ok(Value::Int(21))), ("b", Ok(Value::Float(0.5)))]);
        assert_eq!((readings[0].node_seq, readings[0].node_time_us), (Some(17), Some(1_772_366_400_000_000)));
        let readings = run(&csv(b'\t'), "1\t1772366400\t\tfalse\t").unwrap();
        assert_eq!(pairs(&readings), [("a", Ok(Value::Bool(false))), ("b", Err(NoData::Absent))]);
        let readings = run(&csv(b';'), "1;1772366400;;null;wide open").unwrap();
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        assert_eq!(pairs(&readings), [("a", text("null")), ("b", text("wide open"))]);
    }

    #[test]
    fn a_number_or_time_of_the_node_that_is_none_is_not_lost() {
        let readings = run(&csv(b','), "first,12,,1,2").unwrap();
        assert_eq!(pairs(&readings)[..2], [("seq", Ok(Value::Text("first".into()))), ("time", Ok(Value::Int(12)))]);
        assert_eq!((readings[0].node_seq, readings[0].node_time_us), (None, None));
    }

    #[test]
    fn a_line_of_another_width_or_without_text_is_refused() {
        assert_eq!(run(&csv(b','), "1,2,3,4"), Err(LineError::Fields { found: 4, columns: 5 }));
        assert_eq!(run(&csv(b','), "1,2,3,4,5,6"), Err(LineError::Fields { found: 6, columns: 5 }));
        let stamp = Stamp { boot: 1, boottime_us: 2, wall_us: 3, quality: ClockQuality::Unset, error_us: None };
        let garbage = decode_line(&NodeId::new("silo").unwrap(), &csv(b','), b"\xff\xfe", stamp);
        assert_eq!(garbage, Err(LineError::NotText));
        let too_large = Err(LineError::Content(DecodeError::TooLarge("b".to_owned())));
        assert_eq!(run(&csv(b','), "1,2,3,4,18446744073709551615"), too_large);
    }

    #[test]
    fn a_number_is_a_number_and_nothing_else() {
        let format = LineFormat::Number { channel: Channel::new("level").unwrap() };
        for (line, value) in [("21", Value::Int(21)), (" -2.50\t", Value::Float(-2.5)), ("+3", Value::Float(3.0))] {
            assert_eq!(pairs(&run(&format, line).unwrap()), [("level", Ok(value))]);
        }
        for line in ["on", "nan", "1,2", "{\"level\":1}", "[1]", "\"1\"", "null", "21 C"] {
            assert_eq!(run(&format, line), Err(LineError::NotANumber), "{line}");
        }
    }
}

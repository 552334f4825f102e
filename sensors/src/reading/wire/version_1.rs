//! Readings as version 1 wrote them: a queue may hold some from before an upgrade.

use super::{WireError, WireStamp, fields, malformed, name, stamp_from_wire};
use crate::reading::{NoData, Reading, Value};

/// A number for the kind, then the value in its own place.
type WireValue = (u8, Option<f64>, Option<i64>, Option<String>);

type WireReading = (String, String, Option<String>, WireValue, Option<f64>, WireStamp, Option<i64>, Option<i64>);

const NO_DATA: u8 = 0;
const FLOAT: u8 = 1;
const INT: u8 = 2;
const BOOL: u8 = 3;
const TEXT: u8 = 4;

pub(super) fn reading(bytes: &[u8]) -> Result<Reading, WireError> {
    let (node, channel, unit, value, raw, stamp, node_seq, node_time_us): WireReading = fields(bytes)?;
    Ok(Reading {
        node: name(node)?,
        channel: name(channel)?,
        unit: unit.map(name).transpose()?,
        value: value_from_wire(value)?,
        raw,
        stamp: stamp_from_wire(stamp)?,
        node_seq,
        node_time_us,
    })
}

fn value_from_wire(wire: WireValue) -> Result<Result<Value, NoData>, WireError> {
    Ok(match wire {
        (NO_DATA, _, Some(reason), _) => Err(no_data(reason)?),
        (FLOAT, Some(float), _, _) => Ok(Value::Float(float)),
        (INT, _, Some(int), _) => Ok(Value::Int(int)),
        (BOOL, _, Some(bool), _) => Ok(Value::Bool(bool != 0)),
        (TEXT, _, _, Some(text)) => Ok(Value::Text(text)),
        _ => return Err(malformed("a value is of no known kind")),
    })
}

fn no_data(reason: i64) -> Result<NoData, WireError> {
    let known = u8::try_from(reason).ok().and_then(super::value::no_data);
    known.ok_or_else(|| malformed("a reason for missing data is not known"))
}

//! Payload to readings. Pure: the same bytes give the same readings.
//!
//! - The topic gives a channel: the payload is one value (`21.5`, `true`, `"open"`, `null`), or an object whose
//!   member `value` is that value and whose member `unit` its unit.
//! - It gives none: the payload is a JSON object and every member is a channel; members of inner objects and
//!   arrays are named by their path, `AM2301.Temperature`.
//! - A whole number at the `sequence` pointer is the node's own number of the message, a time at the `time` pointer its
//!   own time; what stands there and is neither is a channel like any other.

use crate::clock::Stamp;
use crate::reading::{MAX_TEXT_BYTES, NoData, Reading, Value};
use config::{Channel, NodeId, Unit};
use jiff::Timestamp;
use serde_json::Value as Json;
use thiserror::Error;

/// How many readings one message may give.
pub const MAX_READINGS: usize = 4096;

/// Node times before 2000-01-01 are not times: a node that counts from its own start says 1970.
const EARLIEST_NODE_TIME_S: i64 = 946_684_800;
/// 2200-01-01.
const LATEST_NODE_TIME_S: i64 = 7_258_118_400;

/// Why a payload gives no readings. The payload becomes a dead letter with these words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Neither JSON nor a number.
    #[error("the payload is neither JSON nor a plain number: {0}")]
    NotJson(String),
    /// One value, but no channel for it.
    #[error(
        "the payload is a single value and the topic names no channel; use a topic pattern with {{channel}}, or send an object"
    )]
    NoChannel,
    /// An object for a topic that names the channel, without the member `value`.
    #[error("the topic names the channel, but the object has no member \"value\"")]
    NoValue,
    /// Nothing in it.
    #[error("the payload holds no value")]
    Empty,
    /// A whole number outside of 64 bits.
    #[error("channel {0}: the whole number does not fit into 64 bits; send it as text")]
    TooLarge(String),
    /// A text over the limit.
    #[error("channel {0}: the text has {1} bytes, at most {MAX_TEXT_BYTES} are kept")]
    TextTooLong(String, usize),
    /// A channel or unit name outside of its bounds.
    #[error("{0}")]
    BadName(String),
    /// Too many values in one message.
    #[error("the payload holds more than {MAX_READINGS} values")]
    TooMany,
}

/// What the topic and the configuration say of a message.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The node that sent it.
    pub node: &'a NodeId,
    /// The channel, where the topic names it.
    pub channel: Option<&'a str>,
    /// JSON pointer to the node's own number.
    pub sequence: &'a str,
    /// JSON pointer to the node's own time.
    pub time: &'a str,
}

/// Decodes one payload.
///
/// # Errors
/// [`DecodeError`] when it gives no readings.
pub fn decode(origin: Origin<'_>, payload: &[u8], stamp: Stamp) -> Result<Vec<Reading>, DecodeError> {
    let json = parse(payload)?;
    let mut found = Found::default();
    match (&json, origin.channel) {
        (Json::Object(members), Some(channel)) => {
            found.take_identity(&json, &origin);
            let value = members.get("value").ok_or(DecodeError::NoValue)?;
            found.unit = members.get("unit").and_then(Json::as_str).map(name::<Unit>).transpose()?;
            found.walk(channel, value, "/value", &origin)?;
        }
        (Json::Object(_) | Json::Array(_), None) => {
            found.take_identity(&json, &origin);
            found.walk("", &json, "", &origin)?;
        }
        (_, Some(channel)) => found.walk(channel, &json, "", &origin)?,
        (_, None) => return Err(DecodeError::NoChannel),
    }
    found.into_readings(origin.node, stamp)
}

/// JSON, or a number as C programs print it.
pub(crate) fn parse(payload: &[u8]) -> Result<Json, DecodeError> {
    serde_json::from_slice(payload).or_else(|error| {
        // Numbers as C programs print them, which JSON does not allow: +21.5, .5, 021
        let text = std::str::from_utf8(payload).unwrap_or_default().trim();
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number
            .and_then(serde_json::Number::from_f64)
            .map(Json::Number)
            .ok_or_else(|| DecodeError::NotJson(error.to_string()))
    })
}

/// What has been found in a payload so far.
#[derive(Default)]
pub(crate) struct Found {
    values: Vec<(Channel, Result<Value, NoData>)>,
    unit: Option<Unit>,
    pub(crate) node_seq: Option<i64>,
    pub(crate) node_time_us: Option<i64>,
}

impl Found {
    fn take_identity(&mut self, json: &Json, origin: &Origin<'_>) {
        self.node_seq = json.pointer(origin.sequence).and_then(Json::as_i64);
        self.node_time_us = json.pointer(origin.time).and_then(node_time_us);
    }

    fn is_identity(&self, pointer: &str, origin: &Origin<'_>) -> bool {
        (self.node_seq.is_some() && pointer == origin.sequence)
            || (self.node_time_us.is_some() && pointer == origin.time)
    }

    /// Takes every leaf below `json`. Depth is bounded by the parser's own limit of 128.
    fn walk(&mut self, channel: &str, json: &Json, pointer: &str, origin: &Origin<'_>) -> Result<(), DecodeError> {
        match json {
            Json::Object(members) => members.iter().try_for_each(|(key, inner)| {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                self.walk(&join(channel, key), inner, &format!("{pointer}/{escaped}"), origin)
            }),
            Json::Array(items) => items.iter().enumerate().try_for_each(|(index, inner)| {
                self.walk(&join(channel, &index.to_string()), inner, &format!("{pointer}/{index}"), origin)
            }),
            _ if self.is_identity(pointer, origin) => Ok(()),
            leaf => self.take(channel, leaf),
        }
    }

    /// Takes one value of one channel.
    pub(crate) fn take(&mut self, channel: &str, leaf: &Json) -> Result<(), DecodeError> {
        if self.values.len() == MAX_READINGS {
            return Err(DecodeError::TooMany);
        }
        let value = value(channel, leaf)?;
        self.values.push((name(channel)?, value));
        Ok(())
    }

    /// One reading for each value, all with the same stamp and identity.
    pub(crate) fn into_readings(self, node: &NodeId, stamp: Stamp) -> Result<Vec<Reading>, DecodeError> {
        if self.values.is_empty() {
            return Err(DecodeError::Empty);
        }
        let (node_seq, node_time_us, unit) = (self.node_seq, self.node_time_us, self.unit);
        let reading = |(channel, value)| Reading {
            node: node.clone(),
            channel,
            unit: unit.clone(),
            value,
            raw: None,
            stamp,
            node_seq,
            node_time_us,
        };
        Ok(self.values.into_iter().map(reading).collect())
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn value(channel: &str, leaf: &Json) -> Result<Result<Value, NoData>, DecodeError> {
    Ok(match leaf {
        Json::Bool(bool) => Ok(Value::Bool(*bool)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Ok(Value::Int(int)),
            (None, Some(float)) if number.is_f64() => Ok(Value::Float(float)),
            _ => return Err(DecodeError::TooLarge(channel.to_owned())),
        },
        Json::String(text) if text.len() > MAX_TEXT_BYTES => {
            return Err(DecodeError::TextTooLong(channel.to_owned(), text.len()));
        }
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => Err(NoData::Absent),
    })
}

fn name<T: TryFrom<String, Error: std::fmt::Display>>(text: &str) -> Result<T, DecodeError> {
    T::try_from(text.to_owned()).map_err(|error| DecodeError::BadName(error.to_string()))
}

/// RFC 3339 text, or a number of seconds, milliseconds or microseconds since 1970, told by its size.
pub(crate) fn node_time_us(json: &Json) -> Option<i64> {
    let us = match json {
        Json::String(text) => text.parse::<Timestamp>().ok()?.as_microsecond(),
        Json::Number(number) => match number.as_i64() {
            Some(int) if int < 100_000_000_000 => int.checked_mul(1_000_000)?,
            Some(int) if int < 100_000_000_000_000 => int.checked_mul(1000)?,
            Some(int) => int,
            None => seconds_to_us(number.as_f64()?)?,
        },
        _ => return None,
    };
    (EARLIEST_NODE_TIME_S..LATEST_NODE_TIME_S).contains(&us.div_euclid(1_000_000)).then_some(us)
}

fn seconds_to_us(seconds: f64) -> Option<i64> {
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    // Rounded to the microsecond, since a double near 2e9 is exact to a quarter of one only.
    i64::try_from((duration.as_nanos() + 500) / 1000).ok()
}

#[cfg(test)]
mod tests;

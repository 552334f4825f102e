//! What a node sends: values of every kind that follow from (node, seq, channel), so that an auditor who knows only
//! these three can say which value a row must have.

use std::fmt;

use serde_json::{Map, json};

/// A value as a node sends it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Never a whole number, so that nobody may take it for an integer; needs all of a double's digits.
    Float(f64),
    /// Negative, and from time to time the smallest one there is.
    Integer(i64),
    /// A switch.
    Bool(bool),
    /// With characters that have to be escaped somewhere on the way.
    Text(String),
}

/// The name of a channel, from 0 on: `c0`, `c1` and so on.
pub fn channel_name(channel: usize) -> String {
    format!("c{channel}")
}

/// The value of a node's channel in its message `seq`. Neighbours differ in kind, in both directions.
pub fn value(node: &str, seq: u64, channel: usize) -> Value {
    let number = number(node, seq, channel);
    match (seq % 4 + channel as u64 % 4) % 4 {
        0 => Value::Float((f64::from(number) * 7.0 + 3.0) / 7.0),
        1 if number.is_multiple_of(10) => Value::Integer(i64::MIN),
        1 => Value::Integer(-i64::from(number)),
        2 => Value::Bool(number.is_multiple_of(3)),
        _ => Value::Text(format!("t'\\\"\t{number} µ")),
    }
}

/// The message `seq` of a node as JSON; `time` is RFC 3339.
pub fn message(node: &str, seq: u64, channels: usize, time: &str) -> String {
    let mut fields = Map::new();
    fields.insert("seq".to_owned(), json!(seq));
    fields.insert("time".to_owned(), json!(time));
    for channel in 0..channels {
        fields.insert(channel_name(channel), value(node, seq, channel).to_json());
    }
    serde_json::Value::Object(fields).to_string()
}

impl Value {
    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Float(value) => json!(value),
            Self::Integer(value) => json!(value),
            Self::Bool(value) => json!(value),
            Self::Text(value) => json!(value),
        }
    }

    /// True if a row with these columns (`value`, `value_int`, `value_text`, as the database client prints them) holds
    /// exactly this value: a float in the first, an integer or a bool in the first two, a text in the third.
    pub fn is_in_columns(&self, value: &str, value_int: &str, value_text: &str) -> bool {
        let whole = |expected: i64| {
            // A double holds the nearest one; the integer itself stands beside it.
            value.parse() == Ok(expected as f64) && value_int.parse() == Ok(expected) && value_text == "NULL"
        };
        match self {
            Self::Float(expected) => value.parse() == Ok(*expected) && value_int == "NULL" && value_text == "NULL",
            Self::Integer(expected) => whole(*expected),
            Self::Bool(expected) => whole(i64::from(*expected)),
            Self::Text(expected) => value == "NULL" && value_int == "NULL" && value_text == expected,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(formatter)
    }
}

/// A number that tells nodes, messages and channels apart, small enough for its sevenfold to be exact in a double.
fn number(node: &str, seq: u64, channel: usize) -> u32 {
    let node = node.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mixed = node.wrapping_mul(7919).wrapping_add(seq).wrapping_mul(64).wrapping_add(channel as u64);
    u32::try_from(mixed % 1_000_000_007).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_occurs_in_every_channel_and_message() {
        let kinds = |values: Vec<Value>| {
            values.iter().map(std::mem::discriminant).collect::<std::collections::HashSet<_>>().len()
        };
        assert_eq!(kinds((0..4).map(|seq| value("n", seq, 0)).collect()), 4);
        assert_eq!(kinds((0..4).map(|channel| value("n", 9, channel)).collect()), 4);
    }

    #[test]
    fn nodes_messages_and_channels_have_values_of_their_own() {
        assert_ne!(number("n1", 4, 0), number("n2", 4, 0));
        assert_ne!(number("n1", 4, 0), number("n1", 8, 0));
        assert_ne!(number("n1", 4, 0), number("n1", 4, 4));
    }

    #[test]
    fn a_float_is_never_whole() {
        let floats = (0..4000).filter_map(|seq| match value("n", seq, 0) {
            Value::Float(float) => Some(float),
            _ => None,
        });
        assert_eq!(floats.filter(|float| float.fract() != 0.0).count(), 1000);
    }

    #[test]
    fn columns_hold_the_value_or_not() {
        assert!(Value::Float(0.1).is_in_columns("0.1", "NULL", "NULL"));
        assert!(!Value::Float(0.1).is_in_columns("0.10000000000000002", "NULL", "NULL"));
        assert!(!Value::Float(0.1).is_in_columns("0.1", "0", "NULL"));
        assert!(Value::Integer(i64::MIN).is_in_columns("-9.223372036854775807e18", "-9223372036854775808", "NULL"));
        assert!(!Value::Integer(-7).is_in_columns("-7", "7", "NULL"));
        assert!(Value::Bool(true).is_in_columns("1", "1", "NULL"));
        assert!(!Value::Bool(true).is_in_columns("1", "NULL", "NULL"));
        assert!(Value::Text("a".into()).is_in_columns("NULL", "NULL", "a"));
        assert!(!Value::Text("a".into()).is_in_columns("NULL", "NULL", "b"));
    }

    #[test]
    fn a_message_names_everything() {
        let message: serde_json::Value = serde_json::from_str(&message("n", 17, 2, "2026-01-02T03:04:05Z")).unwrap();
        assert_eq!(message["seq"], 17);
        assert_eq!(message["time"], "2026-01-02T03:04:05Z");
        assert_eq!(message["c1"], value("n", 17, 1).to_json());
        assert_eq!(message.as_object().unwrap().len(), 4);
    }
}

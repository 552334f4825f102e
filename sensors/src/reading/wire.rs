//! The byte form of readings, gaps and dead letters: CBOR, version first, then fields by position.

use super::{DeadLetter, Gap, NoData, Reading, Value};
use crate::clock::{ClockQuality, Stamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version this program writes.
const VERSION: u8 = 1;

/// A record of the queue that is not what its kind promises.
#[derive(Debug, Error)]
pub enum WireError {
    /// Written by a newer version of the program.
    #[error("record version {0} is newer than this program; install the version that wrote it, or a later one")]
    Newer(u8),
    /// Not CBOR, or not of the expected shape.
    #[error("record cannot be decoded: {0}")]
    Malformed(serde_cbor::Error),
}

/// Stamp as stored: boot id in two halves, boottime, wall, quality, error.
type WireStamp = (u64, u64, u64, i64, u8, Option<u32>);

/// Value as stored: a letter for the kind, then the value in its own place.
type WireValue = (u8, Option<f64>, Option<i64>, Option<String>);

type WireReading = (String, String, Option<String>, WireValue, Option<f64>, WireStamp, Option<i64>, Option<i64>);

type WireDeadLetter = (String, String, serde_cbor::Value, u64, u64, WireStamp);

type WireGap = (Option<String>, Option<String>, String, Option<i64>, Option<i64>, Option<u64>);

const NO_DATA: u8 = 0;
const FLOAT: u8 = 1;
const INT: u8 = 2;
const BOOL: u8 = 3;
const TEXT: u8 = 4;

impl Reading {
    /// The bytes the queue keeps.
    ///
    /// # Errors
    /// Only when the encoder fails, which plain values give no cause for.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let unit = self.unit.as_ref().map(|unit| unit.as_str());
        encode(&(
            self.node.as_str(),
            self.channel.as_str(),
            unit,
            value_to_wire(&self.value),
            self.raw,
            stamp_to_wire(&self.stamp),
            self.node_seq,
            self.node_time_us,
        ))
    }

    /// Reads what [`Reading::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are of a newer version or malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (node, channel, unit, value, raw, stamp, node_seq, node_time_us): WireReading = decode(bytes)?;
        Ok(Self {
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
}

impl Gap {
    /// The bytes the queue keeps.
    ///
    /// # Errors
    /// Only when the encoder fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let node = self.node.as_ref().map(|node| node.as_str());
        let channel = self.channel.as_ref().map(|channel| channel.as_str());
        encode(&(node, channel, &self.reason, self.from_us, self.to_us, self.count))
    }

    /// Reads what [`Gap::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are of a newer version or malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (node, channel, reason, from_us, to_us, count): WireGap = decode(bytes)?;
        let (node, channel) = (node.map(name).transpose()?, channel.map(name).transpose()?);
        Ok(Self { node, channel, reason, from_us, to_us, count })
    }
}

impl DeadLetter {
    /// The bytes the queue keeps.
    ///
    /// # Errors
    /// Only when the encoder fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let bytes = serde_cbor::Value::Bytes(self.bytes.clone());
        encode(&(&self.origin, &self.reason, bytes, self.length, self.hash, stamp_to_wire(&self.stamp)))
    }

    /// Reads what [`DeadLetter::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are of a newer version or malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (origin, reason, bytes, length, hash, stamp): WireDeadLetter = decode(bytes)?;
        let serde_cbor::Value::Bytes(bytes) = bytes else {
            return Err(malformed("payload is not a byte string"));
        };
        Ok(Self { origin, reason, bytes, length, hash, stamp: stamp_from_wire(stamp)? })
    }
}

/// CBOR of (version, fields).
pub(crate) fn encode(fields: &impl Serialize) -> Result<Vec<u8>, WireError> {
    serde_cbor::to_vec(&(VERSION, fields)).map_err(WireError::Malformed)
}

/// Reads the version first, so that a newer record is told from a damaged one.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let (version, fields): (u8, serde_cbor::Value) = serde_cbor::from_slice(bytes).map_err(WireError::Malformed)?;
    if version > VERSION {
        return Err(WireError::Newer(version));
    }
    serde_cbor::value::from_value(fields).map_err(WireError::Malformed)
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed(serde::de::Error::custom(what))
}

fn name<T: TryFrom<String>>(text: String) -> Result<T, WireError> {
    T::try_from(text).map_err(|_| malformed("a name is outside of its bounds"))
}

fn value_to_wire(value: &Result<Value, NoData>) -> WireValue {
    match value {
        Err(reason) => (NO_DATA, None, Some(i64::from(*reason as u8)), None),
        Ok(Value::Float(float)) => (FLOAT, Some(*float), None, None),
        Ok(Value::Int(int)) => (INT, None, Some(*int), None),
        Ok(Value::Bool(bool)) => (BOOL, None, Some(i64::from(*bool)), None),
        Ok(Value::Text(text)) => (TEXT, None, None, Some(text.clone())),
    }
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
    use NoData::{Absent, BadFrame, BusFault, OutOfRange, Shed, Timeout};
    [Absent, Timeout, BusFault, BadFrame, OutOfRange, Shed]
        .into_iter()
        .find(|known| i64::from(*known as u8) == reason)
        .ok_or_else(|| malformed("a reason for missing data is not known"))
}

fn stamp_to_wire(stamp: &Stamp) -> WireStamp {
    let low = u64::try_from(stamp.boot & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(stamp.boot >> 64).unwrap_or(0);
    (high, low, stamp.boottime_us, stamp.wall_us, stamp.quality as u8, stamp.error_us)
}

fn stamp_from_wire((high, low, boottime_us, wall_us, quality, error_us): WireStamp) -> Result<Stamp, WireError> {
    let quality = match quality {
        0 => ClockQuality::Unset,
        1 => ClockQuality::Holdover,
        2 => ClockQuality::Synced,
        _ => return Err(malformed("a clock quality is not known")),
    };
    Ok(Stamp { boot: u128::from(high) << 64 | u128::from(low), boottime_us, wall_us, quality, error_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        let boot = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210;
        Stamp { boot, boottime_us: u64::MAX, wall_us: -1, quality: ClockQuality::Holdover, error_us: Some(17) }
    }

    fn reading(value: Result<Value, NoData>) -> Reading {
        Reading {
            node: "shed".to_owned().try_into().unwrap(),
            channel: "air temperature".to_owned().try_into().unwrap(),
            unit: Some("°C".to_owned().try_into().unwrap()),
            value,
            raw: Some(f64::MIN_POSITIVE),
            stamp: stamp(),
            node_seq: Some(i64::MIN),
            node_time_us: Some(i64::MAX),
        }
    }

    #[test]
    fn every_kind_of_value_comes_back_as_it_went_in() {
        let values = [
            Ok(Value::Float(1.0)),
            Ok(Value::Float(-0.0)),
            Ok(Value::Float(0.1)),
            Ok(Value::Float(f64::MAX)),
            Ok(Value::Int(1)),
            Ok(Value::Int(i64::MIN)),
            Ok(Value::Bool(true)),
            Ok(Value::Text(String::new())),
            Ok(Value::Text("naïve ☂".into())),
            Err(NoData::Shed),
        ];
        for value in values {
            let sent = reading(value);
            let back = Reading::from_bytes(&sent.to_bytes().unwrap()).unwrap();
            assert_eq!(back, sent);
            assert_eq!(format!("{:?}", back.value), format!("{:?}", sent.value), "the sign of zero is kept");
        }
    }

    #[test]
    fn gaps_and_dead_letters_come_back() {
        let gap = Gap {
            node: None,
            channel: None,
            reason: "the broker lost our session".into(),
            from_us: Some(1),
            to_us: None,
            count: Some(3),
        };
        assert_eq!(Gap::from_bytes(&gap.to_bytes().unwrap()).unwrap(), gap);
        let letter = DeadLetter::new("plants/a", "not JSON".into(), &[0xff; 9000], stamp());
        assert_eq!((letter.bytes.len(), letter.length), (MAX_BYTES, 9000));
        assert_eq!(DeadLetter::from_bytes(&letter.to_bytes().unwrap()).unwrap(), letter);
    }

    const MAX_BYTES: usize = super::super::MAX_DEAD_LETTER_BYTES;

    #[test]
    fn a_newer_version_and_garbage_are_told_apart() {
        let newer = serde_cbor::to_vec(&(9_u8, "whatever")).unwrap();
        assert!(matches!(Reading::from_bytes(&newer), Err(WireError::Newer(9))));
        assert!(matches!(Reading::from_bytes(b"\xff\x00garbage"), Err(WireError::Malformed(_))));
        let gap = Gap { node: None, channel: None, reason: String::new(), from_us: None, to_us: None, count: None };
        assert!(matches!(Reading::from_bytes(&gap.to_bytes().unwrap()), Err(WireError::Malformed(_))));
    }
}

//! The byte form of readings, gaps and dead letters: CBOR, version first, then fields by position.
//!
//! Readings are what fills the card, so they have a version of their own and a module for it. The other kinds are still
//! what version 1 made of them.

mod compact;
mod value;
mod version_1;

use super::{DeadLetter, Gap};
use crate::clock::{ClockQuality, Stamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of everything but readings.
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

type WireDeadLetter = (String, String, serde_cbor::Value, u64, u64, WireStamp);

type WireGap = (Option<String>, Option<String>, String, Option<i64>, Option<i64>, Option<u64>);

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
    encode_as(VERSION, fields)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    match version(bytes)? {
        newer if newer > VERSION => Err(WireError::Newer(newer)),
        _ => fields(bytes),
    }
}

fn encode_as(version: u8, fields: &impl Serialize) -> Result<Vec<u8>, WireError> {
    serde_cbor::to_vec(&(version, fields)).map_err(WireError::Malformed)
}

/// Read before the fields, so that a newer record is told from a damaged one.
fn version(bytes: &[u8]) -> Result<u8, WireError> {
    let (version, _): (u8, IgnoredAny) = serde_cbor::from_slice(bytes).map_err(WireError::Malformed)?;
    Ok(version)
}

fn fields<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    let (_, fields): (u8, T) = serde_cbor::from_slice(bytes).map_err(WireError::Malformed)?;
    Ok(fields)
}

fn malformed(what: &str) -> WireError {
    WireError::Malformed(serde::de::Error::custom(what))
}

fn name<T: TryFrom<String>>(text: String) -> Result<T, WireError> {
    T::try_from(text).map_err(|_| malformed("a name is outside of its bounds"))
}

fn stamp_to_wire(stamp: &Stamp) -> WireStamp {
    let low = u64::try_from(stamp.boot & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(stamp.boot >> 64).unwrap_or(0);
    (high, low, stamp.boottime_us, stamp.wall_us, stamp.quality as u8, stamp.error_us)
}

fn stamp_from_wire((high, low, boottime_us, wall_us, quality, error_us): WireStamp) -> Result<Stamp, WireError> {
    let boot = u128::from(high) << 64 | u128::from(low);
    Ok(Stamp { boot, boottime_us, wall_us, quality: clock_quality(quality)?, error_us })
}

fn clock_quality(number: u8) -> Result<ClockQuality, WireError> {
    [ClockQuality::Unset, ClockQuality::Holdover, ClockQuality::Synced]
        .into_iter()
        .find(|known| *known as u8 == number)
        .ok_or_else(|| malformed("a clock quality is not known"))
}

#[cfg(test)]
mod tests;

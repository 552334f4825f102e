//! Readings as version 2.
//!
//! What all readings of one message share stands first and in one piece, what differs stands last: the queue compresses
//! frames of many readings, and a run of the same bytes costs it about as much as three. For the same reason the wall
//! time is stored as its distance from the time since boot, which stays the same until the clock is set.

use super::value::WireValue;
use super::{WireError, clock_quality, encode_as, fields, name, version, version_1};
use crate::clock::Stamp;
use crate::reading::Reading;
use config::{Channel, NodeId, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

const VERSION: u8 = 2;
/// How the bytes of a reading begin: an array of two, and the version. Whatever begins like this needs no look at the version
/// alone, which goes through all of the bytes.
const HEAD: [u8; 2] = [0x82, VERSION];

/// Boot, clock quality, wall time minus boot time, error of the clock, boot time, node, the node's number, the node's
/// time, channel, unit, raw value, value.
type Compact<N, C, U> =
    (Boot, u8, i64, Option<u32>, u64, N, Option<i64>, Option<i64>, C, Option<U>, Option<f64>, WireValue);

impl Reading {
    /// The bytes the queue keeps.
    ///
    /// # Errors
    /// Only when the encoder fails, which plain values give no cause for.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let stamp = &self.stamp;
        let fields: Compact<&str, &str, &str> = (
            Boot(stamp.boot),
            stamp.quality as u8,
            stamp.wall_us.wrapping_sub(stamp.boottime_us.cast_signed()),
            stamp.error_us,
            stamp.boottime_us,
            self.node.as_str(),
            self.node_seq,
            self.node_time_us,
            self.channel.as_str(),
            self.unit.as_ref().map(Unit::as_str),
            self.raw,
            WireValue(self.value.clone()),
        );
        encode_as(VERSION, &fields)
    }

    /// Reads what [`Reading::to_bytes`] wrote, in this version of the program or an earlier one.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are of a newer version or malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.starts_with(&HEAD) {
            return from_compact(fields(bytes)?);
        }
        match version(bytes)? {
            VERSION => from_compact(fields(bytes)?),
            newer if newer > VERSION => Err(WireError::Newer(newer)),
            _ => version_1::reading(bytes),
        }
    }
}

fn from_compact(fields: Compact<String, String, String>) -> Result<Reading, WireError> {
    #[rustfmt::skip]
    let (
        boot, quality, wall_minus_boot, error_us, boottime_us, node, node_seq, node_time_us, channel, unit, raw, value,
    ) = fields;
    let wall_us = wall_minus_boot.wrapping_add(boottime_us.cast_signed());
    let stamp = Stamp { boot: boot.0, boottime_us, wall_us, quality: clock_quality(quality)?, error_us };
    let (node, channel): (NodeId, Channel) = (name(node)?, name(channel)?);
    let unit = unit.map(name).transpose()?;
    Ok(Reading { node, channel, unit, value: value.0, raw, stamp, node_seq, node_time_us })
}

/// The id of a boot, stored as 16 bytes.
struct Boot(u128);

impl Serialize for Boot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.to_be_bytes())
    }
}

impl<'de> Deserialize<'de> for Boot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BootVisitor)
    }
}

struct BootVisitor;

impl de::Visitor<'_> for BootVisitor {
    type Value = Boot;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("16 bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Boot, E> {
        let boot = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(Boot(u128::from_be_bytes(boot)))
    }
}

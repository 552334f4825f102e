//! What the gateway keeps: readings, gaps and dead letters, and their versioned byte form.
//!
//! The byte form is a CBOR array that begins with a version number; it is what the queue stores. Positions are
//! fixed within a version, so no field name is written to the card. Every earlier version is still read.

pub(crate) mod wire;

pub(crate) use wire as wire_bytes;
pub use wire::WireError;

use crate::clock::Stamp;
use config::{Channel, NodeId, Unit};
use serde::{Deserialize, Serialize};

/// The longest text a reading may carry, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4096;

/// How many bytes of a refused payload are kept.
pub const MAX_DEAD_LETTER_BYTES: usize = 4096;

/// What a node measured. Never converted from one kind into another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text of at most [`MAX_TEXT_BYTES`].
    Text(String),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum NoData {
    /// The node said that it has none (`null`).
    Absent = 1,
    /// The node did not answer in time.
    Timeout = 2,
    /// The bus failed.
    BusFault = 3,
    /// The answer could not be understood.
    BadFrame = 4,
    /// The value is outside of what the sensor can measure.
    OutOfRange = 5,
    /// The gateway had no room and dropped it.
    Shed = 6,
}

/// One value of one channel at one time, or the reason there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The node that measured it.
    pub node: NodeId,
    /// What was measured.
    pub channel: Channel,
    /// The unit, where the node or the configuration gives one.
    pub unit: Option<Unit>,
    /// The value, or why there is none.
    pub value: Result<Value, NoData>,
    /// The value before calibration, where one was applied.
    pub raw: Option<f64>,
    /// When the gateway saw it.
    pub stamp: Stamp,
    /// The node's own number of the message.
    pub node_seq: Option<i64>,
    /// The node's own time, microseconds since 1970, UTC.
    pub node_time_us: Option<i64>,
}

impl Reading {
    /// The node gave it a number or a time of its own, so it can be told from all others of its channel.
    pub fn has_identity(&self) -> bool {
        self.node_seq.is_some() || self.node_time_us.is_some()
    }
}

/// Something that is missing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The node concerned; none when it may be any.
    pub node: Option<NodeId>,
    /// The channel concerned; none when it may be any.
    pub channel: Option<Channel>,
    /// Why, in a sentence.
    pub reason: String,
    /// From when, microseconds since 1970; none when unknown.
    pub from_us: Option<i64>,
    /// Until when, microseconds since 1970.
    pub to_us: Option<i64>,
    /// How many readings are missing; none when unknown.
    pub count: Option<u64>,
}

/// A payload that could not become readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where it came from: a topic, a port.
    pub origin: String,
    /// What is wrong with it.
    pub reason: String,
    /// Its first [`MAX_DEAD_LETTER_BYTES`] bytes.
    pub bytes: Vec<u8>,
    /// Its whole length in bytes; where a line is broken off at its limit, its length until there.
    pub length: u64,
    /// XXH3 of the whole payload; of a line that is broken off, of the bytes that are kept.
    pub hash: u64,
    /// When it arrived.
    pub stamp: Stamp,
}

impl DeadLetter {
    /// Keeps the head of `payload`, its length and its hash.
    pub fn new(origin: &str, reason: String, payload: &[u8], stamp: Stamp) -> Self {
        let kept = payload.len().min(MAX_DEAD_LETTER_BYTES);
        Self {
            origin: shorten(origin, 256),
            reason: shorten(&reason, 512),
            bytes: payload.get(..kept).unwrap_or_default().to_vec(),
            length: u64::try_from(payload.len()).unwrap_or(u64::MAX),
            hash: xxhash_rust::xxh3::xxh3_64(payload),
            stamp,
        }
    }
}

/// The characters of a text that fit into so many bytes.
fn shorten(text: &str, bytes: usize) -> String {
    let fits = |(at, letter): &(usize, char)| at + letter.len_utf8() <= bytes;
    text.char_indices().take_while(fits).map(|(_, letter)| letter).collect()
}

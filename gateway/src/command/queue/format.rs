//! Exported files: a header, an item for each record, and a trailer with counts and a checksum.
//!
//! | part | NDJSON, a line each | CBOR sequence (RFC 8742), a data item each |
//! | --- | --- | --- |
//! | header | object, `fieldgate_export` | map, the same keys |
//! | record | object: `stream`, `order`, `seq`, `kind`, `shared` (true where another gateway may have it too, else absent), `written_ms`, `sum`, `data` (the columns, to read), `body` (the exact bytes, base64) | array: stream, order, seq, kind (with 0x40 where another gateway may have it too), written_ms, sum (unsigned), body (byte string) |
//! | trailer | object, `end` | map, the same keys |
//!
//! `xxh3` in the trailer is the XXH3 (64 bits, hexadecimal) of every byte before the trailer. `sum` in a record is the lower half
//! of the XXH3 of its numbers, big-endian, kind and body, so that what stands before a damaged place can be taken; the
//! header has one over itself.

mod cbor;
mod decode;
mod encode;
mod ndjson;
#[cfg(test)]
mod tests;

pub use decode::{Damage, Decoder};
pub use encode::Encoder;

use super::walk::Range;
use queue::{Record, StreamId};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The version that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines of JSON: readings can be read by people and other programs, and imported exactly
    Ndjson,
    /// A CBOR sequence (RFC 8742): about a quarter of the size, for fieldgate only
    Cbor,
}

/// What a file begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub fieldgate_export: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The gateway whose queue it was.
    pub gateway: String,
    /// Its site; none when the card did not say.
    pub site: Option<String>,
    /// When it was written, RFC 3339.
    pub exported_at: String,
    /// The streams that follow, oldest first.
    pub streams: Vec<ExportedStream>,
    /// Over all the other fields.
    pub sum: String,
}

impl Header {
    /// With the right sum.
    pub fn sealed(mut self) -> Self {
        self.sum = self.expected_sum();
        self
    }

    fn expected_sum(&self) -> String {
        let bare = Self { sum: String::new(), ..self.clone() };
        format!("{:08x}", low_half(&serde_json::to_vec(&bare).unwrap_or_default()))
    }
}

/// A stream of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedStream {
    /// The stream.
    pub stream: StreamId,
    /// The counter of streams in the queue that it came from.
    pub order: u64,
    /// The gateway that made it.
    pub gateway: String,
    /// The first number in the queue.
    pub first: u64,
    /// The last number in the queue.
    pub last: u64,
}

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its stream.
    pub stream: StreamId,
    /// The counter of streams in the queue that it came from.
    pub order: u64,
    /// Its number.
    pub seq: u64,
    /// When it was queued, milliseconds since 1970; 0 = unknown.
    pub written_ms: u64,
    /// What it is.
    pub record: Record,
}

impl Item {
    /// The checksum of this record.
    fn sum(&self) -> u32 {
        let numbers = [self.stream.as_u64(), self.order, self.seq, self.written_ms].map(u64::to_be_bytes).concat();
        low_half(&[&numbers, [self.record.kind.0].as_slice(), &self.record.body].concat())
    }
}

/// What a file ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Always true: the file is whole.
    pub end: bool,
    /// How many records there are.
    pub items: u64,
    /// What left the queue while exporting: a database has it.
    pub left_the_queue_while_exporting: Vec<Range>,
    /// What the queue should have held and did not.
    pub missing: Vec<Range>,
    /// The checksum of every byte before this, 16 hexadecimal digits.
    pub xxh3: String,
}

/// The line of a record, with its end.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json_line(item: &Item) -> std::io::Result<Vec<u8>> {
    ndjson::item(item)
}

fn low_half(bytes: &[u8]) -> u32 {
    u32::try_from(xxh3_64(bytes) & u64::from(u32::MAX)).unwrap_or(0)
}

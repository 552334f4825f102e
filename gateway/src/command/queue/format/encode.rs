//! Writes a file.

use super::super::walk::Range;
use super::{Format, Header, Item, Trailer, cbor, ndjson};
use std::io::{self, Write};
use xxhash_rust::xxh3::Xxh3;

/// Writes the parts in their order and sums them up.
pub struct Encoder<W> {
    format: Format,
    sink: W,
    hash: Xxh3,
    items: u64,
}

impl<W: Write> Encoder<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// As the sink says, also below.
    pub fn begin(format: Format, sink: W, header: &Header) -> io::Result<Self> {
        let mut encoder = Self { format, sink, hash: Xxh3::new(), items: 0 };
        let bytes = match format {
            Format::Ndjson => ndjson::line(header),
            Format::Cbor => cbor::bytes(header),
        };
        encoder.write(&bytes?)?;
        Ok(encoder)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// As the sink says.
    pub fn item(&mut self, item: &Item) -> io::Result<()> {
        self.items += 1;
        let bytes = match self.format {
            Format::Ndjson => ndjson::item(item),
            Format::Cbor => cbor::item(item),
        };
        self.write(&bytes?)
    }

    /// Ends with the trailer. Returns how many records there are.
    ///
    /// # Errors
    /// As the sink says.
    pub fn end(mut self, left: Vec<Range>, missing: Vec<Range>) -> io::Result<u64> {
        let trailer = Trailer {
            end: true,
            items: self.items,
            left_the_queue_while_exporting: left,
            missing,
            xxh3: format!("{:016x}", self.hash.digest()),
        };
        let bytes = match self.format {
            Format::Ndjson => ndjson::line(&trailer),
            Format::Cbor => cbor::bytes(&trailer),
        };
        self.sink.write_all(&bytes?)?;
        Ok(self.items)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.sink.write_all(bytes)
    }
}

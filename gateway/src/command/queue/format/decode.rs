//! Reads a file, and believes nothing in it.

use super::{Header, Item, Trailer, VERSION, cbor, ndjson};
use queue::{MAX_RECORD_BYTES, StreamId};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};
use xxhash_rust::xxh3::Xxh3;

/// No part is longer; the longest is a header with thousands of streams.
const MAX_PART_BYTES: u64 = 4 * 1024 * 1024;

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// It begins.
    Header(Header),
    /// A record.
    Item(Item),
    /// It ends, and is whole.
    Trailer(Trailer),
}

/// Where a file cannot be believed, and why.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It is not what was exported.
    #[error("{place} {what}")]
    At {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, from 1.
    Line(u64),
    /// A byte, from 0, where a data item begins.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(byte) => write!(f, "the data item at byte {byte}"),
        }
    }
}

/// The reading end. Which format it is shows the first byte.
pub struct Decoder<R> {
    reader: R,
    is_json: bool,
    place: Place,
    hash: Xxh3,
    items: u64,
    /// The highest number of each stream so far.
    last: BTreeMap<StreamId, u64>,
}

impl<R: BufRead> Decoder<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn open(mut reader: R) -> Result<(Self, Header), Damage> {
        let is_json = reader.fill_buf()?.first() == Some(&b'{');
        let place = if is_json { Place::Line(0) } else { Place::Byte(0) };
        let mut decoder = Self { reader, is_json, place, hash: Xxh3::new(), items: 0, last: BTreeMap::new() };
        match decoder.part() {
            Ok((Part::Header(header), bytes)) => {
                decoder.hash.update(&bytes);
                decoder.check_header(&header)?;
                decoder.advance(&bytes);
                Ok((decoder, header))
            }
            Err(Damage::Io(error)) => Err(error.into()),
            Ok(_) | Err(Damage::At { .. }) => {
                Err(decoder.at("is not the beginning of what `fieldgate queue export` writes"))
            }
        }
    }

    /// The next record; none after the last one, when the trailer says that everything was as it was written.
    ///
    /// # Errors
    /// [`Damage`]; every record before it is as it was written.
    pub fn next(&mut self) -> Result<Option<Item>, Damage> {
        let (part, bytes) = self.part()?;
        match part {
            Part::Item(item) => {
                self.check_item(&item)?;
                self.hash.update(&bytes);
                self.items += 1;
                self.last.insert(item.stream, item.seq);
                self.advance(&bytes);
                Ok(Some(item))
            }
            Part::Trailer(trailer) => self.check_trailer(&trailer).map(|()| None),
            Part::Header(_) => Err(self.at("is a second header")),
        }
    }

    /// The next part and its bytes.
    fn part(&mut self) -> Result<(Part, Vec<u8>), Damage> {
        if self.is_json {
            self.place = Place::Line(self.line() + 1);
        }
        let mut bytes = Vec::new();
        let part = if self.is_json { self.line_part(&mut bytes) } else { self.data_item(&mut bytes) };
        match part? {
            Ok(Some(part)) => Ok((part, bytes)),
            Ok(None) => Err(self.at(if u64::try_from(bytes.len()).is_ok_and(|length| length >= MAX_PART_BYTES) {
                "is too long to be ours"
            } else {
                "is not there or breaks off: the file was cut"
            })),
            Err(what) => Err(self.at(&what)),
        }
    }

    fn line(&self) -> u64 {
        match self.place {
            Place::Line(number) | Place::Byte(number) => number,
        }
    }

    fn line_part(&mut self, bytes: &mut Vec<u8>) -> io::Result<Result<Option<Part>, String>> {
        (&mut self.reader).take(MAX_PART_BYTES).read_until(b'\n', bytes)?;
        Ok(match bytes.strip_suffix(b"\n") {
            Some(line) => ndjson::part(line).map(Some),
            None => Ok(None),
        })
    }

    fn data_item(&mut self, bytes: &mut Vec<u8>) -> io::Result<Result<Option<Part>, String>> {
        let mut tee = Tee { reader: (&mut self.reader).take(MAX_PART_BYTES), seen: bytes, failed: None };
        let part = cbor::part(&mut tee);
        match tee.failed {
            Some(error) => Err(error),
            None => Ok(part),
        }
    }

    fn advance(&mut self, bytes: &[u8]) {
        if let Place::Byte(byte) = &mut self.place {
            *byte = byte.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
    }

    fn at(&self, what: &str) -> Damage {
        Damage::At { place: self.place, what: what.to_owned() }
    }

    fn check_header(&self, header: &Header) -> Result<(), Damage> {
        if header.fieldgate_export > VERSION {
            let what = format!(
                "says format {}, this program knows {VERSION}: import with fieldgate {} or later",
                header.fieldgate_export, header.program
            );
            return Err(self.at(&what));
        }
        if header.sum == header.expected_sum() {
            Ok(())
        } else {
            Err(self.at("has a wrong checksum: the header was changed"))
        }
    }

    fn check_item(&self, item: &Item) -> Result<(), Damage> {
        if !item.record.kind.is_numbered() || item.seq == 0 || item.record.body.len() > MAX_RECORD_BYTES {
            return Err(self.at("is a record that no queue holds"));
        }
        if let Some(last) = self.last.get(&item.stream).filter(|last| **last >= item.seq) {
            return Err(self.at(&format!("has number {} of its stream, after number {last}", item.seq)));
        }
        Ok(())
    }

    fn check_trailer(&mut self, trailer: &Trailer) -> Result<(), Damage> {
        if !self.reader.fill_buf()?.is_empty() {
            return Err(self.at("is a trailer, but the file goes on"));
        }
        if trailer.items != self.items {
            return Err(self.at(&format!("says {} records, but there are {}", trailer.items, self.items)));
        }
        if trailer.xxh3 != format!("{:016x}", self.hash.digest()) {
            return Err(self.at("has another checksum than what stands before it: the file was changed"));
        }
        Ok(())
    }
}

/// Remembers what was read through it, and why reading failed.
struct Tee<'a, R> {
    reader: R,
    seen: &'a mut Vec<u8>,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(buffer) {
            Ok(length) => {
                self.seen.extend(buffer.get(..length).unwrap_or_default());
                Ok(length)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = (kind != io::ErrorKind::Interrupted).then_some(error);
                Err(kind.into())
            }
        }
    }
}

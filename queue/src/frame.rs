//! Frames: what one value in the store looks like. The table of their bytes is in the documentation of the crate.
//!
//! All numbers are big-endian, as in the key, so that there is one byte order to remember.

use serde::ser::{Serialize, Serializer};

use crate::body::{self, Coding};
use crate::{Kind, Record, StreamId};

pub(crate) const MAGIC: [u8; 4] = *b"FGQ1";
/// The layout that this version writes, and the newest it reads.
pub(crate) const LAYOUT: u8 = 2;
pub(crate) const HEADER_BYTES: usize = 59;
/// The header of layout 1, which has no group and no coding.
const HEADER_BYTES_1: usize = 50;
const CHECKED_FROM: usize = 8;
/// What the length of a frame counts from, from layout 2 on.
const COUNTED_FROM: usize = 12;
/// A body is at most so long, also after it was compressed.
const MAX_BODY_BYTES: usize = MAX_FRAME_BYTES;

/// A frame is at most so long, header included: 7 KiB. Longer values would become files of their own in the store,
/// which the store never syncs.
pub const MAX_FRAME_BYTES: usize = 7 * 1024;

/// A frame has at most so many records.
pub const MAX_FRAME_RECORDS: usize = 64;

/// Where a frame stands in the unit that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole = 0,
    First = 1,
    Middle = 2,
    Last = 3,
}

impl Part {
    fn from_byte(byte: u8) -> Option<Part> {
        [Part::Whole, Part::First, Part::Middle, Part::Last].into_iter().find(|part| *part as u8 == byte)
    }

    /// Whether more frames of the same unit have to follow.
    pub(crate) fn is_unfinished(self) -> bool {
        matches!(self, Part::First | Part::Middle)
    }
}

/// What a frame says about its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) part: Part,
    pub(crate) records: u16,
    pub(crate) numbered: u16,
    pub(crate) order: u64,
    pub(crate) stream: StreamId,
    pub(crate) first: u64,
    pub(crate) written_ms: u64,
    /// The number of the first record of the append that wrote it.
    pub(crate) group: u64,
}

/// Some records of a stream, stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The stream they belong to.
    pub stream: StreamId,
    /// The local counter of streams: a later stream has a higher one.
    pub order: u64,
    /// The sequence number of the first numbered record.
    pub first: u64,
    /// The sequence number of the last numbered record.
    pub last: u64,
    /// The wall clock when it was written, milliseconds since 1970; 0 when it was unknown.
    pub written_ms: u64,
    /// The records with and without a number, in their order.
    pub records: Vec<Record>,
}

/// Why bytes are not a frame of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameError {
    Damaged(&'static str),
    NewerLayout(u8),
}

struct Body<'a>(&'a [u8]);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Header {
    /// How long the frame is that begins here, as far as its own word goes; also one of a newer layout.
    pub(crate) fn frame_bytes(bytes: &[u8]) -> Option<usize> {
        let length = u32::from_be_bytes(bytes.get(CHECKED_FROM..COUNTED_FROM)?.try_into().ok()?);
        let counted_from = if *bytes.get(COUNTED_FROM)? == 1 { HEADER_BYTES_1 } else { COUNTED_FROM };
        usize::try_from(length).ok()?.checked_add(counted_from)
    }

    /// Checks magic, checksum and version, and reads the header of bytes that are one frame.
    pub(crate) fn parse(frame: &[u8]) -> Result<Header, FrameError> {
        Ok(Self::split(frame)?.0)
    }

    /// The header, the coding of the body, and the body.
    fn split(frame: &[u8]) -> Result<(Header, Coding, &[u8]), FrameError> {
        check_sum(frame)?;
        let mut fields = Fields(&frame[COUNTED_FROM..]);
        let version = fields.u8();
        if version > LAYOUT {
            return Err(FrameError::NewerLayout(version));
        }
        let header_bytes = if version == 1 { HEADER_BYTES_1 } else { HEADER_BYTES };
        if frame.len() < header_bytes || Self::frame_bytes(frame) != Some(frame.len()) {
            return Err(FrameError::Damaged("the length is wrong"));
        }
        let impossible = FrameError::Damaged("a field of the header is impossible");
        let (header, coding) = fields.header(version).ok_or(impossible)?;
        Ok((header, coding, fields.0))
    }

    /// The sequence number of the last numbered record.
    pub(crate) fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.numbered).saturating_sub(1))
    }

    /// The frame with these records, which the caller has counted.
    pub(crate) fn encode(&self, records: &[&Record]) -> Result<Vec<u8>, serde_cbor::Error> {
        let (coding, body) = body::shorten(array_of(records)?);
        let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
        frame.extend(MAGIC);
        frame.extend([0; 4]);
        let counted = HEADER_BYTES - COUNTED_FROM + body.len();
        frame.extend(u32::try_from(counted).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend([LAYOUT, self.part as u8]);
        frame.extend([self.records, self.numbered].map(u16::to_be_bytes).concat());
        let numbers = [self.order, self.stream.as_u64(), self.first, self.written_ms, self.group];
        frame.extend(numbers.map(u64::to_be_bytes).concat());
        frame.push(coding as u8);
        frame.extend(body);
        let sum = crc32fast::hash(&frame[CHECKED_FROM..]).to_be_bytes();
        frame[MAGIC.len()..CHECKED_FROM].copy_from_slice(&sum);
        Ok(frame)
    }
}

impl Frame {
    /// Checks everything and reads the records.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
        let (header, coding, body) = Header::split(bytes)?;
        let body = body::restore(coding, body, MAX_BODY_BYTES)
            .ok_or(FrameError::Damaged("the body is too long or cannot be decompressed"))?;
        let pairs: Vec<(u8, &[u8])> =
            serde_cbor::from_slice(&body).map_err(|_| FrameError::Damaged("the body is not an array of records"))?;
        let records: Vec<Record> =
            pairs.into_iter().map(|(kind, body)| Record { kind: Kind(kind), body: body.to_vec() }).collect();
        let numbered = records.iter().filter(|record| record.kind.is_numbered()).count();
        if records.len() != usize::from(header.records) || numbered != usize::from(header.numbered) {
            return Err(FrameError::Damaged("the body has another number of records than the header says"));
        }
        Ok(Frame {
            stream: header.stream,
            order: header.order,
            first: header.first,
            last: header.last(),
            written_ms: header.written_ms,
            records,
        })
    }
}

/// The body of a frame as it is before compression.
fn array_of(records: &[&Record]) -> Result<Vec<u8>, serde_cbor::Error> {
    let pairs: Vec<(u8, Body<'_>)> = records.iter().map(|record| (record.kind.0, Body(&record.body))).collect();
    serde_cbor::to_vec(&pairs)
}

fn check_sum(frame: &[u8]) -> Result<(), FrameError> {
    if frame.len() < HEADER_BYTES_1 || frame[..MAGIC.len()] != MAGIC {
        return Err(FrameError::Damaged("it does not begin like a frame"));
    }
    if frame[MAGIC.len()..CHECKED_FROM] != crc32fast::hash(&frame[CHECKED_FROM..]).to_be_bytes() {
        return Err(FrameError::Damaged("the checksum is wrong"));
    }
    Ok(())
}

/// Takes big-endian numbers from the front of a header whose length was checked.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }

    fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.take())
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    /// The rest of the header, and how the body is coded.
    fn header(&mut self, version: u8) -> Option<(Header, Coding)> {
        let mut header = Header {
            part: Part::from_byte(self.u8())?,
            records: self.u16(),
            numbered: self.u16(),
            order: self.u64(),
            stream: StreamId::from_u64(self.u64())?,
            first: self.u64(),
            written_ms: self.u64(),
            group: 0,
        };
        // Of layout 1 each frame counts as an append of its own.
        header.group = if version > 1 { self.u64() } else { header.first };
        let coding = if version > 1 { Coding::from_byte(self.u8())? } else { Coding::Plain };
        let is_possible = header.numbered > 0 && (1..=header.first).contains(&header.group);
        is_possible.then_some((header, coding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> (Vec<u8>, Vec<Record>) {
        let records = vec![
            Record { kind: Kind::READING, body: b"one".to_vec() },
            Record { kind: Kind(0x42), body: vec![] },
            Record { kind: Kind(0xfe), body: vec![9; 300] },
        ];
        (encoded(&records), records)
    }

    fn encoded(records: &[Record]) -> Vec<u8> {
        let numbered = records.iter().filter(|record| record.kind.is_numbered()).count();
        let header = Header {
            part: Part::Whole,
            records: u16::try_from(records.len()).unwrap(),
            numbered: u16::try_from(numbered).unwrap(),
            order: 5,
            stream: StreamId::from_u64(0x1234).unwrap(),
            first: 77,
            written_ms: 1_000,
            group: 70,
        };
        header.encode(&records.iter().collect::<Vec<_>>()).unwrap()
    }

    /// The sample with another body, and a length and checksum that fit it.
    fn with_body(coding: u8, body: &[u8]) -> Vec<u8> {
        let mut frame = sample().0;
        frame.truncate(HEADER_BYTES);
        frame[HEADER_BYTES - 1] = coding;
        frame.extend(body);
        let counted = u32::try_from(frame.len() - COUNTED_FROM).unwrap();
        frame[CHECKED_FROM..COUNTED_FROM].copy_from_slice(&counted.to_be_bytes());
        with_sum(frame)
    }

    fn with_sum(mut frame: Vec<u8>) -> Vec<u8> {
        let sum = crc32fast::hash(&frame[CHECKED_FROM..]).to_be_bytes();
        frame[4..8].copy_from_slice(&sum);
        frame
    }

    #[test]
    fn comes_back_as_it_went_with_kinds_nobody_knows() {
        let (bytes, records) = sample();
        assert_eq!((Header::frame_bytes(&bytes), Header::parse(&bytes).unwrap().group), (Some(bytes.len()), 70));
        let frame = Frame::decode(&bytes).unwrap();
        assert_eq!((frame.order, frame.first, frame.last, frame.written_ms), (5, 77, 78, 1_000));
        assert_eq!((frame.stream.as_u64(), frame.records), (0x1234, records));
    }

    #[test]
    fn the_layout_on_disk_does_not_change() {
        let (bytes, _) = sample();
        assert_eq!(&bytes[..4], b"FGQ1");
        assert_eq!(bytes[8..12], u32::try_from(bytes.len() - 12).unwrap().to_be_bytes());
        assert_eq!(bytes[12..18], [2, 0, 0, 3, 0, 2]);
        assert_eq!((bytes[25], bytes[32], bytes[33], bytes[41], bytes[48], bytes[49]), (5, 0x12, 0x34, 77, 3, 232));
        assert_eq!(bytes[57..59], [70, 1]);
    }

    #[test]
    fn a_frame_of_the_first_layout_is_read() {
        let mut old = b"FGQ1\0\0\0\0\0\0\0\x06\x01\0\0\x01\0\x01".to_vec();
        old.extend([5_u64, 0x1234, 77, 1_000].map(u64::to_be_bytes).concat());
        old.extend([0x81, 0x82, 0x01, 0x42, b'o', b'k']);
        let old = with_sum(old);
        assert_eq!((Header::frame_bytes(&old), Header::parse(&old).unwrap().group), (Some(old.len()), 77));
        assert_eq!(Frame::decode(&old).unwrap().records, [Record { kind: Kind::READING, body: b"ok".to_vec() }]);
    }

    #[test]
    fn a_compressed_body_of_the_second_layout_is_read() {
        let body = b"\xff\x03\x83\x82\x01\x43one\x82\x18\x42\x40\x82\x18\xfe\x59\x01\x2c\x09\
                     \x01\x00\xff\x13\x60\x09\x09\x09\x09\x09\x09";
        assert_eq!(Frame::decode(&with_body(1, body)).unwrap().records, sample().1);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (bytes, _) = sample();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Frame::decode(&damaged), Err(FrameError::Damaged(_))), "bit {bit}");
        }
    }

    #[test]
    fn every_shortened_frame_is_noticed() {
        let (bytes, _) = sample();
        for length in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..length]).is_err());
        }
        assert!(Frame::decode(&with_sum(bytes[..bytes.len() - 1].to_vec())).is_err());
    }

    #[test]
    fn a_good_checksum_does_not_excuse_wrong_contents() {
        let (bytes, _) = sample();
        for (offset, byte) in [(13, 9), (15, 4), (17, 1), (17, 0), (57, 0), (57, 78), (58, 0), (58, 2), (59, 0x60)] {
            let mut wrong = bytes.clone();
            wrong[offset] = byte;
            assert!(matches!(Frame::decode(&with_sum(wrong)), Err(FrameError::Damaged(_))), "{offset}");
        }
    }

    /// Its length is told in the same way, so that it is found in a raw file and refused.
    #[test]
    fn a_newer_layout_is_not_damage() {
        let (mut bytes, _) = sample();
        bytes[12] = 3;
        assert_eq!(Header::frame_bytes(&bytes), Some(bytes.len()));
        assert_eq!(Frame::decode(&with_sum(bytes)), Err(FrameError::NewerLayout(3)));
    }

    #[test]
    fn a_plain_body_is_read_and_one_that_grows_too_long_is_not() {
        let (_, records) = sample();
        let plain = array_of(&records.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(Frame::decode(&with_body(0, &plain)).unwrap().records, records);
        let endless = body::shorten(vec![0; 1_000_000]).1;
        assert!(endless.len() < MAX_BODY_BYTES);
        assert!(matches!(Frame::decode(&with_body(1, &endless)), Err(FrameError::Damaged(_))));
    }

    #[test]
    fn the_shortest_bytes_that_may_be_a_header_are_no_frame_of_this_layout() {
        for length in HEADER_BYTES_1..HEADER_BYTES {
            let mut frame = sample().0[..length].to_vec();
            let counted = u32::try_from(length - COUNTED_FROM).unwrap();
            frame[CHECKED_FROM..COUNTED_FROM].copy_from_slice(&counted.to_be_bytes());
            assert_eq!(Header::parse(&with_sum(frame)), Err(FrameError::Damaged("the length is wrong")), "{length}");
        }
    }

    fn any_records() -> impl Strategy<Value = Vec<Record>> {
        let body = (proptest::collection::vec(any::<u8>(), 0..10), 1..10_usize);
        let record = (any::<u8>(), body.prop_map(|(bytes, times)| bytes.repeat(times)));
        let records = proptest::collection::vec(record, 0..MAX_FRAME_RECORDS);
        records.prop_map(|records| {
            let numbered = (Kind::READING.0, b"a reading".to_vec());
            let all = [numbered].into_iter().chain(records);
            all.map(|(kind, body)| Record { kind: Kind(kind), body }).collect()
        })
    }

    proptest! {
        #[test]
        fn any_records_come_back_and_compression_never_makes_a_frame_longer(records in any_records()) {
            let bytes = encoded(&records);
            let plain = array_of(&records.iter().collect::<Vec<_>>()).unwrap();
            prop_assert!(bytes.len() <= HEADER_BYTES + plain.len());
            prop_assert_eq!(Header::frame_bytes(&bytes), Some(bytes.len()));
            prop_assert_eq!(Frame::decode(&bytes).unwrap().records, records);
        }

        #[test]
        fn a_hostile_body_is_damage_or_has_the_records_of_the_header(
            coding in 0..3_u8, body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            match Frame::decode(&with_body(coding, &body)) {
                Ok(frame) => prop_assert_eq!(frame.records.len(), 3),
                Err(error) => prop_assert!(matches!(error, FrameError::Damaged(_))),
            }
        }

        #[test]
        fn a_changed_byte_under_a_good_checksum_never_panics(at: usize, byte: u8) {
            let (mut bytes, _) = sample();
            let at = CHECKED_FROM + at % (bytes.len() - CHECKED_FROM);
            bytes[at] = byte;
            let decoded = Frame::decode(&with_sum(bytes));
            prop_assert!(decoded.is_err() || decoded.is_ok_and(|frame| frame.records.len() == 3));
        }
    }
}

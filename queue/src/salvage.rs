//! Finding frames in the raw file of a store, whatever state that is in.
//!
//! The storage library writes a frame several times over, between bytes of its own. A frame says itself what it is, and
//! its checksum proves it, so everything that was made durable is found, wherever it lies. What lies in a part of the
//! disk that cannot be read is passed over.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::QueueError;
use crate::frame::{FrameError, Header, MAGIC, MAX_FRAME_BYTES};
use crate::index::{FrameRef, newer_layout};

/// Read at once. What begins at the end of a piece is looked at with the next one.
const PIECE_BYTES: usize = 256 * 1024;
/// The smallest part of a disk that can be unreadable on its own.
const SECTOR_BYTES: usize = 4096;

/// Bytes that can be read at any place.
pub(crate) trait Bytes {
    /// How many there are.
    fn length(&self) -> u64;
    /// Fills the buffer from an offset as far as there is something, and says how far.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Bytes for File {
    fn length(&self) -> u64 {
        self.metadata().map_or(0, |about| if about.is_file() { about.len() } else { 0 })
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            match self.read_at(&mut buffer[done..], at) {
                Ok(0) => break,
                Ok(more) => done += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Bytes for &[u8] {
    fn length(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// Every valid frame in some bytes, in the order in which they lie there; copies are found several times.
///
/// # Errors
/// [`QueueError::NewerLayout`] when a newer version wrote one of them. Bytes that cannot be read are no error.
pub(crate) fn frames_in(bytes: &impl Bytes, place: &str) -> Result<Vec<FrameRef>, QueueError> {
    let mut found = Vec::new();
    let mut buffer = vec![0; PIECE_BYTES + MAX_FRAME_BYTES];
    let mut start: u64 = 0;
    let end = bytes.length();
    while start < end {
        let length = read_past_errors(bytes, start, &mut buffer);
        let is_last = length < buffer.len();
        let beginnings = if is_last { length } else { PIECE_BYTES };
        search(&buffer[..length], beginnings, start, place, &mut found)?;
        if is_last {
            break;
        }
        start = start.saturating_add(u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX));
    }
    Ok(found)
}

/// Reads sector by sector where reading at once fails; an unreadable sector counts as zeros.
fn read_past_errors(bytes: &impl Bytes, start: u64, buffer: &mut [u8]) -> usize {
    if let Ok(length) = bytes.read(start, buffer) {
        return length;
    }
    let mut length = 0;
    for (index, sector) in buffer.chunks_mut(SECTOR_BYTES).enumerate() {
        let at = start.saturating_add(u64::try_from(index * SECTOR_BYTES).unwrap_or(u64::MAX));
        match bytes.read(at, sector) {
            Ok(read) if read < sector.len() => return length + read,
            Ok(read) => length += read,
            Err(_) => {
                sector.fill(0);
                length += sector.len();
            }
        }
    }
    length
}

/// Looks at every place below `beginnings` where a frame may begin.
fn search(
    piece: &[u8],
    beginnings: usize,
    start: u64,
    place: &str,
    found: &mut Vec<FrameRef>,
) -> Result<(), QueueError> {
    let mut at = 0;
    while let Some(next) =
        find(&piece[at.min(piece.len())..], &MAGIC).map(|step| at + step).filter(|at| *at < beginnings)
    {
        at = next + MAGIC.len();
        match frame_at(&piece[next..]) {
            Ok(Some((header, bytes))) => {
                let offset = start.saturating_add(u64::try_from(next).unwrap_or(u64::MAX));
                found.push(FrameRef::new(&header, offset, bytes));
            }
            Ok(None) => {}
            Err(layout) => return Err(newer_layout(place.to_owned(), layout)),
        }
    }
    Ok(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

/// The frame that begins here, if there is one; the layout of one that is too new.
fn frame_at(bytes: &[u8]) -> Result<Option<(Header, usize)>, u8> {
    let length = Header::frame_bytes(bytes).filter(|length| *length <= MAX_FRAME_BYTES);
    let Some((length, frame)) = length.and_then(|length| Some((length, bytes.get(..length)?))) else {
        return Ok(None);
    };
    match Header::parse(frame) {
        Ok(header) => Ok(Some((header, length))),
        Err(FrameError::NewerLayout(layout)) => Err(layout),
        Err(FrameError::Damaged(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Part;
    use crate::{Kind, Record, StreamId};
    use proptest::prelude::*;

    fn frame(first: u64, bytes: usize) -> Vec<u8> {
        let header = Header {
            part: Part::Whole,
            records: 1,
            numbered: 1,
            order: 1,
            stream: StreamId::from_u64(9).unwrap(),
            first,
            written_ms: 0,
            group: first,
        };
        // No length of a run of equal bytes makes it shorter than a piece of the file.
        let body = (0..bytes).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect();
        header.encode(&[&Record { kind: Kind::READING, body }]).unwrap()
    }

    fn firsts(bytes: &[u8]) -> Vec<u64> {
        frames_in(&bytes, "x").unwrap().iter().map(|frame| frame.first).collect()
    }

    /// Wherever a frame lies, also across the pieces in which the file is read.
    #[test]
    fn frames_are_found_at_every_place_near_the_end_of_a_piece() {
        let frame = frame(3, 6000);
        for before in (PIECE_BYTES - frame.len() - 2..PIECE_BYTES + 2).step_by(97).chain([PIECE_BYTES - 1, PIECE_BYTES])
        {
            let mut bytes = vec![b'F'; before];
            bytes.extend(&frame);
            let found = frames_in(&bytes.as_slice(), "x").unwrap();
            assert_eq!(found.iter().map(|one| usize::try_from(one.offset).unwrap()).collect::<Vec<_>>(), [before]);
        }
    }

    #[test]
    fn a_frame_within_bytes_that_only_begin_like_one_is_found() {
        let mut bytes = frame(1, 500)[..300].to_vec();
        bytes.extend(frame(2, 20));
        bytes.extend(b"FGQ1FGQ1");
        bytes.extend(frame(3, 20));
        bytes.extend(&frame(4, 20)[..30]);
        assert_eq!(firsts(&bytes), [2, 3]);
    }

    struct WithBadSector(Vec<u8>);

    impl Bytes for WithBadSector {
        fn length(&self) -> u64 {
            self.0.as_slice().length()
        }

        fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let (bad_from, bad_to) = (8 * 4096, 9 * 4096);
            let end = offset + u64::try_from(buffer.len()).unwrap();
            match offset < bad_to && end > bad_from {
                true => Err(io::ErrorKind::Other.into()),
                false => self.0.as_slice().read(offset, buffer),
            }
        }
    }

    #[test]
    fn a_sector_that_cannot_be_read_costs_only_what_lies_in_it() {
        let frames: Vec<u8> = (0..20).flat_map(|first| frame(first + 1, 3000)).collect();
        let each = frame(1, 3000).len();
        let found = frames_in(&WithBadSector(frames), "x").unwrap();
        let in_bad = |at: usize| at * each < 9 * 4096 && (at + 1) * each > 8 * 4096;
        let expected: Vec<u64> = (0..20).filter(|at| !in_bad(*at)).map(|at| u64::try_from(at).unwrap() + 1).collect();
        assert_eq!(found.iter().map(|one| one.first).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_are_searched_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000), cuts in proptest::collection::vec((0_usize..3000, 0_usize..200), 0..4)) {
            let mut bytes = bytes;
            for (at, length) in cuts {
                let at = at.min(bytes.len());
                bytes.splice(at..at, frame(5, length).into_iter().take(length));
            }
            frames_in(&bytes.as_slice(), "x").unwrap();
        }
    }
}

//! What the fuzz targets call: bytes from anywhere, and what must hold of them. Each says whether it could use them.
//!
//! Behind the checksums lies the code that believes them. So each tries the bytes as they are and with right checksums.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::frame::{Header, MAGIC, MAX_FRAME_BYTES, MAX_FRAME_RECORDS};
use crate::generations::{Generation, Generations};
use crate::index::{FrameRef, Index};
use crate::marks::{self, Marks};
use crate::missing::explain;
use crate::salvage::frames_in;
use crate::seal::{self, Seal};
use crate::{Frame, Record};

/// What lies in front of the checked bytes of a frame.
const SUM: Range<usize> = 4..8;

/// Decodes a frame. What can be decoded is bounded, and comes back when it is encoded again.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn frame(bytes: &[u8]) -> bool {
    let as_it_is = check_frame(bytes);
    let mut summed = bytes.to_vec();
    put_sum(&mut summed);
    check_frame(&summed) || as_it_is
}

fn check_frame(bytes: &[u8]) -> bool {
    let parsed = Header::parse(bytes);
    let Ok(frame) = Frame::decode(bytes) else { return false };
    let Ok(header) = parsed else { panic!("a frame without a header: {frame:?}") };
    let body: usize = frame.records.iter().map(|record| record.body.len()).sum();
    assert!(body <= MAX_FRAME_BYTES, "{body} bytes in records");
    assert_eq!((frame.first, frame.last, frame.stream), (header.first, header.last(), header.stream));
    let numbered = frame.records.iter().filter(|record| record.kind.is_numbered()).count();
    let counted = (usize::from(header.records), usize::from(header.numbered));
    assert_eq!((frame.records.len(), numbered), counted, "other records than the header says");
    if frame.records.len() <= MAX_FRAME_RECORDS {
        comes_back(&header, &frame);
    }
    true
}

fn comes_back(header: &Header, frame: &Frame) {
    let records: Vec<&Record> = frame.records.iter().collect();
    let Ok(again) = header.encode(&records) else { panic!("what was decoded cannot be encoded: {frame:?}") };
    assert_eq!(Header::parse(&again).as_ref(), Ok(header));
    assert_eq!(Frame::decode(&again).as_ref(), Ok(frame));
}

/// Searches a raw file for frames and puts them into order. What is found is a frame, lies within the file, and is in the
/// index once.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn search(bytes: &[u8]) -> bool {
    let as_it_is = check_search(bytes);
    check_search(&with_right_sums(bytes)) || as_it_is
}

fn check_search(bytes: &[u8]) -> bool {
    let Ok(found) = frames_in(&bytes, "the bytes") else { return false };
    found.iter().for_each(|frame| check_found(bytes, frame));
    assert!(found.is_sorted_by(|one, next| one.offset < next.offset), "not in the order of the file");
    let index = Index::new(found.clone());
    assert!(index.frames().len() <= found.len());
    check_index(&index);
    check_index(&index.clone().with_orders(|stream| Some(stream.as_u64())));
    let whole = index.clone().without_unfinished_units();
    assert!(whole.frames().iter().all(|frame| index.frames().contains(frame)), "a frame from nowhere");
    check_index(&whole);
    !whole.frames().is_empty()
}

fn check_found(bytes: &[u8], found: &FrameRef) {
    let place = usize::try_from(found.offset).ok().zip(usize::try_from(found.bytes).ok());
    let frame = place.and_then(|(offset, length)| bytes.get(offset..offset.checked_add(length)?));
    let Some(frame) = frame else { panic!("{found:?} is not within {} bytes", bytes.len()) };
    assert!(frame.len() <= MAX_FRAME_BYTES, "{} bytes", frame.len());
    let Ok(header) = Header::parse(frame) else { panic!("{found:?} is no frame") };
    assert_eq!(FrameRef::new(&header, found.offset, frame.len()), *found);
    let _ = check_frame(frame);
}

fn check_index(index: &Index) {
    let frames = index.frames();
    let in_runs: usize = index.runs().iter().map(ExactSizeIterator::len).sum();
    assert_eq!(in_runs, frames.len());
    assert!(index.holes().iter().all(|hole| hole.first <= hole.last));
    for run in index.runs() {
        let (stream, order, run) = (frames[run.start].stream, frames[run.start].order, &frames[run]);
        if run.iter().any(|frame| frame.order != order) {
            // No queue writes that, and no damage gets past the checksum.
            continue;
        }
        assert!(run.is_sorted_by(|one, next| one.first < next.first), "a number twice: {run:?}");
        if run.is_sorted_by(|one, next| one.last() < next.first) && index.runs().len() == 1 {
            let finds = |frame: &FrameRef| index.at(stream, frame.last(), 0) == Some(frame);
            assert!(run.iter().all(finds), "a frame that is not found: {run:?}");
        }
    }
    let seal = Seal::of(index);
    assert_eq!(usize::try_from(seal.frames), Ok(frames.len()));
    check_generation(seal);
}

/// Reads the file of marks. What can be read comes back when it is written again.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn marks(bytes: &[u8]) -> bool {
    let as_it_is = check_marks(bytes);
    marks::with_right_checksum(bytes).is_some_and(|summed| check_marks(&summed)) || as_it_is
}

fn check_marks(bytes: &[u8]) -> bool {
    let Ok(read) = Marks::from_json(bytes) else { return false };
    let again = read.to_json().ok().and_then(|again| Marks::from_json(&again).ok());
    assert_eq!(again.as_ref(), Some(&read));
    assert!(read.list().is_sorted_by_key(|known| known.order));
    for known in read.list() {
        assert!(known.order <= read.highest_order());
        assert_eq!(read.get(known.stream), Some(known));
        let asked = (1, known.end.saturating_add(1).min(u64::MAX - 1));
        let spans = explain(asked, read.dropped(known.stream), |number| number % 2 == 0);
        let follows = spans.windows(2).all(|pair| pair[0].last.checked_add(1) == Some(pair[1].first));
        let ends = (spans.first().map(|span| span.first), spans.last().map(|span| span.last));
        assert!(follows && ends == (Some(asked.0), Some(asked.1)), "{asked:?}: {spans:?}");
    }
    true
}

/// Reads the seal of a generation. What can be read comes back when it is written again.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn seal(bytes: &[u8]) -> bool {
    let as_it_is = check_seal(bytes);
    seal::with_right_checksum(bytes).is_some_and(|summed| check_seal(&summed)) || as_it_is
}

fn check_seal(bytes: &[u8]) -> bool {
    let Some(read) = Seal::from_json(bytes) else { return false };
    let again = read.to_json().ok().and_then(|again| Seal::from_json(&again));
    assert_eq!(again.as_ref(), Some(&read));
    check_generation(read);
    true
}

/// A generation that believes this seal, and then finds nothing of it in its file.
fn check_generation(seal: Seal) {
    let streams: Vec<_> = seal.held.iter().map(|held| held.stream).collect();
    let mut generations = Generations::of(BTreeMap::from([(1, Generation::new(seal, true))]));
    let spans = generations.spans();
    assert!(spans.iter().all(|span| streams.contains(&span.stream)));
    assert!(streams.iter().all(|stream| generations.candidates(*stream, 0).len() == 1));
    for known in generations.all.values_mut().filter(|known| known.frames() > 0) {
        known.correct(&Index::default());
        assert_eq!((known.live_bytes(), known.visible.len(), known.is_all_hidden()), (0, 0, true));
    }
}

/// With a right checksum for everything that begins like a frame and has the length that it says.
fn with_right_sums(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut summed = Cow::Borrowed(bytes);
    for at in memchr::memmem::find_iter(bytes, &MAGIC) {
        let length = Header::frame_bytes(&bytes[at..]).filter(|length| *length <= MAX_FRAME_BYTES);
        let end = length.and_then(|length| at.checked_add(length)).filter(|end| *end <= bytes.len());
        end.into_iter().for_each(|end| put_sum(&mut summed.to_mut()[at..end]));
    }
    summed
}

fn put_sum(frame: &mut [u8]) {
    let sum = frame.get(SUM.end..).map(crc32fast::hash);
    let place = frame.get_mut(SUM);
    place.zip(sum).into_iter().for_each(|(place, sum)| place.copy_from_slice(&sum.to_be_bytes()));
}

//! Which frames a generation holds, and where they are: read once from its file, or kept while it is written.

use std::ops::Range;

use crate::frame::{Header, Part};
use crate::key::Key;
use crate::{QueueError, StreamId};

/// One frame of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameRef {
    pub(crate) stream: StreamId,
    pub(crate) order: u64,
    pub(crate) first: u64,
    pub(crate) numbered: u16,
    pub(crate) part: Part,
    /// The number of the first record of the append that wrote it.
    pub(crate) group: u64,
    pub(crate) written_ms: u64,
    /// Where it begins in the generation's file; not known while that is written.
    pub(crate) offset: u64,
    /// Its length in bytes, header included.
    pub(crate) bytes: u32,
}

impl FrameRef {
    pub(crate) fn new(header: &Header, offset: u64, bytes: usize) -> FrameRef {
        FrameRef {
            stream: header.stream,
            order: header.order,
            first: header.first,
            numbered: header.numbered,
            part: header.part,
            group: header.group,
            written_ms: header.written_ms,
            offset,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }

    /// The number of its last numbered record.
    pub(crate) fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.numbered).saturating_sub(1))
    }

    pub(crate) fn key(&self) -> Key {
        Key { order: self.order, first: self.first }
    }

    fn follows(&self, before: &FrameRef) -> bool {
        self.stream == before.stream && before.last().checked_add(1) == Some(self.first)
    }
}

/// Numbers of a stream, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) stream: StreamId,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// All frames of a generation, by stream in their order, and by number within a stream; none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    frames: Vec<FrameRef>,
}

impl Index {
    /// Sorts what was found and drops doubles.
    pub(crate) fn new(mut frames: Vec<FrameRef>) -> Index {
        frames.sort_unstable_by_key(|frame| (frame.order, frame.stream, frame.first, frame.offset));
        frames.dedup_by_key(|frame| (frame.stream, frame.first));
        Index { frames }
    }

    /// Drops what a crash left of a unit: it is in the last append of its stream, and not whole. Nobody was told that it
    /// is durable, and its node may send it again.
    pub(crate) fn without_unfinished_units(mut self) -> Index {
        self.drop_unfinished_units();
        self
    }

    pub(crate) fn frames(&self) -> &[FrameRef] {
        &self.frames
    }

    /// The same frames in the order that the streams have in this queue; what comes from another one has its own.
    pub(crate) fn with_orders(self, order_of: impl Fn(StreamId) -> Option<u64>) -> Index {
        let frames = self
            .frames
            .into_iter()
            .map(|frame| FrameRef { order: order_of(frame.stream).unwrap_or(frame.order), ..frame });
        Index::new(frames.collect())
    }

    /// Adds a frame that was just written.
    pub(crate) fn push(&mut self, frame: FrameRef) {
        self.frames.push(frame);
    }

    /// Forgets a frame that turned out to be unreadable.
    pub(crate) fn forget(&mut self, frame: &FrameRef) {
        self.frames.retain(|kept| kept != frame);
    }

    /// The places of the frames of each stream, oldest stream first.
    pub(crate) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (at, frame) in self.frames.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if self.frames[run.start].stream == frame.stream => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }

    /// The first frame of a stream, among those from the place `hidden` on, that holds a number or a higher one.
    pub(crate) fn at(&self, stream: StreamId, number: u64, hidden: usize) -> Option<&FrameRef> {
        let frames = self.frames.get(hidden..)?;
        let run = self.runs_from(frames, stream)?;
        let found = run.partition_point(|frame| frame.last() < number);
        run.get(found)
    }

    fn runs_from<'a>(&self, frames: &'a [FrameRef], stream: StreamId) -> Option<&'a [FrameRef]> {
        // Mostly there is one stream, so looking at both ends answers at once.
        if frames.first()?.stream == stream && frames.last()?.stream == stream {
            return Some(frames);
        }
        let start = frames.iter().position(|frame| frame.stream == stream)?;
        let length = frames[start..].iter().take_while(|frame| frame.stream == stream).count();
        Some(&frames[start..start + length])
    }

    /// Numbers that are missing between two frames of a stream.
    pub(crate) fn holes(&self) -> Vec<Numbers> {
        let pairs =
            self.frames.windows(2).filter(|pair| pair[0].stream == pair[1].stream && !pair[1].follows(&pair[0]));
        pairs
            .filter_map(|pair| {
                let (first, last) = (pair[0].last().checked_add(1)?, pair[1].first.checked_sub(1)?);
                (first <= last).then_some(Numbers { stream: pair[0].stream, first, last })
            })
            .collect()
    }

    /// Whether a missing number belongs to the last append of its stream, which may never have been finished.
    pub(crate) fn is_in_last_group(&self, stream: StreamId, number: u64) -> bool {
        let last = self.frames.iter().rfind(|frame| frame.stream == stream);
        last.is_some_and(|frame| frame.group <= number && number < frame.first)
    }

    fn drop_unfinished_units(&mut self) {
        let mut doomed = vec![false; self.frames.len()];
        for run in self.runs() {
            let last_group = self.frames[run.end - 1].group;
            for unit in units(&self.frames[run.clone()], run.start) {
                let is_last = self.frames[unit.start].group == last_group;
                if is_last && !is_whole(&self.frames[unit.clone()]) {
                    doomed[unit].fill(true);
                }
            }
        }
        let mut at = 0;
        self.frames.retain(|_| {
            at += 1;
            !doomed[at - 1]
        });
    }
}

/// The places of frames that stand beside each other and carry one unit, or what is left of one.
fn units(frames: &[FrameRef], offset: usize) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        let goes_on = at > 0
            && matches!(frame.part, Part::Middle | Part::Last)
            && frames[at - 1].part.is_unfinished()
            && frame.follows(&frames[at - 1]);
        match units.last_mut() {
            Some(unit) if goes_on => unit.end = offset + at + 1,
            _ => units.push(offset + at..offset + at + 1),
        }
    }
    units
}

fn is_whole(unit: &[FrameRef]) -> bool {
    match (unit.first().map(|frame| frame.part), unit.last().map(|frame| frame.part)) {
        (Some(Part::Whole), _) => true,
        (first, last) => first == Some(Part::First) && last == Some(Part::Last),
    }
}

/// The error for a frame that a newer version wrote.
pub(crate) fn newer_layout(place: String, found: u8) -> QueueError {
    QueueError::NewerLayout { place, found: found.into(), known: crate::frame::LAYOUT.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bits: u64, first: u64, numbered: u16, part: Part, group: u64) -> FrameRef {
        let stream = StreamId::from_u64(bits).unwrap();
        FrameRef { stream, order: bits, first, numbered, part, group, written_ms: 0, offset: first, bytes: 100 }
    }

    fn firsts(index: &Index) -> Vec<u64> {
        index.frames().iter().map(|frame| frame.first).collect()
    }

    #[test]
    fn doubles_go_and_the_order_comes_back() {
        let whole = |bits, first| frame(bits, first, 2, Part::Whole, first);
        let mut copy = whole(1, 3);
        copy.offset = 900;
        let index = Index::new(vec![copy, whole(2, 1), whole(1, 1), whole(1, 3)]);
        let found: Vec<(u64, u64)> = index.frames().iter().map(|frame| (frame.order, frame.first)).collect();
        assert_eq!(found, [(1, 1), (1, 3), (2, 1)]);
        assert_eq!(index.runs(), [0..2, 2..3]);
    }

    #[test]
    fn a_number_is_found_in_its_frame_or_after_the_hole() {
        let frames =
            vec![frame(1, 1, 5, Part::Whole, 1), frame(1, 11, 5, Part::Whole, 1), frame(2, 1, 1, Part::Whole, 1)];
        let index = Index::new(frames);
        let stream = StreamId::from_u64(1).unwrap();
        let at = |number, hidden| index.at(stream, number, hidden).map(|frame| frame.first);
        assert_eq!((at(0, 0), at(5, 0), at(6, 0), at(15, 0), at(16, 0)), (Some(1), Some(1), Some(11), Some(11), None));
        assert_eq!((at(1, 1), at(1, 2)), (Some(11), None));
        assert_eq!(index.holes(), [Numbers { stream, first: 6, last: 10 }]);
        assert!(index.is_in_last_group(stream, 8) && !index.is_in_last_group(stream, 12));
    }

    #[test]
    fn what_is_left_of_a_unit_goes_only_from_the_last_group() {
        let parts = |group| {
            [
                frame(1, group, 1, Part::First, group),
                frame(1, group + 1, 1, Part::Middle, group),
                frame(1, group + 2, 1, Part::Last, group),
            ]
        };
        let whole_units = |frames| Index::new(frames).without_unfinished_units();
        let without = |group: u64, missing: usize| {
            let mut frames = parts(group).to_vec();
            frames.remove(missing);
            frames
        };
        for missing in 0..3 {
            let last = [vec![frame(1, 1, 1, Part::Whole, 1)], without(5, missing)].concat();
            assert_eq!(firsts(&whole_units(last)), [1], "{missing} is missing in the last group");
            let earlier = [without(5, missing), vec![frame(1, 8, 1, Part::Whole, 8)]].concat();
            assert_eq!(whole_units(earlier).frames().len(), 3, "{missing} is missing in an earlier group");
        }
        assert_eq!(firsts(&whole_units(parts(5).to_vec())), [5, 6, 7]);
    }
}

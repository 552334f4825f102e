//! Every record of a queue, stream by stream, up to where each stream ended when the walk began. Readings come and leave
//! meanwhile: what leaves is told apart from what is missing.

use crate::local::{QueueAccess, QueuedStream};
use queue::{Numbered, StreamId};
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::ControlFlow;

/// Some numbers of a stream, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The stream.
    pub stream: StreamId,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// What is met on the way.
#[derive(Debug, PartialEq, Eq)]
pub enum Met<'a> {
    /// A record.
    Record(&'a QueuedStream, Numbered),
    /// Numbers that are not there and should be.
    Missing(Range),
    /// Numbers that were there when the walk began; a database has them, so they have left the queue.
    Left(Range),
}

/// Whether to go on.
pub type Step = io::Result<ControlFlow<()>>;

/// What can be walked through.
pub trait Walked {
    /// Every stream that is in the queue or remembered.
    ///
    /// # Errors
    /// When it cannot be read.
    fn streams(&self) -> io::Result<Vec<QueuedStream>>;

    /// Some of the records from a number on; empty at the end.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, stream: StreamId, from: u64) -> io::Result<Vec<Numbered>>;
}

impl Walked for QueueAccess {
    fn streams(&self) -> io::Result<Vec<QueuedStream>> {
        Self::streams(self)
    }

    fn read(&self, stream: StreamId, from: u64) -> io::Result<Vec<Numbered>> {
        Self::read(self, stream, from)
    }
}

/// Shows everything that `streams`, asked before, say is there.
///
/// # Errors
/// As the queue and `visit` say.
pub fn walk(queue: &impl Walked, streams: &[QueuedStream], visit: &mut impl FnMut(Met<'_>) -> Step) -> io::Result<()> {
    for stream in streams {
        if let Some((first, last)) = stream.queued
            && walk_stream(queue, stream, (first, last), visit)?.is_break()
        {
            break;
        }
    }
    Ok(())
}

fn walk_stream(
    queue: &impl Walked,
    stream: &QueuedStream,
    (first, last): (u64, u64),
    visit: &mut impl FnMut(Met<'_>) -> Step,
) -> Step {
    let mut next = first;
    while next <= last {
        let mut items = queue.read(stream.stream, next)?;
        items.retain(|item| item.seq <= last);
        if items.is_empty() {
            return hole(queue, Range { stream: stream.stream, first: next, last }, visit);
        }
        for item in items {
            if item.seq > next {
                let range = Range { stream: stream.stream, first: next, last: item.seq - 1 };
                if hole(queue, range, visit)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            next = item.seq.saturating_add(1);
            if visit(Met::Record(stream, item))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    beyond(queue, stream, last, visit)
}

/// Numbers that were not read: below where the stream begins by now they have left, the others are missing.
fn hole(queue: &impl Walked, range: Range, visit: &mut impl FnMut(Met<'_>) -> Step) -> Step {
    let streams = queue.streams()?;
    let now = streams.iter().find(|now| now.stream == range.stream).and_then(|now| now.queued);
    let begins = now.map_or(u64::MAX, |(first, _)| first);
    let (left, missing) = split(&range, begins);
    for met in [left.map(Met::Left), missing.map(Met::Missing)].into_iter().flatten() {
        if visit(met)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn split(range: &Range, begins: u64) -> (Option<Range>, Option<Range>) {
    let part = |first, last| (first <= last).then_some(Range { stream: range.stream, first, last });
    (part(range.first, range.last.min(begins.saturating_sub(1))), part(range.first.max(begins), range.last))
}

/// A stream that is known to have gone further than what the queue holds has lost its end.
fn beyond(queue: &impl Walked, stream: &QueuedStream, last: u64, visit: &mut impl FnMut(Met<'_>) -> Step) -> Step {
    let grows = stream.end > last && !queue.read(stream.stream, last.saturating_add(1))?.is_empty();
    if stream.end <= last || grows {
        return Ok(ControlFlow::Continue(()));
    }
    hole(queue, Range { stream: stream.stream, first: last.saturating_add(1), last: stream.end }, visit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{Kind, Record};
    use std::cell::RefCell;

    /// A stream with these numbers, of which `trimmed` leave after the walk has begun.
    struct Fake {
        numbers: RefCell<Vec<u64>>,
        end: u64,
        trimmed: u64,
    }

    fn id() -> StreamId {
        StreamId::from_u64(7).unwrap()
    }

    impl Walked for Fake {
        fn streams(&self) -> io::Result<Vec<QueuedStream>> {
            let numbers = self.numbers.borrow();
            let queued = numbers.first().copied().zip(numbers.last().copied());
            Ok(vec![QueuedStream { stream: id(), order: 1, end: self.end, queued }])
        }

        fn read(&self, _: StreamId, from: u64) -> io::Result<Vec<Numbered>> {
            self.numbers.borrow_mut().retain(|number| *number > self.trimmed);
            let record = Record { kind: Kind::READING, body: Vec::new() };
            let numbers = self.numbers.borrow();
            let found = numbers.iter().filter(|seq| **seq >= from).take(2);
            Ok(found.map(|seq| Numbered { seq: *seq, written_ms: 0, record: record.clone() }).collect())
        }
    }

    fn walked(numbers: &[u64], end: u64, trimmed: u64) -> Vec<String> {
        let fake = Fake { numbers: RefCell::new(numbers.to_vec()), end, trimmed };
        let streams = fake.streams().unwrap();
        fake.numbers.borrow_mut().push(numbers.last().unwrap() + 100);
        let mut seen = Vec::new();
        let mut visit = |met: Met<'_>| {
            seen.push(match met {
                Met::Record(_, item) => item.seq.to_string(),
                Met::Missing(range) => format!("missing {}-{}", range.first, range.last),
                Met::Left(range) => format!("left {}-{}", range.first, range.last),
            });
            Ok(ControlFlow::Continue(()))
        };
        walk(&fake, &streams, &mut visit).unwrap();
        seen
    }

    #[test]
    fn what_left_meanwhile_is_told_apart_from_what_is_missing() {
        assert_eq!(walked(&[1, 2, 3], 3, 0), ["1", "2", "3"], "what comes later is not shown");
        assert_eq!(walked(&[1, 2, 5, 6], 6, 0), ["1", "2", "missing 3-4", "5", "6"]);
        assert_eq!(walked(&[1, 2, 3, 4], 4, 2), ["left 1-2", "3", "4"]);
        assert_eq!(walked(&[1, 2, 6], 6, 2), ["left 1-5", "6"]);
        assert_eq!(walked(&[1, 2], 2, 2), ["left 1-2"]);
    }

    #[test]
    fn an_end_that_the_disk_forgot_is_missing() {
        let fake = Fake { numbers: RefCell::new(vec![1, 2]), end: 9, trimmed: 0 };
        let mut missing = Vec::new();
        let mut visit = |met: Met<'_>| {
            if let Met::Missing(range) = met {
                missing.push((range.first, range.last));
            }
            Ok(ControlFlow::Continue(()))
        };
        walk(&fake, &fake.streams().unwrap(), &mut visit).unwrap();
        assert_eq!(missing, [(3, 9)]);
    }
}

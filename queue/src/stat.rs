//! Figures of a queue, and reading all of it to see whether it is whole.

use std::collections::BTreeMap;

use crate::room::disk_size;
use crate::shared::Shared;
use crate::{QueueError, StreamId, Wear};

/// One generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationStat {
    /// Its number.
    pub number: u64,
    /// Bytes that it takes on the disk, with what is reserved.
    pub disk_bytes: u64,
    /// Frames in it, also trimmed ones.
    pub frames: u64,
    /// Numbered records in it, also trimmed ones.
    pub readings: u64,
    /// Whether it is complete; one at most is being written.
    pub sealed: bool,
    /// Whether something in it is known to be missing or unreadable.
    pub damaged: bool,
}

/// A queue in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// All generations, oldest first.
    pub generations: Vec<GenerationStat>,
    /// Bytes of all frames that are not trimmed.
    pub live_bytes: u64,
    /// Bytes that all generations take on the disk.
    pub disk_bytes: u64,
    /// Bytes that are free on the disk.
    pub free_bytes: u64,
    /// Bytes of the whole disk.
    pub disk_size_bytes: u64,
    /// What was written so far, as of some seconds ago.
    pub wear: Wear,
}

/// What was found by reading everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Frames that are whole.
    pub frames: u64,
    /// Numbered records in them.
    pub records: u64,
    /// What is missing of streams of which something is here.
    pub missing: Vec<Missing>,
    /// Generations that there is no right to read, in the system's words.
    pub unreadable: Vec<String>,
}

/// Numbers of a stream, both included, that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The stream.
    pub stream: StreamId,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

pub(crate) fn stat(shared: &Shared) -> Result<Stat, QueueError> {
    let size = disk_size(&shared.folder)?;
    let wear = shared.marks().wear;
    let generations = shared.generations();
    let stats: Vec<GenerationStat> = generations
        .all
        .iter()
        .map(|(&number, known)| GenerationStat {
            number,
            disk_bytes: shared.disk.size(number).on_disk,
            frames: known.seal.frames,
            readings: known.seal.readings,
            sealed: known.sealed,
            damaged: known.seal.damaged || known.unreadable.is_some(),
        })
        .collect();
    Ok(Stat {
        live_bytes: generations.live_bytes(),
        disk_bytes: stats.iter().map(|stat| stat.disk_bytes).fold(0, u64::saturating_add),
        free_bytes: size.free,
        disk_size_bytes: size.total,
        generations: stats,
        wear,
    })
}

/// Reads every generation and each frame in it.
pub(crate) fn verify(shared: &Shared, mut progress: impl FnMut(u64, u64)) -> Result<Verified, QueueError> {
    let numbers: Vec<u64> = shared.generations().all.keys().copied().collect();
    // As the seals say, which reading the files may correct.
    let expected = shared.generations().spans();
    let in_all = numbers.iter().map(|number| shared.disk.size(*number).length).fold(0, u64::saturating_add);
    let mut verified = Verified::default();
    let mut found: BTreeMap<StreamId, Vec<(u64, u64)>> = BTreeMap::new();
    let mut done: u64 = 0;
    for number in numbers {
        verify_generation(shared, number, &mut verified, &mut found)?;
        done = done.saturating_add(shared.disk.size(number).length);
        progress(done, in_all);
    }
    for span in &expected {
        found.entry(span.stream).or_default();
    }
    for (stream, spans) in found {
        let end = shared.marks().get(stream).map_or(0, |known| known.end);
        let first = expected.iter().find(|span| span.stream == stream).map(|span| span.first);
        verified.missing.extend(holes(stream, spans, (first, shared.marks().trimmed(stream)), end));
    }
    Ok(verified)
}

fn verify_generation(
    shared: &Shared,
    number: u64,
    verified: &mut Verified,
    found: &mut BTreeMap<StreamId, Vec<(u64, u64)>>,
) -> Result<(), QueueError> {
    let index = match shared.with_index(number, |index| index.frames().to_vec()) {
        Err(error @ QueueError::Io { .. }) => {
            verified.unreadable.push(error.to_string());
            return Ok(());
        }
        outcome => outcome?,
    };
    for place in index {
        if let Some(frame) = shared.frame(number, &place)? {
            verified.frames += 1;
            verified.records = verified.records.saturating_add(place.numbered.into());
            found.entry(frame.stream).or_default().push((frame.first, frame.last));
        }
    }
    Ok(())
}

/// What is missing between the first number that is or should be here, or the trimmed ones before it, and the end.
fn holes(
    stream: StreamId,
    mut spans: Vec<(u64, u64)>,
    (expected, trimmed): (Option<u64>, u64),
    end: u64,
) -> Vec<Missing> {
    spans.sort_unstable();
    let lowest = spans.first().map(|span| span.0);
    let mut next = expected.into_iter().chain(lowest).min().unwrap_or(0).max(trimmed.saturating_add(1));
    let mut missing = Vec::new();
    for (first, last) in spans.into_iter().chain([(end.saturating_add(1), end)]) {
        if first > next {
            missing.push(Missing { stream, first: next, last: first - 1 });
        }
        next = next.max(last.saturating_add(1));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_lies_between_and_at_the_end() {
        let stream = StreamId::from_u64(1).unwrap();
        let found = |spans: &[(u64, u64)], trimmed, end| -> Vec<(u64, u64)> {
            holes(stream, spans.to_vec(), (None, trimmed), end).iter().map(|hole| (hole.first, hole.last)).collect()
        };
        assert_eq!(found(&[(1, 5), (6, 9)], 0, 9), []);
        assert_eq!(found(&[(8, 9), (1, 5)], 0, 12), [(6, 7), (10, 12)]);
        assert_eq!(found(&[(1, 5), (8, 9)], 7, 9), [], "trimmed numbers are not missing");
        assert_eq!(found(&[(20, 30)], 10, 30), [], "what came before the first one has left");
        let expected = holes(stream, vec![(20, 30)], (Some(15), 10), 30);
        assert_eq!(expected, [Missing { stream, first: 15, last: 19 }]);
    }
}

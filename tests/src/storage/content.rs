//! What the readings of the tests say: it follows from the stream and the number alone, so that every reading that is
//! found can be checked, whoever wrote it.

use std::ops::RangeInclusive;

use queue::{Kind, Record, StreamId, Unit};

/// The longest body that the queue takes; a few are that long.
const LONGEST: usize = queue::MAX_RECORD_BYTES;
/// Readings in a message that spans several frames.
const LARGE_UNIT: u64 = 150;

/// The body of a reading: bytes that look random, from 40 bytes to 6 KiB. No compression makes them shorter, so they
/// stand in the file as they are.
pub fn body(stream: StreamId, number: u64) -> Vec<u8> {
    let mut body = beginning(stream, number);
    let length = body_length(number).max(body.len());
    let mut state = stream.as_u64() ^ number;
    while body.len() < length {
        state = mixed(state);
        body.extend(state.to_be_bytes());
    }
    body.truncate(length);
    body
}

/// What a body begins with; no other reading has it.
pub fn beginning(stream: StreamId, number: u64) -> Vec<u8> {
    let half = mixed(stream.as_u64() ^ mixed(number));
    [half, mixed(half ^ number)].map(u64::to_be_bytes).concat()
}

/// Units from this number on, with so many readings or a few more.
pub fn group(stream: StreamId, first: u64, readings: u64) -> Vec<Unit> {
    let wanted = move |unit: &RangeInclusive<u64>| *unit.start() < first + readings;
    units_from(first).take_while(wanted).map(|numbers| unit(stream, numbers)).collect()
}

/// The numbers of each unit of a stream, from the first on, without end.
pub fn units_from(first: u64) -> impl Iterator<Item = RangeInclusive<u64>> {
    let unit = |first: u64| first..=first + unit_length(first) - 1;
    std::iter::successors(Some(unit(first)), move |last| Some(unit(last.end() + 1)))
}

fn unit(stream: StreamId, numbers: RangeInclusive<u64>) -> Unit {
    let records = numbers.map(|number| Record { kind: Kind::READING, body: body(stream, number) }).collect();
    Unit::new(records).expect("units of this test fit the queue")
}

fn body_length(number: u64) -> usize {
    match mixed(number) % 64 {
        0 => LONGEST,
        1..=5 => 700,
        other => 40 + 2 * usize::try_from(other).unwrap_or(0),
    }
}

fn unit_length(first: u64) -> u64 {
    match mixed(!first) % 32 {
        0 => LARGE_UNIT,
        1..=7 => 4,
        _ => 1,
    }
}

/// A number that looks random and is always the same for the same one: the step of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamId {
        StreamId::from_u64(7).expect("not 0")
    }

    #[test]
    fn bodies_differ_and_have_every_size() {
        let bodies: Vec<_> = (1..=1000).map(|number| body(stream(), number)).collect();
        assert!(bodies.iter().any(|body| body.len() == LONGEST) && bodies.iter().any(|body| body.len() < 100));
        assert!(bodies.windows(2).all(|pair| pair[0] != pair[1]));
        assert!((1..).zip(&bodies).all(|(number, body)| body.starts_with(&beginning(stream(), number))));
    }

    #[test]
    fn units_follow_each_other_and_some_span_frames() {
        let units: Vec<_> = units_from(1).take(500).collect();
        assert!(units.windows(2).all(|pair| pair[0].end() + 1 == *pair[1].start()));
        assert!(units.iter().any(|unit| unit.end() - unit.start() + 1 == LARGE_UNIT));
    }

    #[test]
    fn a_group_has_what_was_asked_for() {
        let numbered: usize = group(stream(), 1, 40).iter().map(Unit::numbered).sum();
        assert!((40..40 + 150).contains(&numbered), "{numbered}");
    }
}

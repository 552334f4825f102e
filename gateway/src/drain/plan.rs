//! From numbered records to the rows of one transaction. Pure.

use queue::{Kind, MissingSpan, Numbered, StreamId, Why};
use sensors::{DeadLetter, Gap, Reading};
use std::collections::BTreeSet;

/// A row of `gaps`: what is missing, and which numbers of the stream it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// First number that the row accounts for.
    pub seq: u64,
    /// Last number that the row accounts for.
    pub last_seq: u64,
    /// What is missing.
    pub gap: Gap,
    /// Why the queue does not hold these numbers; none for a gap that was itself in the queue.
    pub why: Option<Why>,
}

/// A row of `dead_letters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Its number.
    pub seq: u64,
    /// Where it came from, why it was refused, and its bytes.
    pub origin: String,
    /// Why it is here.
    pub reason: String,
    /// What the server said when it refused it; none when it never got that far.
    pub server_words: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The length of the whole.
    pub length: u64,
    /// XXH3 of the whole.
    pub hash: Option<u64>,
    /// When it arrived, microseconds since 1970.
    pub arrived_us: Option<i64>,
    /// The route that refused it; empty when it is the reading itself that was refused.
    pub route: String,
}

/// What one transaction writes. Every number from `first` to `last` becomes exactly one row or is named by a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The stream.
    pub stream: StreamId,
    /// The first number: the cursor before, plus one.
    pub first: u64,
    /// The last number: the cursor after.
    pub last: u64,
    /// Readings with their numbers.
    pub readings: Vec<(u64, Reading)>,
    /// Gaps.
    pub gaps: Vec<GapRow>,
    /// Dead letters.
    pub dead_letters: Vec<DeadLetterRow>,
    /// Numbers of readings that do not take the route of this name, which has refused them.
    pub unrouted: Vec<(u64, String)>,
    /// How many numbers of it the queue does not hold any more.
    pub missing: u64,
    /// Numbers of what the other gateway of the site may have heard too.
    pub shared: BTreeSet<u64>,
    /// Numbers of readings that the other gateway may have written too.
    pub marked: BTreeSet<u64>,
}

impl Batch {
    fn after(stream: StreamId, cursor: u64) -> Self {
        let first = cursor.saturating_add(1);
        Self {
            stream,
            first,
            last: cursor,
            readings: Vec::new(),
            gaps: Vec::new(),
            dead_letters: Vec::new(),
            unrouted: Vec::new(),
            missing: 0,
            shared: BTreeSet::new(),
            marked: BTreeSet::new(),
        }
    }

    /// One reading.
    pub fn single(stream: StreamId, seq: u64, reading: Reading) -> Self {
        let before = Self::after(stream, seq.saturating_sub(1));
        Self { last: seq, readings: vec![(seq, reading)], ..before }
    }

    /// Numbers that the queue does not hold any more.
    pub fn of_missing(stream: StreamId, cursor: u64, through: u64, why: impl Explain) -> Self {
        let mut batch = Self::after(stream, cursor);
        batch.skip_to(through, &why);
        batch
    }

    /// Names what is missing up to `last`, with a row for each reason.
    fn skip_to(&mut self, last: u64, why: &impl Explain) {
        let first = self.last.saturating_add(1);
        if first <= last {
            why(first, last).into_iter().for_each(|span| self.name_missing(span));
        }
        self.last = last;
    }

    fn name_missing(&mut self, MissingSpan { first, last, why }: MissingSpan) {
        let count = last - first + 1;
        let reason = words(why).to_owned();
        let gap = Gap { node: None, channel: None, reason, from_us: None, to_us: None, count: Some(count) };
        self.gaps.push(GapRow { seq: first, last_seq: last, gap, why: Some(why) });
        self.missing = self.missing.saturating_add(count);
    }

    /// Rows that it writes.
    pub fn rows(&self) -> u64 {
        let rows = self.readings.len() + self.gaps.len() + self.dead_letters.len();
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    fn take(&mut self, item: Numbered, why: &impl Explain) {
        self.skip_to(item.seq.saturating_sub(1), why);
        self.last = item.seq;
        if item.record.kind.is_shared() {
            self.shared.insert(item.seq);
        }
        self.place(item);
    }

    fn place(&mut self, item: Numbered) {
        let body = &item.record.body;
        let trouble = match item.record.kind.plain() {
            Kind::READING => match Reading::from_bytes(body) {
                Ok(reading) => return self.readings.push((item.seq, reading)),
                Err(error) => error.to_string(),
            },
            Kind::GAP => match Gap::from_bytes(body) {
                Ok(gap) => return self.gaps.push(GapRow::of(item.seq, gap)),
                Err(error) => error.to_string(),
            },
            Kind::DEAD_LETTER => match DeadLetter::from_bytes(body) {
                Ok(letter) => return self.dead_letters.push(DeadLetterRow::of(item.seq, letter)),
                Err(error) => error.to_string(),
            },
            _ => format!("a record of kind {}, which this version of fieldgate does not know", item.record.kind.0),
        };
        self.dead_letters.push(DeadLetterRow::undecodable(item.seq, trouble, item.record.body));
    }
}

/// What a column of `gaps` and `dead_letters` for reasons holds, in characters.
pub const REASON_CHARACTERS: usize = 1024;
/// The same of a column for origins.
const ORIGIN_CHARACTERS: usize = 256;
/// What the column for bytes holds.
const LETTER_BYTES: usize = 65_535;
/// The origin of a record of the queue that is no reading, gap or dead letter to this version.
pub const FROM_QUEUE: &str = "queue";

impl GapRow {
    fn of(seq: u64, gap: Gap) -> Self {
        let gap = Gap { reason: first_characters(&gap.reason, REASON_CHARACTERS), ..gap };
        Self { seq, last_seq: seq, gap, why: None }
    }
}

impl DeadLetterRow {
    fn of(seq: u64, mut letter: DeadLetter) -> Self {
        letter.bytes.truncate(LETTER_BYTES);
        Self {
            seq,
            origin: first_characters(&letter.origin, ORIGIN_CHARACTERS),
            reason: first_characters(&letter.reason, REASON_CHARACTERS),
            server_words: None,
            bytes: letter.bytes,
            length: letter.length,
            hash: Some(letter.hash),
            arrived_us: Some(letter.stamp.wall_us),
            route: String::new(),
        }
    }

    fn undecodable(seq: u64, reason: String, mut bytes: Vec<u8>) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let hash = Some(xxhash_rust::xxh3::xxh3_64(&bytes));
        bytes.truncate(LETTER_BYTES);
        let reason = first_characters(&reason, REASON_CHARACTERS);
        let origin = FROM_QUEUE.to_owned();
        Self { seq, origin, reason, server_words: None, bytes, length, hash, arrived_us: None, route: String::new() }
    }

    /// A reading that the server refuses, with its words. The bytes are the record's own, so that it can be tried again
    /// exactly as it is.
    pub fn refused(seq: u64, reading: &Reading, words: &str) -> Self {
        let origin = format!("{}/{}", reading.node, reading.channel);
        let (bytes, reason) = match reading.to_bytes() {
            Ok(bytes) => (bytes, "the database refuses this reading".to_owned()),
            Err(error) => (Vec::new(), format!("the database refuses this reading, and {error}")),
        };
        Self {
            origin: first_characters(&origin, ORIGIN_CHARACTERS),
            server_words: Some(first_characters(words, REASON_CHARACTERS)),
            arrived_us: Some(reading.stamp.wall_us),
            ..Self::undecodable(seq, reason, bytes)
        }
    }
}

impl DeadLetterRow {
    /// A reading that is stored, and that a route refuses.
    pub fn refused_by_route(seq: u64, reading: &Reading, route: &str, words: &str) -> Self {
        let reason = first_characters(&format!("the route {route} refuses this reading"), REASON_CHARACTERS);
        Self { reason, route: route.to_owned(), ..Self::refused(seq, reading, words) }
    }
}

/// As much of a text as a column holds.
pub fn first_characters(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Says why numbers, both included, are not in the queue; all of them, in order.
pub trait Explain: Fn(u64, u64) -> Vec<MissingSpan> {}

impl<F: Fn(u64, u64) -> Vec<MissingSpan>> Explain for F {}

/// The batch that follows `cursor`, of what the queue gave from there on.
pub fn plan(stream: StreamId, cursor: u64, items: Vec<Numbered>, why: impl Explain) -> Batch {
    let mut batch = Batch::after(stream, cursor);
    items.into_iter().for_each(|item| batch.take(item, &why));
    batch
}

/// The reason that a row of gaps gives.
pub fn words(why: Why) -> &'static str {
    match why {
        Why::Gone => {
            "no longer in the queue: dropped after delivery to another server, or lost with a damaged part of it"
        }
        Why::Dropped => "dropped because the queue was full (queue.when_full = \"drop-oldest\")",
        Why::Unfinished => "not whole on the disk after a power cut: not acknowledged, unless the disk is damaged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::Record;

    fn stream() -> StreamId {
        StreamId::from_u64(7).unwrap()
    }

    fn gap(seq: u64) -> Numbered {
        let gap = Gap { node: None, channel: None, reason: "test".into(), from_us: None, to_us: None, count: Some(3) };
        Numbered { seq, written_ms: 0, record: Record { kind: Kind::GAP, body: gap.to_bytes().unwrap() } }
    }

    fn unknown(seq: u64, kind: Kind) -> Numbered {
        Numbered { seq, written_ms: 0, record: Record { kind, body: vec![1, 2, 3] } }
    }

    fn gone(first: u64, last: u64) -> Vec<MissingSpan> {
        vec![MissingSpan { first, last, why: Why::Gone }]
    }

    fn spans(batch: &Batch) -> Vec<(u64, u64)> {
        batch.gaps.iter().map(|row| (row.seq, row.last_seq)).collect()
    }

    #[test]
    fn every_number_is_a_row_or_named_by_a_gap() {
        let items = vec![gap(8), unknown(9, Kind(77)), unknown(12, Kind::READING)];
        let batch = plan(stream(), 4, items, gone);
        assert_eq!((batch.first, batch.last), (5, 12));
        assert_eq!(spans(&batch), [(5, 7), (8, 8), (10, 11)]);
        assert_eq!(batch.gaps[0].gap.count, Some(3));
        assert_eq!(batch.missing, 5, "5 to 7 and 10 to 11; the gap at 8 was in the queue");
        let letters: Vec<u64> = batch.dead_letters.iter().map(|row| row.seq).collect();
        assert_eq!(letters, [9, 12], "an unknown kind and a damaged reading keep their bytes and their numbers");
        assert_eq!(batch.dead_letters[0].bytes, [1, 2, 3]);
    }

    #[test]
    fn what_another_gateway_may_have_too_is_the_same_row() {
        let shared = |mut item: Numbered| {
            item.record.kind = item.record.kind.shared();
            item
        };
        let items = || vec![gap(1), unknown(2, Kind::READING), unknown(3, Kind::DEAD_LETTER), gap(4)];
        let all_shared = items().into_iter().map(shared).collect();
        let batch = plan(stream(), 0, all_shared, gone);
        assert_eq!(batch.shared, [1, 2, 3, 4].into());
        assert_eq!(Batch { shared: BTreeSet::new(), ..batch }, plan(stream(), 0, items(), gone));
    }

    #[test]
    fn a_stream_that_is_gone_becomes_one_gap() {
        let batch = Batch::of_missing(stream(), 10, 25, gone);
        assert_eq!((batch.first, batch.last, batch.gaps.len()), (11, 25, 1));
        assert_eq!((batch.gaps[0].seq, batch.gaps[0].last_seq, batch.gaps[0].gap.count), (11, 25, Some(15)));
    }

    #[test]
    fn a_hole_with_several_reasons_gets_a_row_for_each() {
        let why = |first, last| {
            assert_eq!((first, last), (1, 8));
            let span = |first, last, why| MissingSpan { first, last, why };
            vec![span(1, 3, Why::Dropped), span(4, 4, Why::Gone), span(5, 8, Why::Unfinished)]
        };
        let batch = plan(stream(), 0, vec![gap(9)], why);
        assert_eq!(spans(&batch), [(1, 3), (4, 4), (5, 8), (9, 9)]);
        let told: Vec<&str> = batch.gaps.iter().filter_map(|row| row.gap.reason.split_whitespace().next()).collect();
        assert_eq!(told, ["dropped", "no", "not", "test"]);
        assert_eq!(batch.missing, 8);
    }
}

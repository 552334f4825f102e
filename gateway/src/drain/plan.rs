//! From numbered records to the rows of one transaction. Pure.

use queue::{Kind, Missing, Numbered, StreamId};
use sensors::{DeadLetter, Gap, Reading};

/// So many missing numbers a transaction: each is asked about. The next one goes on with the rest.
const MOST_MISSING: u64 = 1_000_000;

/// A row of `gaps`: what is missing, and which numbers of the stream it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRow {
    /// First number that the row accounts for.
    pub seq: u64,
    /// Last number that the row accounts for.
    pub last_seq: u64,
    /// What is missing.
    pub gap: Gap,
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
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The length of the whole.
    pub length: u64,
    /// Its hash, where it was shortened.
    pub hash: Option<u64>,
    /// When it arrived, microseconds since 1970.
    pub arrived_us: Option<i64>,
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
    /// How many numbers of it the queue does not hold any more.
    pub missing: u64,
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
            missing: 0,
        }
    }

    /// Numbers that the queue does not hold any more, as far as one transaction may go.
    pub fn of_missing(stream: StreamId, cursor: u64, through: u64, why: impl Fn(u64) -> Missing) -> Self {
        let mut batch = Self::after(stream, cursor);
        batch.skip_to(through, &why);
        batch
    }

    /// Names what is missing up to `last`, with a row for each reason; false when that is too much for one transaction.
    fn skip_to(&mut self, last: u64, why: &impl Fn(u64) -> Missing) -> bool {
        let through = last.min(self.last.saturating_add(MOST_MISSING.saturating_sub(self.missing)));
        while self.last < through {
            let first = self.last.saturating_add(1);
            let reason = why(first);
            let end = (first..=through).take_while(|seq| why(*seq) == reason).last().unwrap_or(first);
            self.name_missing(first, end, reason);
        }
        self.last == last
    }

    fn name_missing(&mut self, first: u64, last: u64, reason: Missing) {
        let count = last - first + 1;
        let reason = words(reason).to_owned();
        let gap = Gap { node: None, channel: None, reason, from_us: None, to_us: None, count: Some(count) };
        self.gaps.push(GapRow { seq: first, last_seq: last, gap });
        self.missing = self.missing.saturating_add(count);
        self.last = last;
    }

    /// Rows that it writes.
    pub fn rows(&self) -> u64 {
        let rows = self.readings.len() + self.gaps.len() + self.dead_letters.len();
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    /// Takes the next record; false when what is missing before it is too much for one transaction.
    fn take(&mut self, item: Numbered, why: &impl Fn(u64) -> Missing) -> bool {
        if !self.skip_to(item.seq.saturating_sub(1), why) {
            return false;
        }
        self.last = item.seq;
        self.place(item);
        true
    }

    fn place(&mut self, item: Numbered) {
        let body = &item.record.body;
        let trouble = match item.record.kind {
            Kind::READING => match Reading::from_bytes(body) {
                Ok(reading) => return self.readings.push((item.seq, reading)),
                Err(error) => error.to_string(),
            },
            Kind::GAP => match Gap::from_bytes(body) {
                Ok(gap) => return self.gaps.push(GapRow { seq: item.seq, last_seq: item.seq, gap }),
                Err(error) => error.to_string(),
            },
            Kind::DEAD_LETTER => match DeadLetter::from_bytes(body) {
                Ok(letter) => return self.dead_letters.push(DeadLetterRow::of(item.seq, letter)),
                Err(error) => error.to_string(),
            },
            Kind(other) => format!("a record of kind {other}, which this version of fieldgate does not know"),
        };
        self.dead_letters.push(DeadLetterRow::undecodable(item.seq, trouble, item.record.body));
    }
}

impl DeadLetterRow {
    fn of(seq: u64, letter: DeadLetter) -> Self {
        Self {
            seq,
            origin: letter.origin,
            reason: letter.reason,
            bytes: letter.bytes,
            length: letter.length,
            hash: Some(letter.hash),
            arrived_us: Some(letter.stamp.wall_us),
        }
    }

    fn undecodable(seq: u64, reason: String, bytes: Vec<u8>) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { seq, origin: "queue".to_owned(), reason, bytes, length, hash: None, arrived_us: None }
    }
}

/// The batch that follows `cursor`, of what the queue gave from there on; `why` says why a number is not in the queue.
pub fn plan(stream: StreamId, cursor: u64, items: Vec<Numbered>, why: impl Fn(u64) -> Missing) -> Batch {
    let mut batch = Batch::after(stream, cursor);
    for item in items {
        if !batch.take(item, &why) {
            break;
        }
    }
    batch
}

/// The reason that a row of gaps gives.
fn words(why: Missing) -> &'static str {
    match why {
        Missing::NotKept => {
            "no longer in the queue: dropped after delivery to another server, or lost with a damaged part of it"
        }
        Missing::Dropped => "dropped because the queue was full (queue.when_full = \"drop-oldest\")",
        Missing::Unfinished => "not whole on the disk after a power cut: not acknowledged, unless the disk is damaged",
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

    fn spans(batch: &Batch) -> Vec<(u64, u64)> {
        batch.gaps.iter().map(|row| (row.seq, row.last_seq)).collect()
    }

    #[test]
    fn every_number_is_a_row_or_named_by_a_gap() {
        let items = vec![gap(8), unknown(9, Kind(77)), unknown(12, Kind::READING)];
        let batch = plan(stream(), 4, items, |_| Missing::NotKept);
        assert_eq!((batch.first, batch.last), (5, 12));
        assert_eq!(spans(&batch), [(5, 7), (8, 8), (10, 11)]);
        assert_eq!(batch.gaps[0].gap.count, Some(3));
        assert_eq!(batch.missing, 5, "5 to 7 and 10 to 11; the gap at 8 was in the queue");
        let letters: Vec<u64> = batch.dead_letters.iter().map(|row| row.seq).collect();
        assert_eq!(letters, [9, 12], "an unknown kind and a damaged reading keep their bytes and their numbers");
        assert_eq!(batch.dead_letters[0].bytes, [1, 2, 3]);
    }

    #[test]
    fn a_stream_that_is_gone_becomes_one_gap() {
        let batch = Batch::of_missing(stream(), 10, 25, |_| Missing::NotKept);
        assert_eq!((batch.first, batch.last, batch.gaps.len()), (11, 25, 1));
        assert_eq!((batch.gaps[0].seq, batch.gaps[0].last_seq, batch.gaps[0].gap.count), (11, 25, Some(15)));
    }

    #[test]
    fn a_hole_with_several_reasons_gets_a_row_for_each() {
        let why = |seq| match seq {
            ..=3 => Missing::Dropped,
            4 | 7.. => Missing::NotKept,
            _ => Missing::Unfinished,
        };
        let batch = plan(stream(), 0, vec![gap(9)], why);
        assert_eq!(spans(&batch), [(1, 3), (4, 4), (5, 6), (7, 8), (9, 9)]);
        let told: Vec<&str> = batch.gaps.iter().filter_map(|row| row.gap.reason.split_whitespace().next()).collect();
        assert_eq!(told, ["dropped", "no", "not", "no", "test"]);
        assert_eq!(batch.missing, 8);
    }

    #[test]
    fn a_hole_too_large_for_one_transaction_is_named_by_several_without_losing_what_follows() {
        let (mut cursor, end) = (0, 2 * MOST_MISSING + 500_000);
        let mut rows = Vec::new();
        while cursor < end {
            let batch = plan(stream(), cursor, vec![gap(end)], |_| Missing::Dropped);
            assert_eq!(batch.first, cursor + 1);
            rows.extend(spans(&batch));
            cursor = batch.last;
        }
        let expected = [(1, 1_000_000), (1_000_001, 2_000_000), (2_000_001, end - 1), (end, end)];
        assert_eq!(rows, expected);
        assert_eq!(Batch::of_missing(stream(), 0, end, |_| Missing::Dropped).last, MOST_MISSING);
    }
}

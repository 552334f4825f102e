//! A batch made smaller, and its first row in another form. Pure.

use super::plan::{Batch, DeadLetterRow, GapRow, REASON_CHARACTERS, first_characters};
use sensors::Gap;

/// In which form the first row of a batch goes into the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Form {
    /// As what it is.
    #[default]
    Plain,
    /// A reading that routes refused: as what it is, without them; each with the server's words.
    Unrouted(Vec<(String, String)>),
    /// A reading that was refused: as a dead letter with these words of the server.
    Letter(String),
    /// A row of which not even that can be stored: as a bare gap with these words of the server.
    Gap(String),
}

impl Batch {
    /// The last number of each row, in order.
    pub fn ends(&self) -> Vec<u64> {
        let singles = self.readings.iter().map(|(seq, _)| *seq).chain(self.dead_letters.iter().map(|row| row.seq));
        let mut ends: Vec<u64> = singles.chain(self.gaps.iter().map(|row| row.last_seq)).collect();
        ends.sort_unstable();
        // Dead letters of routes have the numbers of their readings.
        ends.dedup();
        ends
    }

    /// The first rows of it, at least one if it has any.
    pub fn first_rows(&self, rows: usize) -> Self {
        let ends = self.ends();
        let last = ends.get(rows.saturating_sub(1)).or(ends.last()).copied().unwrap_or(self.last);
        let mut part = Self {
            last,
            readings: self.readings.iter().take_while(|(seq, _)| *seq <= last).cloned().collect(),
            gaps: self.gaps.iter().take_while(|row| row.seq <= last).cloned().collect(),
            dead_letters: self.dead_letters.iter().take_while(|row| row.seq <= last).cloned().collect(),
            unrouted: self.unrouted.clone(),
            shared: self.shared.clone(),
            marked: self.marked.clone(),
            ..*self
        };
        part.count_missing();
        part
    }

    /// Leaves out the rows up to a cursor; false when it does not go on from there.
    pub fn go_on_from(&mut self, cursor: u64) -> bool {
        if cursor.saturating_add(1) < self.first || cursor >= self.last {
            return false;
        }
        self.readings.retain(|(seq, _)| *seq > cursor);
        self.gaps.retain(|row| row.seq > cursor);
        self.dead_letters.retain(|row| row.seq > cursor);
        self.first = cursor.saturating_add(1);
        self.count_missing();
        true
    }

    fn count_missing(&mut self) {
        self.missing = self.gaps.iter().filter(|row| row.why.is_some()).filter_map(|row| row.gap.count).sum();
    }

    /// Brings a batch of one row into another form.
    pub fn reshape(&mut self, form: &Form) {
        match form {
            Form::Plain => {}
            Form::Unrouted(refused) => {
                for (route, words) in refused {
                    let letter =
                        |(seq, reading): &(u64, _)| DeadLetterRow::refused_by_route(*seq, reading, route, words);
                    self.dead_letters.extend(self.readings.iter().map(letter));
                    self.unrouted.extend(self.readings.iter().map(|(seq, _)| (*seq, route.clone())));
                }
            }
            Form::Letter(words) => {
                let letters =
                    self.readings.drain(..).map(|(seq, reading)| DeadLetterRow::refused(seq, &reading, words));
                self.dead_letters.extend(letters);
            }
            Form::Gap(words) => self.become_gap(words),
        }
    }

    fn become_gap(&mut self, words: &str) {
        let what = match (self.readings.is_empty(), self.dead_letters.is_empty()) {
            (false, _) => "a reading",
            (_, false) => "a dead letter",
            _ => "a row of gaps",
        };
        let count = self.gaps.first().map_or(Some(1), |row| row.gap.count);
        let reason = first_characters(&format!("{what} could not be stored: {words}"), REASON_CHARACTERS);
        let gap = Gap { node: None, channel: None, reason, from_us: None, to_us: None, count };
        let why = self.gaps.first().and_then(|row| row.why);
        self.readings.clear();
        self.dead_letters.clear();
        self.gaps = vec![GapRow { seq: self.first, last_seq: self.last, gap, why }];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{Kind, MissingSpan, Numbered, Record, StreamId, Why};
    use sensors::{ClockQuality, Reading, Stamp, Value};

    fn reading(seq: u64) -> Numbered {
        let stamp = Stamp { boot: 1, boottime_us: 5, wall_us: 7, quality: ClockQuality::Synced, error_us: None };
        let reading = Reading {
            node: "shed".to_owned().try_into().unwrap(),
            channel: "t".to_owned().try_into().unwrap(),
            unit: None,
            value: Ok(Value::Text(seq.to_string())),
            raw: None,
            stamp,
            node_seq: None,
            node_time_us: None,
        };
        Numbered { seq, written_ms: 0, record: Record { kind: Kind::READING, body: reading.to_bytes().unwrap() } }
    }

    fn batch(seqs: &[u64]) -> Batch {
        let why = |first, last| vec![MissingSpan { first, last, why: Why::Gone }];
        super::super::plan::plan(StreamId::from_u64(7).unwrap(), 0, seqs.iter().map(|seq| reading(*seq)).collect(), why)
    }

    #[test]
    fn a_part_ends_with_a_row_and_the_rest_goes_on_from_there() {
        let mut whole = batch(&[1, 2, 9, 10]);
        assert_eq!(whole.ends(), [1, 2, 8, 9, 10], "3 to 8 are one row of gaps");
        let part = |rows| {
            let part = whole.first_rows(rows);
            (part.first, part.last, part.rows(), part.missing)
        };
        assert_eq!(part(4), (1, 9, 4, 6));
        assert_eq!(part(2), (1, 2, 2, 0));
        assert_eq!(part(100), (1, 10, 5, 6));
        assert_eq!(part(0), (1, 1, 1, 0), "a batch always goes on");
        assert!(whole.go_on_from(2));
        assert_eq!((whole.first, whole.last, whole.rows(), whole.missing), (3, 10, 3, 6));
        assert!(whole.go_on_from(8));
        assert_eq!((whole.first, whole.rows(), whole.missing), (9, 2, 0));
        assert!(!whole.go_on_from(10), "nothing is left");
        assert!(!whole.go_on_from(3), "it has begun later");
    }

    #[test]
    fn a_refused_reading_keeps_the_bytes_of_its_record() {
        let mut letter = batch(&[1]);
        letter.reshape(&Form::Letter("too long".to_owned()));
        let row = &letter.dead_letters[0];
        assert!(letter.readings.is_empty());
        assert_eq!((row.seq, row.origin.as_str(), row.server_words.as_deref()), (1, "shed/t", Some("too long")));
        assert_eq!(row.bytes, reading(1).record.body);
        assert_eq!((row.length, row.arrived_us), (u64::try_from(row.bytes.len()).unwrap(), Some(7)));
    }

    #[test]
    fn the_last_resort_accounts_for_the_same_numbers() {
        for (seqs, rows, says, count) in [(&[1][..], 1, "a reading could", 1), (&[5], 1, "a row of gaps could", 4)] {
            let mut gap = batch(seqs);
            gap = gap.first_rows(rows);
            let (first, last) = (gap.first, gap.last);
            gap.reshape(&Form::Gap("no".to_owned()));
            let [row] = gap.gaps.as_slice() else { panic!("{gap:?}") };
            assert_eq!((gap.rows(), row.seq, row.last_seq, row.gap.count), (1, first, last, Some(count)));
            assert!(row.gap.reason.starts_with(says), "{}", row.gap.reason);
        }
    }
}

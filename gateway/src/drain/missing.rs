//! What is known of numbers that the queue does not hold any more: whether a source had them, and when they were taken.
//! Pure.

use super::plan::{Batch, GapRow, words};
use queue::Why;
use std::collections::BTreeMap;

/// The reason of a gap for what some source had. The queue does not remember for ever what it let go, so damage may be
/// the cause too.
const RELEASED: &str = "delivered to another server, or to this one before it was restored, and no longer in the queue: let go too early \
                        (queue.keep, mysql.keep_until_replicas), or lost with a damaged part of it";

impl Batch {
    /// Says of each span that the queue has lost whether a source had it once (up to `delivered`), and between which
    /// readings of the batch it lies.
    pub fn explain_missing(&mut self, delivered: u64) {
        if self.gaps.iter().all(|row| row.why.is_none()) {
            return;
        }
        let times: BTreeMap<u64, i64> =
            self.readings.iter().map(|(seq, reading)| (*seq, reading.stamp.wall_us)).collect();
        let rows = std::mem::take(&mut self.gaps);
        self.gaps = rows.into_iter().flat_map(|row| split(row, delivered)).map(|row| between(row, &times)).collect();
    }
}

/// What a source had, and what none ever had, in rows of their own.
fn split(row: GapRow, delivered: u64) -> Vec<GapRow> {
    if row.why != Some(Why::Gone) || delivered < row.seq {
        return vec![row];
    }
    let part = |seq, last_seq, reason: &str| {
        let mut part = GapRow { seq, last_seq, ..row.clone() };
        part.gap.count = Some(last_seq - seq + 1);
        part.gap.reason = reason.to_owned();
        part
    };
    let border = delivered.min(row.last_seq);
    let mut parts = vec![part(row.seq, border, RELEASED)];
    if border < row.last_seq {
        parts.push(part(border + 1, row.last_seq, words(Why::Gone)));
    }
    parts
}

/// The times of the nearest readings, unless the clock was set back between them.
fn between(mut row: GapRow, times: &BTreeMap<u64, i64>) -> GapRow {
    if row.why.is_some() {
        let before = times.range(..row.seq).next_back().map(|(_, us)| *us);
        let after = times.range(row.last_seq.saturating_add(1)..).next().map(|(_, us)| *us);
        if before.zip(after).is_none_or(|(before, after)| before <= after) {
            (row.gap.from_us, row.gap.to_us) = (before, after);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensors::Gap;

    fn row(seq: u64, last_seq: u64, why: Option<Why>) -> GapRow {
        let count = Some(last_seq - seq + 1);
        let gap = Gap { node: None, channel: None, reason: "as it was".to_owned(), from_us: None, to_us: None, count };
        GapRow { seq, last_seq, gap, why }
    }

    #[test]
    fn what_a_source_had_is_told_from_what_none_ever_had() {
        let spans = |delivered| {
            let parts = split(row(5, 9, Some(Why::Gone)), delivered);
            parts
                .into_iter()
                .map(|row| (row.seq, row.last_seq, row.gap.count, row.gap.reason == RELEASED))
                .collect::<Vec<_>>()
        };
        assert_eq!(spans(4), [(5, 9, Some(5), false)]);
        assert_eq!(spans(6), [(5, 6, Some(2), true), (7, 9, Some(3), false)]);
        assert_eq!(spans(9), [(5, 9, Some(5), true)]);
        assert_eq!(spans(99), [(5, 9, Some(5), true)]);
        for why in [Some(Why::Dropped), Some(Why::Unfinished), None] {
            assert_eq!(split(row(5, 9, why), 99), [row(5, 9, why)], "its reason is known better");
        }
    }

    #[test]
    fn a_span_lies_between_its_neighbours_unless_the_clock_was_set_back() {
        let lost = || row(5, 9, Some(Why::Gone));
        let times = |pairs: &[(u64, i64)]| {
            let row = between(lost(), &pairs.iter().copied().collect());
            (row.gap.from_us, row.gap.to_us)
        };
        assert_eq!(times(&[(3, 30), (4, 40), (10, 100), (11, 110)]), (Some(40), Some(100)));
        assert_eq!(times(&[(10, 100)]), (None, Some(100)));
        assert_eq!(times(&[(4, 40)]), (Some(40), None));
        assert_eq!(times(&[(4, 40), (10, 30)]), (None, None));
        assert_eq!(between(row(5, 5, None), &[(4, 40)].into()).gap.from_us, None, "a gap of the queue has its own");
    }
}

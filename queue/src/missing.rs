//! Why numbers are not in the queue. Pure.

/// Why a number is not in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was there once: trimmed after delivery, or lost with a damaged part.
    Gone,
    /// It was dropped because the queue was full.
    Dropped,
    /// It belongs to the last append before a crash, of which only a part is there. That append was not acknowledged,
    /// unless the disk is damaged.
    Unfinished,
}

/// Numbers of a stream, both included, that are missing for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingSpan {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// The reason.
    pub why: Why,
}

/// Cuts missing numbers where the reason changes. Numbers that were dropped come in spans; of the rest the last one tells.
pub(crate) fn explain(
    (first, last): (u64, u64),
    dropped: &[(u64, u64)],
    is_unfinished: impl Fn(u64) -> bool,
) -> Vec<MissingSpan> {
    let mut dropped: Vec<(u64, u64)> =
        dropped.iter().map(|span| (span.0.max(first), span.1.min(last))).filter(|span| span.0 <= span.1).collect();
    dropped.sort_unstable();
    let mut spans: Vec<MissingSpan> = Vec::new();
    let mut next = first;
    for (from, to) in dropped.into_iter().chain([(last.saturating_add(1), last)]) {
        if let Some(before) = from.checked_sub(1).filter(|before| *before >= next) {
            let why = if is_unfinished(before) { Why::Unfinished } else { Why::Gone };
            spans.push(MissingSpan { first: next, last: before, why });
        }
        if from <= to && to >= next {
            spans.push(MissingSpan { first: from.max(next), last: to, why: Why::Dropped });
        }
        next = next.max(to.saturating_add(1));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(dropped: &[(u64, u64)], unfinished_from: u64) -> Vec<(u64, u64, Why)> {
        let found = explain((5, 20), dropped, |number| number >= unfinished_from);
        found.iter().map(|span| (span.first, span.last, span.why)).collect()
    }

    #[test]
    fn is_cut_where_the_reason_changes_and_leaves_nothing_out() {
        assert_eq!(spans(&[], 99), [(5, 20, Why::Gone)]);
        assert_eq!(spans(&[], 20), [(5, 20, Why::Unfinished)]);
        assert_eq!(spans(&[(1, 30)], 99), [(5, 20, Why::Dropped)]);
        let several = spans(&[(12, 14), (1, 7), (13, 15), (30, 40)], 20);
        let expected = [
            (5, 7, Why::Dropped),
            (8, 11, Why::Gone),
            (12, 14, Why::Dropped),
            (15, 15, Why::Dropped),
            (16, 20, Why::Unfinished),
        ];
        assert_eq!(several, expected);
    }
}

//! What a gateway has collected of a source and brought to the database, without a break. Pure.
//!
//! A span says: everything that this gateway heard of the source from then to then is dealt with: it is in the database, by rows of
//! its own or, where it stood by, by rows of the other one. Within it stands for which times it wrote rows as the holder of
//! its group: what the other one heard of the same nodes then need not be written again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The source of all nodes that are heard over brokers; wires have the names of their nodes, which are never empty.
pub const BROKERS: &str = "";

/// Stamps of one source are in order but for the time that a reading takes to the queue. What is earlier than this says that
/// somebody has set the clock back.
const SET_BACK_US: i64 = 60_000_000;

/// One span. Times are microseconds since 1970 by the clock of the gateway that collected it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// From when.
    pub from_us: i64,
    /// To when, so far.
    pub to_us: i64,
    /// From when to when what it heard became rows while it was the holder; the last of them has the later time.
    pub written_us: Option<(i64, i64)>,
    /// The time of the last reading that became a row while the other one was: what that one did not hear.
    pub filled_to_us: Option<i64>,
    /// It may go on.
    pub is_open: bool,
    /// What the nodes published during the break before it was kept by the broker, and came in this span.
    pub is_resumed: bool,
    /// Of several brokers not all were heard: another one may have brought what this gateway did not hear.
    pub is_partial: bool,
}

/// A time in which a source of this gateway heard nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Break {
    /// From when, microseconds since 1970.
    pub from_us: i64,
    /// Until when.
    pub to_us: i64,
    /// What was published meanwhile came afterwards.
    pub is_resumed: bool,
}

/// How a reading was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dealt {
    /// It became a row, by the holder.
    Written,
    /// It became a row, by a gateway that stands by.
    Filled,
    /// The other gateway's row is there, or there was nothing.
    LeftOut,
}

impl Span {
    /// One that begins with something heard at this time, or where a break ended before it.
    fn begun(at_us: i64, pause: Option<&Break>) -> Self {
        let from_us = pause.map_or(at_us, |pause| pause.to_us);
        let is_resumed = pause.is_some_and(|pause| pause.is_resumed);
        Self { from_us, to_us: from_us, is_open: true, is_resumed, ..Self::default() }
    }

    /// One in which since this time, until now, only a part of what was said was heard.
    fn in_part(since_us: i64, at_us: i64) -> Self {
        Self { from_us: since_us, is_partial: true, ..Self::begun(at_us, None) }
    }

    fn with(self, at_us: i64, dealt: Dealt) -> Self {
        // All that was heard since what was dealt with before is dealt with as the holder.
        let written = |before: Option<(i64, i64)>| {
            before.map_or((self.to_us.min(at_us), at_us), |(from, to)| (from.min(at_us), to.max(at_us)))
        };
        Self {
            to_us: self.to_us.max(at_us),
            written_us: if dealt == Dealt::Written { Some(written(self.written_us)) } else { self.written_us },
            filled_to_us: if dealt == Dealt::Filled { self.filled_to_us.max(Some(at_us)) } else { self.filled_to_us },
            ..self
        }
    }

    /// The time of its last row.
    pub fn last_row_us(&self) -> Option<i64> {
        self.written_us.map(|(_, to)| to).max(self.filled_to_us)
    }
}

/// The spans of one stream, by source, as far as they have changed since they were last written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnSpans {
    newest: BTreeMap<String, Span>,
    changed: BTreeMap<(String, i64), Span>,
}

impl OwnSpans {
    /// The newest span of each source, as the database has them.
    pub fn new(newest: BTreeMap<String, Span>) -> Self {
        Self { newest, changed: BTreeMap::new() }
    }

    /// A reading of `source` from this time is dealt with. `breaks` are those of the source, from the one that the start of
    /// the gateway ended on; a span ends where one begins.
    pub fn extend(&mut self, source: &str, at_us: i64, dealt: Dealt, breaks: &[Break]) {
        let known = self.newest.get(source).copied();
        let since_us = known.map_or(i64::MIN, |span| span.to_us);
        let mut pauses: Vec<&Break> =
            breaks.iter().filter(|pause| pause.to_us > since_us && pause.to_us <= at_us).collect();
        pauses.sort_unstable_by_key(|pause| pause.to_us);
        if known.is_none() {
            // The spans before the last one are those of former streams.
            pauses.drain(..pauses.len().saturating_sub(1));
        }
        for pause in &pauses {
            // All that was heard between two breaks is dealt with: it comes in order.
            self.end(source, pause.from_us);
            self.put(source, Span::begun(at_us, Some(pause)));
        }
        // Heard in spite of a break: by another of several brokers, and not all that was said.
        let lost_us =
            breaks.iter().find(|pause| pause.from_us < at_us && at_us < pause.to_us).map(|pause| pause.from_us);
        let begun = lost_us.map_or_else(|| Span::begun(at_us, None), |since_us| Span::in_part(since_us, at_us));
        let span = match (self.newest.get(source).copied(), lost_us) {
            (Some(span), _) if at_us < span.to_us.saturating_sub(SET_BACK_US) => {
                self.end(source, span.to_us);
                begun
            }
            (Some(span), Some(since_us)) if !span.is_partial && since_us > span.from_us => {
                self.end(source, since_us);
                begun
            }
            (Some(span), Some(_)) if span.is_open => Span { is_partial: true, ..span },
            (Some(span), None) if at_us <= span.to_us || span.is_open && !span.is_partial => span,
            _ => begun,
        };
        self.put(source, span.with(at_us, dealt));
    }

    /// The brokers are not heard until this time, and have not been for long; what they keep will come, but what the other
    /// gateway heard need not wait for it.
    pub fn pass(&mut self, source: &str, through_us: i64, breaks: &[Break]) {
        if self.newest.get(source).is_none_or(|span| span.to_us < through_us) {
            self.extend(source, through_us, Dealt::LeftOut, breaks);
        }
    }

    /// The source was heard until this time, whether it said anything or not, and all of it is dealt with. Nothing new when it
    /// has been heard again only since later, or something later is dealt with.
    pub fn reach(&mut self, source: &str, through_us: i64, breaks: &[Break]) {
        let is_later = breaks.iter().any(|pause| pause.to_us > through_us);
        let is_known = self.newest.get(source).is_some_and(|span| span.to_us >= through_us);
        if !is_later && !is_known {
            self.extend(source, through_us, Dealt::LeftOut, breaks);
        }
    }

    /// The source is not heard any more from this time on, and what it says meanwhile will not come later.
    pub fn end(&mut self, source: &str, at_us: i64) {
        if let Some(span) = self.newest.get(source).copied() {
            self.put(source, Span { to_us: span.to_us.max(at_us), is_open: false, ..span });
        }
    }

    fn put(&mut self, source: &str, span: Span) {
        // A span whose beginning moved is another row; both say the truth.
        self.newest.insert(source.to_owned(), span);
        self.changed.insert((source.to_owned(), span.from_us), span);
    }

    /// What is to be written into the database.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.changed.iter().map(|((source, _), span)| (source.as_str(), span))
    }

    /// It was written.
    pub fn written(&mut self) {
        self.changed.clear();
    }
}

/// Since when the nodes may have published what was heard at this time: a broker that kept it through a break gives it afterwards.
pub fn published_since(breaks: &[Break], at_us: i64, catch_up_us: i64) -> i64 {
    let is_caught_up =
        |pause: &&Break| pause.is_resumed && pause.to_us <= at_us && at_us <= pause.to_us.saturating_add(catch_up_us);
    breaks.iter().filter(is_caught_up).map(|pause| pause.from_us).fold(at_us, i64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(spans: &OwnSpans) -> Span {
        spans.newest["silo"]
    }

    #[test]
    fn a_span_grows_with_what_is_dealt_with() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[]);
        spans.extend("silo", 130, Dealt::LeftOut, &[]);
        spans.extend("silo", 120, Dealt::LeftOut, &[]);
        let expected = Span { to_us: 130, written_us: Some((100, 100)), ..Span::begun(100, None) };
        assert_eq!(newest(&spans), expected);
        spans.reach("silo", 200, &[]);
        assert_eq!((newest(&spans).to_us, newest(&spans).last_row_us()), (200, Some(100)));
        spans.extend("silo", 90, Dealt::Filled, &[]);
        assert_eq!((newest(&spans).written_us, newest(&spans).filled_to_us), (Some((100, 100)), Some(90)));
    }

    #[test]
    fn what_is_reached_does_not_move_the_beginning_of_a_span() {
        let mut spans = OwnSpans::default();
        let pause = Break { from_us: 10, to_us: 90, is_resumed: false };
        spans.reach("silo", 80, &[pause]);
        assert_eq!(spans.changed().count(), 0, "it was not heard then");
        spans.extend("silo", 100, Dealt::Written, &[]);
        spans.reach("silo", 95, &[pause]);
        assert_eq!((newest(&spans).from_us, newest(&spans).to_us), (100, 100));
    }

    #[test]
    fn a_break_ends_a_span_where_it_begins() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[]);
        let pause = Break { from_us: 110, to_us: 150, is_resumed: true };
        spans.extend("silo", 160, Dealt::Written, &[pause]);
        let rows: Vec<Span> = spans.changed().map(|(_, span)| *span).collect();
        assert_eq!((rows[0].from_us, rows[0].to_us, rows[0].is_open), (100, 110, false));
        assert_eq!((rows[1].from_us, rows[1].to_us, rows[1].is_open, rows[1].is_resumed), (150, 160, true, true));
        spans.written();
        spans.extend("silo", 170, Dealt::Written, &[pause]);
        assert_eq!(spans.changed().count(), 1, "a break counts once");
    }

    #[test]
    fn each_of_several_breaks_ends_a_span() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[]);
        let pauses = [(110, 150), (160, 170)].map(|(from_us, to_us)| Break { from_us, to_us, is_resumed: true });
        spans.extend("silo", 180, Dealt::Written, &pauses);
        let rows: Vec<_> = spans.changed().map(|(_, span)| (span.from_us, span.to_us, span.is_open)).collect();
        assert_eq!(rows, [(100, 110, false), (150, 160, false), (170, 180, true)]);
    }

    #[test]
    fn the_first_span_begins_when_the_source_was_connected() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[Break { from_us: 10, to_us: 90, is_resumed: true }]);
        assert_eq!((newest(&spans).from_us, newest(&spans).is_resumed), (90, true));
        assert_eq!(newest(&spans).written_us, Some((90, 100)));
    }

    #[test]
    fn a_takeover_writes_from_where_the_standby_was() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::LeftOut, &[]);
        spans.extend("silo", 130, Dealt::LeftOut, &[]);
        spans.extend("silo", 160, Dealt::Written, &[]);
        spans.extend("silo", 170, Dealt::Written, &[]);
        assert_eq!(newest(&spans).written_us, Some((130, 170)));
    }

    #[test]
    fn what_a_broker_kept_may_be_as_old_as_the_break() {
        let pause = |is_resumed| [Break { from_us: 10, to_us: 90, is_resumed }];
        assert_eq!(published_since(&pause(true), 95, 20), 10);
        assert_eq!(published_since(&pause(true), 111, 20), 111);
        assert_eq!(published_since(&pause(true), 80, 20), 80);
        assert_eq!(published_since(&pause(false), 95, 20), 95);
    }

    #[test]
    fn a_closed_span_is_not_stretched_over_what_it_did_not_hear() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[]);
        spans.end("silo", 140);
        spans.extend("silo", 200, Dealt::Written, &[]);
        assert_eq!(newest(&spans).from_us, 200);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_a_new_span_and_ends_the_one_before() {
        let mut spans = OwnSpans::default();
        let later = 2 * SET_BACK_US;
        spans.extend("silo", later, Dealt::Written, &[]);
        spans.extend("silo", 100, Dealt::Written, &[]);
        spans.extend("silo", 130, Dealt::Written, &[]);
        let rows: Vec<(i64, i64, bool)> =
            spans.changed().map(|(_, row)| (row.from_us, row.to_us, row.is_open)).collect();
        assert_eq!(rows, [(100, 130, true), (later, later, false)]);
    }

    #[test]
    fn while_one_of_two_brokers_is_away_only_a_part_is_heard() {
        let mut spans = OwnSpans::default();
        spans.extend("", 100, Dealt::Written, &[]);
        let pause = |to_us| [Break { from_us: 110, to_us, is_resumed: true }];
        // First without an end, then as a backlog shows it.
        for to_us in [i64::MAX, 150] {
            spans.extend("", 120, Dealt::Written, &pause(to_us));
            spans.extend("", 140, Dealt::Written, &pause(to_us));
        }
        spans.extend("", 160, Dealt::Written, &pause(150));
        let rows: Vec<_> =
            spans.changed().map(|(_, row)| (row.from_us, row.to_us, row.is_open, row.is_partial)).collect();
        assert_eq!(rows, [(100, 110, false, false), (110, 140, false, true), (150, 160, true, false)]);
    }

    #[test]
    fn what_begins_while_a_broker_is_away_is_a_part_from_the_first() {
        let mut spans = OwnSpans::default();
        let lasts = [Break { from_us: 10, to_us: i64::MAX, is_resumed: false }];
        spans.extend("", 100, Dealt::Written, &lasts);
        assert_eq!((spans.newest[""].from_us, spans.newest[""].is_partial), (10, true));
        assert_eq!(spans.newest[""].written_us, Some((100, 100)), "nothing is known to stand there before");
        spans.extend("", 130, Dealt::Written, &[]);
        assert_eq!((spans.newest[""].from_us, spans.newest[""].is_partial), (130, false));
    }

    #[test]
    fn brokers_that_are_away_for_long_are_not_waited_for() {
        let mut spans = OwnSpans::default();
        let lasts = [Break { from_us: 110, to_us: i64::MAX, is_resumed: false }];
        spans.extend("", 100, Dealt::Written, &[]);
        spans.reach("", 140, &lasts);
        assert_eq!(spans.newest[""].to_us, 100, "it is not heard");
        spans.pass("", 140, &lasts);
        let span = spans.newest[""];
        assert_eq!((span.from_us, span.to_us, span.is_partial, span.written_us), (110, 140, true, None));
    }

    #[test]
    fn a_source_that_ended_begins_a_new_span() {
        let mut spans = OwnSpans::default();
        spans.extend("silo", 100, Dealt::Written, &[]);
        spans.end("silo", 140);
        assert!(!newest(&spans).is_open);
        spans.extend("silo", 200, Dealt::Written, &[Break { from_us: 140, to_us: 190, is_resumed: false }]);
        assert_eq!((newest(&spans).from_us, newest(&spans).is_open), (190, true));
    }
}

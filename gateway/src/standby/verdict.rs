//! What becomes of a reading that both gateways may have heard. Pure, and decided in the transaction that holds the lock of the
//! group's row, from what the database shows there and then: so of two gateways that are both active for a while, one sees
//! what the other one wrote.
//!
//! A reading with an identity (its node's own number or time) is looked up among the other gateway's rows, so it is exactly one row
//! whatever happened. One without is told by time: within a span of the other gateway it is there; at the very edge of one
//! nobody can tell, and a double is better than a loss, so both are marked.

use super::span::Span;
use std::collections::BTreeMap;

const SECOND_US: i64 = 1_000_000;
/// Two gateways that listen hear the same message within this.
pub const EDGE_US: i64 = SECOND_US;
/// The stamps of two gateways for one message differ by no more than this, unless a broker kept it for one of them.
pub const MATCH_US: i64 = 30 * SECOND_US;
/// For so long after a break a broker may still deliver what it kept.
pub const CATCH_UP_US: i64 = 600 * SECOND_US;
/// Where nothing better is known, what a broker kept is taken for delivered after this.
pub const SETTLED_US: i64 = 10 * SECOND_US;

/// Another gateway of the site, as the database shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Other {
    /// The row of the group names it.
    pub is_holder: bool,
    /// Its spans by source, each list in order of time.
    pub spans: BTreeMap<String, Vec<Span>>,
}

/// A reading, or what else stands for something heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// When, by the clock of the other gateway.
    pub at_us: i64,
    /// Since when the node may have published it, by the same clock; at most `at_us`.
    pub since_us: i64,
    /// Both may be off by so much either way, as far as is known of the two clocks.
    pub doubt_us: i64,
    /// It can be told from all others of its channel.
    pub has_identity: bool,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It becomes a row.
    Write,
    /// It becomes a row with a mark: the other gateway may have written it too, with a stamp between these times (by its clock).
    WriteMarked(i64, i64),
    /// The other gateway's row is there.
    LeaveOut,
    /// It becomes a row unless the other gateway has one of the same identity, stamped between these times (by its clock).
    Ask(i64, i64),
    /// The same of a reading without an identity, which then has a mark: the other gateway has dealt with all that it heard, and
    /// its last row is of this time. One of the same value is it.
    AskAlike(i64, i64),
    /// The other gateway is active and may still bring it.
    Wait,
}

/// What becomes of something heard from `source`. `is_holder`: this gateway does not wait.
pub fn verdict(heard: &Heard, source: &str, others: &[Other], is_holder: bool) -> Verdict {
    let may_come = !is_holder && !others.iter().any(|other| other.is_holder && other.is_past(source, heard.last_us()));
    match (heard.has_identity, may_come) {
        (true, true) => Verdict::Wait,
        (true, false) => by_identity(heard, source, others),
        (false, _) => by_time(heard, source, others, may_come),
    }
}

/// The same for a gateway that is not one of two any more, or for another one's queue that it has imported: it waits for nobody, and
/// writes nothing of which it would have had to wait to know whether the other gateway brings it without a mark.
pub fn verdict_of_former(heard: &Heard, source: &str, others: &[Other]) -> Verdict {
    match verdict(heard, source, others, false) {
        Verdict::Wait if others.is_empty() => Verdict::Write,
        Verdict::Wait if heard.has_identity => by_identity(heard, source, others),
        Verdict::Wait => marked(heard, source, others),
        decided => decided,
    }
}

fn by_identity(heard: &Heard, source: &str, others: &[Other]) -> Verdict {
    let windows = others.iter().filter_map(|other| other.window(heard, source));
    let both = |one: (i64, i64), other: (i64, i64)| (one.0.min(other.0), one.1.max(other.1));
    windows.reduce(both).map_or(Verdict::Write, |(from_us, to_us)| Verdict::Ask(from_us, to_us))
}

fn by_time(heard: &Heard, source: &str, others: &[Other], may_come: bool) -> Verdict {
    let place = |other: &Other| match heard.is_live() {
        true => other.place_of_live(source, heard),
        false => other.place_of_kept(source, heard),
    };
    let places: Vec<Place> = others.iter().map(place).collect();
    match (places.contains(&Place::Within), may_come) {
        (true, _) => Verdict::LeaveOut,
        (false, true) => Verdict::Wait,
        (false, false) if others.iter().any(|other| other.is_last_of(source, heard)) => alike(heard),
        (false, false) if places.contains(&Place::Edge) => marked(heard, source, others),
        (false, false) => Verdict::Write,
    }
}

fn marked(heard: &Heard, source: &str, others: &[Other]) -> Verdict {
    let to_us = others.iter().map(|other| other.stamps_to(heard, source, (EDGE_US, SETTLED_US))).max();
    let to_us = to_us.unwrap_or(heard.last_us().saturating_add(EDGE_US));
    Verdict::WriteMarked(heard.first_us().saturating_sub(EDGE_US), to_us)
}

fn alike(heard: &Heard) -> Verdict {
    Verdict::AskAlike(heard.first_us().saturating_sub(EDGE_US), heard.last_us().saturating_add(EDGE_US))
}

/// Where a time lies among those for which a gateway has written rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Outside,
    Edge,
    Within,
}

impl Other {
    fn of(&self, source: &str) -> &[Span] {
        self.spans.get(source).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing of this source from this time can come any more in the order in which it delivers.
    fn is_past(&self, source: &str, at_us: i64) -> bool {
        let is_past = |span: &Span| span.to_us >= at_us.saturating_add(EDGE_US);
        match self.of(source).last() {
            Some(span) if at_us <= span.from_us && span.is_resumed => span.has_caught_up(),
            Some(span) if span.is_open => is_past(span),
            _ => self.spans.values().flatten().any(is_past),
        }
    }

    /// It was heard at about the time of the last row of the holder, which has dealt with what it heard later too. A source may be
    /// silent for long, and that is no edge.
    fn is_last_of(&self, source: &str, heard: &Heard) -> bool {
        let span = self.of(source).last().filter(|span| self.is_holder && span.is_open);
        let written_us = span.and_then(|span| Some((span.heard_itself_from()?, span.written_us?.1)));
        let is_near = |(from_us, to_us): (i64, i64)| {
            from_us.saturating_add(EDGE_US) <= heard.first_us() && heard.first_us() <= to_us.saturating_add(EDGE_US)
        };
        heard.is_live() && written_us.is_some_and(is_near)
    }

    /// Where a doubt of the clocks may put it into two places, nobody can tell.
    fn place_of_live(&self, source: &str, heard: &Heard) -> Place {
        let [first, at, last] = [heard.first_us(), heard.at_us, heard.last_us()].map(|at_us| self.place(source, at_us));
        if first == at && at == last { at } else { Place::Edge }
    }

    fn place(&self, source: &str, at_us: i64) -> Place {
        let spans = self.of(source);
        let places = with_before(spans).map(|(before, span)| span.place(before, at_us));
        places.max().unwrap_or(Place::Outside)
    }

    /// The same of what a broker may have kept for this gateway: its stamp says when it came, not when it was published. It is
    /// there if the other one listened all the time in which it may have been published, and wrote what it heard.
    fn place_of_kept(&self, source: &str, heard: &Heard) -> Place {
        let places = with_before(self.of(source)).map(|(before, span)| self.place_of_kept_in(before, span, heard));
        places.max().unwrap_or(Place::Outside)
    }

    fn place_of_kept_in(&self, before: Option<&Span>, span: &Span, heard: &Heard) -> Place {
        let to_us = if self.is_holder { span.to_us } else { span.written_us.map_or(i64::MIN, |(_, to)| to) };
        let from_us = span.heard_itself_from();
        match (from_us.is_some_and(|from_us| heard.is_between(from_us, to_us)), span.may_have(before, heard)) {
            (true, _) => Place::Within,
            (false, true) => Place::Edge,
            (false, false) => Place::Outside,
        }
    }

    /// Between which of its stamps its row of the same message would stand; none where it has written nothing near.
    fn window(&self, heard: &Heard, source: &str) -> Option<(i64, i64)> {
        let from_us = heard.first_us().saturating_sub(MATCH_US);
        let to_us = self.stamps_to(heard, source, (MATCH_US, CATCH_UP_US));
        let is_near = |span: &Span| span.last_row_us().is_some_and(|to| to >= from_us) && span.from_us <= to_us;
        // It may have come another way there, or be of a wire that is in one of the two files no more.
        self.spans.values().flatten().any(is_near).then_some((from_us, to_us))
    }

    /// Up to when its stamp of the same message may be, that of a broker's which kept it for a break included.
    fn stamps_to(&self, heard: &Heard, source: &str, (match_us, catch_up_us): (i64, i64)) -> i64 {
        let mut to_us = heard.last_us().saturating_add(match_us);
        for (before, span) in with_before(self.of(source)).filter(|(_, span)| span.is_resumed) {
            // What it could not hear then it heard later.
            if Span::deaf_from(before).saturating_sub(match_us) <= heard.last_us() && heard.first_us() <= span.from_us {
                to_us = to_us.max(span.from_us.saturating_add(catch_up_us));
            }
        }
        to_us
    }
}

impl Heard {
    /// No broker has kept it.
    fn is_live(&self) -> bool {
        self.since_us >= self.at_us
    }

    /// The earliest that the node may have published it.
    pub fn first_us(&self) -> i64 {
        self.since_us.saturating_sub(self.doubt_us)
    }

    /// Between which stamps the other gateway's row stands if it heard it at the same time.
    pub fn near_us(&self) -> (i64, i64) {
        let off_us = MATCH_US.saturating_add(self.doubt_us);
        (self.at_us.saturating_sub(off_us), self.at_us.saturating_add(off_us))
    }

    /// The latest that it may have been heard.
    fn last_us(&self) -> i64 {
        self.at_us.saturating_add(self.doubt_us)
    }

    /// It was published between these times, whatever the clocks are off.
    fn is_between(&self, from_us: i64, to_us: i64) -> bool {
        from_us.saturating_add(EDGE_US) <= self.first_us() && to_us.saturating_sub(EDGE_US) >= self.last_us()
    }
}

/// Each span with the one before it.
fn with_before(spans: &[Span]) -> impl Iterator<Item = (Option<&Span>, &Span)> {
    std::iter::once(None).chain(spans.iter().map(Some)).zip(spans)
}

impl Span {
    /// Since when its gateway may have heard nothing until it resumed.
    fn deaf_from(before: Option<&Self>) -> i64 {
        before.map_or(i64::MIN, |before| if before.is_partial { before.from_us } else { before.to_us })
    }

    /// One of its rows may be of the same message.
    fn may_have(&self, before: Option<&Self>, heard: &Heard) -> bool {
        let from_us = if self.is_resumed { Self::deaf_from(before) } else { self.from_us };
        let is_after = |to: i64| to.saturating_add(EDGE_US) >= heard.first_us();
        self.last_row_us().is_some_and(is_after) && from_us.saturating_sub(EDGE_US) <= heard.last_us()
    }

    /// Since when what was said was heard at that time, and became rows. What a broker kept through the break before a span it need
    /// not have kept whole: not what was said while it was down itself, nor more than its limit, nor QoS 0.
    fn heard_itself_from(&self) -> Option<i64> {
        let (from_us, _) = self.written_us.filter(|_| !self.is_partial)?;
        Some(if self.is_resumed { from_us.max(self.from_us) } else { from_us })
    }

    /// `before` is the span before this one.
    fn place(&self, before: Option<&Self>, at_us: i64) -> Place {
        self.place_of_written(before, at_us).max(self.place_of_filled(at_us))
    }

    /// What became rows while the other one was the holder says nothing of what lies between.
    fn place_of_filled(&self, at_us: i64) -> Place {
        let reaches =
            |to_us: i64| self.from_us.saturating_sub(EDGE_US) <= at_us && at_us <= to_us.saturating_add(EDGE_US);
        if self.filled_to_us.is_some_and(reaches) { Place::Edge } else { Place::Outside }
    }

    fn place_of_written(&self, before: Option<&Self>, at_us: i64) -> Place {
        let Some((from_us, to_us)) = self.written_us else { return Place::Outside };
        let near_us = if self.is_resumed { Self::deaf_from(before) } else { from_us };
        let within_us = self.heard_itself_from().unwrap_or(i64::MAX).saturating_add(EDGE_US);
        let is_near = (near_us.saturating_sub(EDGE_US)..=to_us.saturating_add(EDGE_US)).contains(&at_us);
        let is_within = (within_us..=to_us.saturating_sub(EDGE_US)).contains(&at_us);
        match (is_near, is_within) {
            (_, true) => Place::Within,
            (true, false) => Place::Edge,
            (false, false) => Place::Outside,
        }
    }

    /// What a broker kept during the break before it has come.
    fn has_caught_up(&self) -> bool {
        self.is_resumed && self.to_us >= self.from_us.saturating_add(SETTLED_US)
    }
}

#[cfg(test)]
mod tests;

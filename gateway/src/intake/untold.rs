//! What was dropped and what no gap in the queue tells yet. Pure.
//!
//! While there is no room, gaps are written after 10 s, after 20 more, 40 and so on, at least once an hour: few enough for
//! the little room that is kept for them, and often enough that a gateway which is killed forgets little. One that
//! stops writes the rest.

use super::units::OwnGap;
use queue::pressure::Cause;
use sensors::{Arrival, Content, Gap, Stamp};

/// From the first drop to the gap that tells of it; the next one takes twice as long.
const FIRST_US: u64 = 10_000_000;
/// The longest time between two gaps.
const LONGEST_US: u64 = 3_600_000_000;
/// Gaps of others that wait for room, such as those of nodes over their quota. Of further ones only the counts are kept.
const MOST_GAPS: usize = 1000;

/// Counts and gaps that wait to be written.
#[derive(Debug)]
pub struct Untold {
    span: Option<Span>,
    gaps: Vec<OwnGap>,
    wait_us: u64,
    due_us: Option<u64>,
}

/// Dropped readings.
#[derive(Debug)]
struct Span {
    cause: Cause,
    from_us: i64,
    to_us: i64,
    count: u64,
    /// The other gateway of the site may have all of them.
    shared: bool,
}

impl Default for Untold {
    /// Nothing was dropped yet.
    fn default() -> Self {
        Self { span: None, gaps: Vec::new(), wait_us: FIRST_US, due_us: None }
    }
}

impl Untold {
    /// Drops what arrived, because of this; how many readings that were. A gap is not dropped: it waits for room.
    pub fn drop_arrived(&mut self, arrival: &Arrival, cause: Cause, now: Stamp) -> u64 {
        let shared = arrival.shared;
        let stamps: Vec<Stamp> = match &arrival.content {
            Content::Readings(readings) => readings.iter().map(|reading| reading.stamp).collect(),
            Content::DeadLetter(letter) => vec![letter.stamp],
            Content::Gap(gap) => {
                self.owe([OwnGap { gap: gap.clone(), shared }], cause, now);
                Vec::new()
            }
            Content::AlreadyQueued => Vec::new(),
        };
        for stamp in &stamps {
            self.begin(now);
            self.count(stamp.wall_us, cause, 1, shared);
        }
        u64::try_from(stamps.len()).unwrap_or(u64::MAX)
    }

    /// Gaps that are to be written with the next group.
    pub fn owe(&mut self, gaps: impl IntoIterator<Item = OwnGap>, cause: Cause, now: Stamp) {
        for own in gaps {
            self.begin(now);
            if self.gaps.len() < MOST_GAPS {
                self.gaps.push(own);
            } else {
                self.count(now.wall_us, cause, own.gap.count.unwrap_or(0), own.shared);
            }
        }
    }

    /// Whether gaps in the queue tell of everything that was dropped.
    pub fn is_empty(&self) -> bool {
        self.span.is_none() && self.gaps.is_empty()
    }

    /// The gaps to write now; while there is no room only from time to time.
    pub fn due(&self, now: Stamp, full: bool) -> Vec<OwnGap> {
        if full && self.due_us.is_none_or(|due_us| now.boottime_us < due_us) {
            return Vec::new();
        }
        self.gaps.iter().cloned().chain(self.span.as_ref().map(Span::gap)).collect()
    }

    /// What was due is durable.
    pub fn told(&mut self, now: Stamp, full: bool) {
        self.gaps.clear();
        self.span = None;
        self.wait_us = if full { (self.wait_us * 2).min(LONGEST_US) } else { FIRST_US };
        self.due_us = full.then(|| now.boottime_us.saturating_add(self.wait_us));
    }

    /// What was due found no room.
    pub fn refused(&mut self, now: Stamp) {
        self.due_us = Some(now.boottime_us.saturating_add(FIRST_US));
    }

    fn begin(&mut self, now: Stamp) {
        self.due_us.get_or_insert(now.boottime_us.saturating_add(self.wait_us));
    }

    fn count(&mut self, at_us: i64, cause: Cause, count: u64, shared: bool) {
        let span = self.span.get_or_insert(Span { cause, from_us: at_us, to_us: at_us, count: 0, shared });
        span.shared &= shared;
        (span.from_us, span.to_us) = (span.from_us.min(at_us), span.to_us.max(at_us));
        span.count = span.count.saturating_add(count);
    }
}

impl Span {
    fn gap(&self) -> OwnGap {
        let reason = match self.cause {
            Cause::Queue => "the queue was full: the newest readings were dropped",
            Cause::Disk => "the disk was nearly full: the newest readings were dropped",
        };
        let (from_us, to_us, count) = (Some(self.from_us), Some(self.to_us), Some(self.count));
        let gap = Gap { node: None, channel: None, reason: reason.to_owned(), from_us, to_us, count };
        OwnGap { gap, shared: self.shared }
    }
}

#[cfg(test)]
mod tests;

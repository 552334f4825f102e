//! The way out of a port: it never waits, and what could not be handed over becomes a gap.

use crate::clock::Stamp;
use crate::meter::Meter;
use crate::reading::{DeadLetter, Gap};
use crate::source::{Arrival, Content, Outlet};
use config::NodeId;
use std::collections::BTreeMap;
use tracing::{info, warn};

/// So often, at most, a line that could not be understood is kept as a dead letter.
const DEAD_LETTER_PERIOD_US: u64 = 1_000_000;

/// Why something is missing, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// The port could not be opened from the start.
    PortNotOpen,
    /// The port was there and went.
    PortGone,
    /// Lines beyond those kept as dead letters.
    NotUnderstood,
    /// The way to the queue was full.
    NoRoom,
}

/// From when to when, in microseconds since 1970, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from_us: i64,
    /// Its end.
    pub to_us: i64,
    /// How many are missing; none when nobody knows.
    pub count: Option<u64>,
}

impl Span {
    fn at(stamp: Stamp, count: u64) -> Self {
        Self { from_us: stamp.wall_us, to_us: stamp.wall_us, count: Some(count) }
    }

    fn joined(self, later: Self) -> Self {
        let count = self.count.zip(later.count).map(|(earlier, more)| earlier.saturating_add(more));
        Self { from_us: self.from_us, to_us: later.to_us, count }
    }
}

/// The outlet of one port, and the gaps that it still has to tell.
#[derive(Debug)]
pub struct Delivery {
    outlet: Outlet,
    node: NodeId,
    /// One of a kind at most: while there is no room they grow together.
    owed: BTreeMap<Missing, Span>,
    /// Until this time since boot, lines that are not understood are only counted.
    counting_until_us: u64,
    counted: Option<Span>,
}

impl Delivery {
    /// What counts for this port.
    pub fn meter(&self) -> &Meter {
        self.outlet.meter()
    }

    /// For the readings of `node`.
    pub fn new(outlet: Outlet, node: NodeId) -> Self {
        Self { outlet, node, owed: BTreeMap::new(), counting_until_us: 0, counted: None }
    }

    /// True while [`tick`](Self::tick) has something to do.
    pub fn is_owing(&self) -> bool {
        !self.owed.is_empty() || self.counted.is_some()
    }

    /// Hands over what came as `bytes` of payload, or counts it.
    pub fn hand_over(&mut self, content: Content, bytes: usize, stamp: Stamp) {
        self.tick(stamp);
        let count = match &content {
            Content::Readings(readings) => u64::try_from(readings.len()).unwrap_or(u64::MAX),
            _ => 1,
        };
        // What is owed goes first, so that a gap never stands behind what came after it.
        if !self.owed.is_empty() || !self.outlet.try_send(Arrival::of(content), bytes) {
            if !self.owed.contains_key(&Missing::NoRoom) {
                warn!(node = %self.node, "the gateway has no room; what this node sends is counted and dropped until there is some");
            }
            self.owe(Missing::NoRoom, Span::at(stamp, count));
        }
    }

    /// Keeps a line that could not be understood, but not more than one a second.
    pub fn refuse(&mut self, letter: DeadLetter) {
        let stamp = letter.stamp;
        self.tick(stamp);
        if stamp.boottime_us < self.counting_until_us {
            let one = Span::at(stamp, 1);
            self.counted = Some(self.counted.map_or(one, |counted| counted.joined(one)));
            return;
        }
        self.counting_until_us = stamp.boottime_us.saturating_add(DEAD_LETTER_PERIOD_US);
        let bytes = letter.bytes.len();
        self.hand_over(Content::DeadLetter(letter), bytes, stamp);
    }

    /// Notes something that is missing; it is told as soon as there is room.
    pub fn owe(&mut self, missing: Missing, span: Span) {
        self.owed.entry(missing).and_modify(|owed| *owed = owed.joined(span)).or_insert(span);
    }

    /// Tells what is owed, as far as there is room. For once a second, at least, while something is owed.
    pub fn tick(&mut self, now: Stamp) {
        if now.boottime_us >= self.counting_until_us {
            self.count_no_longer();
        }
        self.settle();
    }

    /// Tells everything that is owed, if there is room.
    pub fn end(&mut self) {
        self.count_no_longer();
        self.settle();
    }

    fn count_no_longer(&mut self) {
        if let Some(counted) = self.counted.take() {
            self.owe(Missing::NotUnderstood, counted);
        }
    }

    fn settle(&mut self) {
        while let Some((&missing, &span)) = self.owed.first_key_value() {
            if !self.outlet.try_send(Arrival::of(Content::Gap(self.gap(missing, span))), 1) {
                return;
            }
            self.owed.remove(&missing);
            if missing == Missing::NoRoom {
                info!(node = %self.node, dropped = span.count, "the gateway has room again");
            }
        }
    }

    fn gap(&self, missing: Missing, span: Span) -> Gap {
        let reason = match missing {
            Missing::PortNotOpen => "the port could not be opened".to_owned(),
            Missing::PortGone => "the port was gone".to_owned(),
            Missing::NotUnderstood => format!("{} frames could not be understood", span.count.unwrap_or(0)),
            Missing::NoRoom => "no room in the gateway".to_owned(),
        };
        let (from_us, to_us) = (Some(span.from_us), Some(span.to_us));
        Gap { node: Some(self.node.clone()), channel: None, reason, from_us, to_us, count: span.count }
    }
}

#[cfg(test)]
mod tests;

//! Arrivals that become durable together, or are dropped together.

use super::heard::Found;
use super::quota::Quotas;
use super::units::unit;
use queue::Unit;
use sensors::{Arrival, Content, Ticket};

/// A group, with what it leaves in the queue.
#[derive(Default)]
pub struct Group {
    /// What its arrivals leave in the queue.
    pub units: Vec<Unit>,
    /// A moment after which nothing more was found waiting, microseconds since 1970; none when something was.
    pub empty_at_us: Option<i64>,
    arrivals: Vec<(Arrival, bool)>,
}

impl Group {
    /// Judges each arrival by its node's quota; what is over it is counted there and leaves nothing.
    pub fn admit(arrivals: Vec<Arrival>, quotas: &mut Quotas) -> Self {
        let judge = |arrival: Arrival| {
            let admitted = is_admitted(quotas, &arrival);
            (arrival, admitted)
        };
        let arrivals: Vec<(Arrival, bool)> = arrivals.into_iter().map(judge).collect();
        let units = arrivals.iter().filter(|(_, admitted)| *admitted).filter_map(|(arrival, _)| unit(arrival));
        Self { units: units.collect(), empty_at_us: None, arrivals }
    }

    /// What is within the quotas.
    pub fn admitted(&self) -> impl DoubleEndedIterator<Item = &Arrival> {
        self.arrivals.iter().filter(|(_, admitted)| *admitted).map(|(arrival, _)| arrival)
    }

    /// What is within the quotas and will not be sent again by anybody.
    pub fn not_held_elsewhere(&self) -> impl Iterator<Item = &Arrival> {
        self.admitted().filter(|arrival| arrival.ticket.is_none())
    }

    /// What is known of the time up to which everything was heard, once it is durable.
    pub fn found(&self) -> Found {
        let last_us = self.admitted().rev().find_map(|arrival| stamped_us(&arrival.content));
        Found { empty_at_us: self.empty_at_us, last_us }
    }

    /// The rights to acknowledge all of it.
    pub fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.arrivals.iter().filter_map(|(arrival, _)| arrival.ticket)
    }
}

fn stamped_us(content: &Content) -> Option<i64> {
    match content {
        Content::Readings(readings) => readings.last().map(|reading| reading.stamp.wall_us),
        Content::DeadLetter(letter) => Some(letter.stamp.wall_us),
        Content::Gap(_) | Content::AlreadyQueued => None,
    }
}

fn is_admitted(quotas: &mut Quotas, arrival: &Arrival) -> bool {
    match &arrival.content {
        Content::Readings(readings) => quotas.admits(readings, arrival.shared),
        Content::DeadLetter(_) | Content::Gap(_) | Content::AlreadyQueued => true,
    }
}

//! Arrivals that become durable together, or are dropped together.

use super::quota::Quotas;
use super::units::unit;
use queue::Unit;
use sensors::{Arrival, Content, Ticket};

/// A group, with what it leaves in the queue.
#[derive(Default)]
pub struct Group {
    /// What its arrivals leave in the queue.
    pub units: Vec<Unit>,
    arrivals: Vec<(Arrival, bool)>,
}

impl Group {
    /// Judges each arrival by its node's quota; what is over it is counted there and leaves nothing.
    pub fn admit(arrivals: Vec<Arrival>, quotas: &mut Quotas) -> Self {
        let judge = |arrival: Arrival| {
            let admitted = is_admitted(quotas, &arrival.content);
            (arrival, admitted)
        };
        let arrivals: Vec<(Arrival, bool)> = arrivals.into_iter().map(judge).collect();
        let units = arrivals.iter().filter(|(_, admitted)| *admitted).filter_map(|(arrival, _)| unit(arrival));
        Self { units: units.collect(), arrivals }
    }

    /// What is within the quotas.
    pub fn admitted(&self) -> impl Iterator<Item = &Content> {
        self.arrivals.iter().filter(|(_, admitted)| *admitted).map(|(arrival, _)| &arrival.content)
    }

    /// What is within the quotas and will not be sent again by anybody.
    pub fn not_held_elsewhere(&self) -> impl Iterator<Item = &Content> {
        let ours = self.arrivals.iter().filter(|(arrival, admitted)| *admitted && arrival.ticket.is_none());
        ours.map(|(arrival, _)| &arrival.content)
    }

    /// The rights to acknowledge all of it.
    pub fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.arrivals.iter().filter_map(|(arrival, _)| arrival.ticket)
    }
}

fn is_admitted(quotas: &mut Quotas, content: &Content) -> bool {
    match content {
        Content::Readings(readings) => quotas.admits(readings),
        Content::DeadLetter(_) | Content::Gap(_) | Content::AlreadyQueued => true,
    }
}

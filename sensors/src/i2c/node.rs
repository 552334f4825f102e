//! One node: how it is asked, what is known of it, and what comes of an answer.

use super::bus::{Bus, BusError};
use super::driver::{Asked, Driver, Failure, driver};
use super::unsent::Unsent;
use crate::clock::Stamp;
use crate::reading::{Gap, Reading};
use crate::source::Content;
use config::{I2cNode, NodeId};
use tracing::{info, warn};

/// A node of a bus.
pub struct Node {
    name: NodeId,
    address: u16,
    driver: Box<dyn Driver>,
    /// The trouble already reported, so that a run of equal failures is one line.
    trouble: Option<Failure>,
    unsent: Unsent,
}

impl Node {
    /// One that has not been asked.
    pub fn new(settings: &I2cNode) -> Self {
        let driver = driver(&settings.part);
        Self {
            name: settings.name.clone(),
            address: settings.address,
            driver,
            trouble: None,
            unsent: Unsent::default(),
        }
    }

    /// Asks once, and says so when its trouble has changed.
    pub fn ask(&mut self, bus: &mut dyn Bus, stamp: Stamp) -> Result<Vec<Reading>, Failure> {
        let asked = Asked { node: &self.name, address: self.address, stamp };
        let result = self.driver.ask(bus, &asked);
        self.report(result.as_ref().err());
        result
    }

    /// Notes readings that found no room.
    pub fn note_missing(&mut self, stamp: Stamp, readings: usize) {
        self.unsent.add(&self.name, stamp.wall_us, readings);
    }

    /// Tells of readings that found no room, if there are any. False, and more of them, while `tell` finds none either.
    pub fn tell_missing(&mut self, stamp: Stamp, tell: impl FnOnce(Gap) -> bool) -> bool {
        let told = self.unsent.is_told(&self.name, stamp.wall_us, tell);
        if !told {
            self.note_missing(stamp, self.driver.channels().len());
        }
        told
    }

    /// Nothing more is asked for now: tells of readings that found no room, if there is room. What finds none is told later.
    pub fn rest(&mut self, stamp: Stamp, tell: impl FnOnce(Gap) -> bool) {
        self.unsent.is_told(&self.name, stamp.wall_us, tell);
    }

    /// One line when the trouble changes, and one when it is over. A bus that is away has its own line.
    fn report(&mut self, trouble: Option<&Failure>) {
        match trouble {
            Some(Failure::Bus(BusError::Away(_))) => return,
            Some(trouble) if !self.trouble.as_ref().is_some_and(|known| known.is_like(trouble)) => {
                warn!(node = %self.name, address = format_args!("0x{:02x}", self.address), "no readings: {trouble}");
            }
            None if self.trouble.is_some() => info!(node = %self.name, "it answers again"),
            _ => {}
        }
        self.trouble = trouble.cloned();
    }

    /// What comes of an answer, or of none: a reading without data for each channel.
    pub fn content(&self, result: &Result<Vec<Reading>, Failure>, stamp: Stamp) -> Content {
        let failure = match result {
            Ok(readings) => return Content::Readings(readings.clone()),
            Err(failure) => failure,
        };
        let channels = self.driver.channels();
        if channels.is_empty() {
            // A node that names its channels itself and has not done so yet.
            let (node, at_us) = (Some(self.name.clone()), Some(stamp.wall_us));
            let reason = format!("no readings: {failure}");
            return Content::Gap(Gap { node, channel: None, reason, from_us: at_us, to_us: at_us, count: None });
        }
        let asked = Asked { node: &self.name, address: self.address, stamp };
        let reading = |named| asked.reading(named, Err(failure.no_data()), None);
        Content::Readings(channels.into_iter().map(reading).collect())
    }
}

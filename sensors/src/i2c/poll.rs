//! What a bus's thread does: ask whoever is due, hand over what came of it, and keep the bus open.

use super::bus::{Bus, BusError};
use super::driver::Failure;
use super::node::Node;
use super::presence::Presence;
use super::schedule::Schedule;
use crate::clock::{SampleClock, Stamp};
use crate::meter::Meter;
use crate::source::{Arrival, Content, Outlet};
use crate::turn::{LOOK_EVERY, Turn};
use config::I2c;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest sleep of the thread.
const LONGEST_WAIT_US: u64 = 60 * 1_000_000;
/// The same where the turn may end, so that a new one is not slept through.
const LONGEST_WAIT_IN_TURN_US: u64 = 1_000_000;
/// A reading's share of the room for payloads on their way to the queue.
const BYTES_A_READING: usize = 16;

/// The way to the queue. It can be closed from outside, so that a thread that hangs in a transfer does not keep it open.
#[derive(Clone)]
pub struct SharedOutlet(Arc<Mutex<Option<Outlet>>>);

impl SharedOutlet {
    /// An open one.
    pub fn new(outlet: Outlet) -> Self {
        Self(Arc::new(Mutex::new(Some(outlet))))
    }

    /// From now on nothing is taken.
    pub fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What counts for this bus.
    fn meter(&self) -> Meter {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|outlet| outlet.meter().clone())
            .unwrap_or_default()
    }

    /// Hands over without waiting; false when there is no room, or it is closed.
    fn offer(&self, content: Content) -> bool {
        let readings = if let Content::Readings(readings) = &content { readings.len() } else { 1 };
        let arrival = Arrival::of(content);
        let outlet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outlet.as_ref().is_some_and(|outlet| outlet.try_send(arrival, readings * BYTES_A_READING))
    }
}

/// Everything a bus's thread owns.
pub struct Poller {
    bus: Box<dyn Bus + Send>,
    clock: Arc<dyn SampleClock>,
    outlet: SharedOutlet,
    schedule: Schedule,
    nodes: Vec<Node>,
    presence: Presence,
    turn: Turn,
    /// It was found to be the other gateway's turn.
    resting: bool,
}

impl Poller {
    /// Asks nothing yet; the first step opens the bus.
    pub fn new(
        settings: &I2c,
        bus: Box<dyn Bus + Send>,
        clock: Arc<dyn SampleClock>,
        turn: Turn,
        outlet: SharedOutlet,
    ) -> Self {
        let now_us = clock.stamp().boottime_us;
        let presence = Presence::new(&settings.bus, outlet.meter(), now_us);
        Self {
            bus,
            outlet,
            schedule: Schedule::new(settings.nodes.iter().map(|node| node.every), now_us),
            nodes: settings.nodes.iter().map(Node::new).collect(),
            presence,
            clock,
            turn,
            resting: false,
        }
    }

    /// Runs until the other end of `stop` is gone.
    pub fn run(mut self, stop: &Receiver<()>) {
        while stop.recv_timeout(self.step()) == Err(RecvTimeoutError::Timeout) {}
    }

    /// Opens the bus if it is not, and asks at most one node; while it is not our turn, neither. Gives how long there is
    /// nothing to do after it.
    pub fn step(&mut self) -> Duration {
        let stamp = self.clock.stamp();
        let now_us = stamp.boottime_us;
        if !self.turn.is_ours(now_us) {
            self.rest(stamp);
            return LOOK_EVERY;
        }
        self.resume(stamp);
        if self.presence.look(self.bus.as_mut(), stamp) {
            self.schedule.retry_failed(now_us);
        }
        if let Some(index) = self.schedule.due(now_us) {
            self.poll(index, stamp);
            return Duration::ZERO;
        }
        let next_us = self.schedule.next_us().into_iter().chain(self.presence.look_at_us()).min().unwrap_or(u64::MAX);
        let longest_us = if self.turn.may_end() { LONGEST_WAIT_IN_TURN_US } else { LONGEST_WAIT_US };
        Duration::from_micros(next_us.saturating_sub(now_us).min(longest_us))
    }

    fn rest(&mut self, stamp: Stamp) {
        if !std::mem::replace(&mut self.resting, true) {
            self.nodes.iter_mut().for_each(|node| node.rest(stamp, |gap| self.outlet.offer(Content::Gap(gap))));
            self.presence.rest(stamp);
        }
    }

    fn resume(&mut self, stamp: Stamp) {
        if std::mem::take(&mut self.resting) {
            self.schedule.begin_again(stamp.boottime_us);
            self.presence.resume(stamp);
        }
    }

    /// Asks a node, stamped before. While there is no room it is not asked: the world does not wait.
    fn poll(&mut self, index: usize, stamp: Stamp) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        if !node.tell_missing(stamp, |gap| self.outlet.offer(Content::Gap(gap))) {
            return self.schedule.answered(index, stamp.boottime_us);
        }
        let result = match self.presence.away() {
            Some(error) => Err(Failure::Bus(error.clone())),
            // Opening the bus, or this process being frozen, may have taken all the time that was left.
            None if !self.turn.is_ours(self.clock.stamp().boottime_us) => return,
            None => node.ask(self.bus.as_mut(), stamp),
        };
        let content = node.content(&result, stamp);
        let readings = if let Content::Readings(readings) = &content { readings.len() } else { 0 };
        if !self.outlet.offer(content) {
            node.note_missing(stamp, readings);
        }
        self.learn(index, result.err());
    }

    /// Asking may have taken long, so a pause begins now.
    fn learn(&mut self, index: usize, failure: Option<Failure>) {
        let now = self.clock.stamp();
        match &failure {
            None => self.schedule.answered(index, now.boottime_us),
            Some(_) => self.schedule.failed(index, now.boottime_us),
        }
        match failure {
            // It was away before, and nothing was asked.
            _ if self.presence.away().is_some() => {}
            Some(Failure::Bus(error @ BusError::Away(_))) => self.presence.gone(error, now),
            _ => self.presence.proven(now),
        }
    }
}

#[cfg(test)]
mod tests;

//! Everything behind the two buses, and the faults.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::bus::{Bus, Message, NoAnswer};
use super::{ADDRESS, Logic, Side};

const TICK: Duration = Duration::from_millis(10);
/// From one wrong bit to the next, so that in time every bit of a read is wrong once: it has no divisor in common with the
/// number of bits of any read of whole bytes up to 78.
const NEXT_WRONG_BIT: usize = 79;

/// What is wrong with one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Cut,
    Hang,
    Corrupt,
}

/// The world, for the threads that serve it.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    changed: Condvar,
}

impl Shared {
    pub fn new(logic: Logic) -> Self {
        Self { world: Mutex::new(World::new(logic)), changed: Condvar::new() }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no thread of the mailbox has panicked")
    }

    pub fn set_fault(&self, side: Side, fault: Option<Fault>) {
        self.world().faults[side.index()] = fault;
        self.changed.notify_all();
    }

    /// Ends all that hangs.
    pub fn unplug(&self) {
        self.world().unplugged = true;
        self.changed.notify_all();
    }

    /// Does all messages or says that one had no answer; takes for ever while the side hangs.
    pub fn transfer(&self, side: Side, messages: &mut [Message]) -> Result<(), NoAnswer> {
        let hangs = |world: &mut World| world.faults[side.index()] == Some(Fault::Hang) && !world.unplugged;
        let mut world = self.changed.wait_while(self.world(), hangs).expect("no thread of the mailbox has panicked");
        messages.iter_mut().try_for_each(|message| world.pass(side, message))
    }
}

/// The two mailboxes with what is between them, and the other targets.
#[derive(Debug)]
pub(super) struct World {
    pub bus: Bus,
    logic: Logic,
    /// Up to this time the logic has had its ticks.
    ticked: Instant,
    faults: [Option<Fault>; 2],
    corrupted: usize,
    is_frozen: bool,
    is_joined: bool,
    unplugged: bool,
}

impl World {
    fn new(logic: Logic) -> Self {
        let (ticked, faults) = (Instant::now(), [None; 2]);
        Self {
            bus: Bus::default(),
            logic,
            ticked,
            faults,
            corrupted: 0,
            is_frozen: false,
            is_joined: true,
            unplugged: false,
        }
    }

    pub fn set_frozen(&mut self, is_frozen: bool) {
        self.let_time_pass();
        self.is_frozen = is_frozen;
    }

    pub fn set_joined(&mut self, is_joined: bool) {
        self.is_joined = is_joined;
    }

    pub fn bytes_from_the_wire(&mut self, side: Side, bytes: &[u8]) {
        self.let_time_pass();
        self.logic.uart_receives(side, bytes);
    }

    pub fn restart(&mut self) {
        self.let_time_pass();
        Side::BOTH.into_iter().for_each(|side| self.logic.power_up(side));
    }

    fn pass(&mut self, side: Side, message: &mut Message) -> Result<(), NoAnswer> {
        if message.address != ADDRESS {
            return self.bus.pass(side, message);
        }
        let fault = self.faults[side.index()];
        if fault == Some(Fault::Cut) {
            return Err(NoAnswer);
        }
        self.let_time_pass();
        self.reach_mailbox(side, message);
        if message.reads && fault == Some(Fault::Corrupt) {
            self.flip_a_bit(&mut message.bytes);
        }
        Ok(())
    }

    fn reach_mailbox(&mut self, side: Side, message: &mut Message) {
        if message.reads {
            message.bytes = self.logic.read(side, message.bytes.len());
            return;
        }
        self.logic.write(side, &message.bytes);
        let sent = self.logic.uart_sends(side);
        if self.is_joined && !self.is_frozen {
            self.logic.uart_receives(side.other(), &sent);
        }
    }

    fn let_time_pass(&mut self) {
        let ticks = usize::try_from(self.ticked.elapsed().as_millis() / TICK.as_millis()).unwrap_or(usize::MAX);
        self.ticked += TICK * u32::try_from(ticks).expect("a test lasts less than a year");
        if !self.is_frozen {
            Side::BOTH.into_iter().for_each(|side| self.logic.tick(side, ticks));
        }
    }

    fn flip_a_bit(&mut self, bytes: &mut [u8]) {
        let bit = self.corrupted * NEXT_WRONG_BIT % (bytes.len() * 8).max(1);
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        self.corrupted += 1;
    }
}

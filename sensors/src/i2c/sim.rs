//! A simulated bus: chips with registers, and faults on command. For tests, the demo and `run --simulate`.

mod chips;

pub use chips::{Chip, SimulatedBme280};

use super::bus::{Bus, BusError, Operation};
use chips::chip_for;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bus without wires; clones are the same bus, so that its chips and faults can be changed while it is in use.
#[derive(Clone, Default)]
pub struct SimBus(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    chips: BTreeMap<u16, Box<dyn Chip>>,
    faults: BTreeMap<u16, Fault>,
    transfers: BTreeMap<u16, u64>,
    away: bool,
    stuck: bool,
}

struct Fault {
    error: BusError,
    transfers: u32,
}

impl SimBus {
    /// A bus with a chip for each configured node, of its part and with values that change slowly and repeat themselves.
    pub fn for_nodes(settings: &config::I2c) -> Self {
        let bus = Self::default();
        for node in &settings.nodes {
            bus.plug(node.address, chip_for(&node.part));
        }
        bus
    }

    /// Puts a chip at an address, in place of another if there is one.
    pub fn plug(&self, address: u16, chip: Box<dyn Chip>) {
        self.state().chips.insert(address, chip);
    }

    /// Takes the chip at an address away.
    pub fn unplug(&self, address: u16) {
        self.state().chips.remove(&address);
    }

    /// Lets the next transfers with an address fail.
    pub fn fail(&self, address: u16, error: BusError, transfers: u32) {
        self.state().faults.insert(address, Fault { error, transfers });
    }

    /// Takes the bus itself away, or brings it back.
    pub fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    /// Lets every transfer hang, or frees those that do.
    pub fn set_stuck(&self, stuck: bool) {
        self.state().stuck = stuck;
        self.0.freed.notify_all();
    }

    /// How many transfers with an address were begun.
    pub fn transfers(&self, address: u16) -> u64 {
        self.state().transfers.get(&address).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), BusError> {
        if self.away { Err(BusError::Away("the simulated bus is away".to_owned())) } else { Ok(()) }
    }

    fn fault(&mut self, address: u16) -> Result<(), BusError> {
        match self.faults.get_mut(&address) {
            Some(fault) if fault.transfers > 0 => {
                fault.transfers -= 1;
                Err(fault.error.clone())
            }
            _ => Ok(()),
        }
    }
}

impl Bus for SimBus {
    fn open(&mut self) -> Result<(), BusError> {
        self.state().check()
    }

    fn transfer(&mut self, address: u16, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let mut state = self.state();
        let begun = state.transfers.entry(address).or_default();
        *begun = begun.saturating_add(1);
        let still = self.0.freed.wait_while(state, |state| state.stuck);
        let mut state = still.unwrap_or_else(PoisonError::into_inner);
        state.check()?;
        state.fault(address)?;
        let chip = state.chips.get_mut(&address).ok_or(BusError::NoAnswer)?;
        for operation in operations {
            match operation {
                Operation::Write(bytes) => chip.write(bytes),
                Operation::Read(room) => chip.read(room),
            }
        }
        Ok(())
    }

    /// Simulated chips are ready at once.
    fn pause(&mut self, _span: Duration) {}
}

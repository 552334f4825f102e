//! Targets beside the mailbox, and who asked for them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use super::{ADDRESS, Side};

/// What answers at an address of the simulated buses.
pub trait Target {
    /// One message that writes.
    fn write(&mut self, bytes: &[u8]);

    /// One message that reads; all of it is filled.
    fn read(&mut self, into: &mut [u8]);
}

/// One message of a transfer: bytes to write, or room for those that are read.
#[derive(Debug)]
pub(super) struct Message {
    pub address: u16,
    pub reads: bool,
    pub bytes: Vec<u8>,
}

/// Nobody acknowledged the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// All targets but the mailbox.
#[derive(Default)]
pub(super) struct Bus {
    targets: BTreeMap<u16, Box<dyn Target + Send>>,
    asked: Vec<(u16, Side, Instant)>,
}

impl Bus {
    pub fn add(&mut self, address: u16, target: Box<dyn Target + Send>) {
        assert!(address != ADDRESS, "address {address} is the mailbox's");
        let before = self.targets.insert(address, target);
        assert!(before.is_none(), "address {address} is taken");
    }

    pub fn asked(&self, address: u16) -> Vec<(Side, Instant)> {
        self.asked.iter().filter(|asked| asked.0 == address).map(|&(_, side, at)| (side, at)).collect()
    }

    pub fn pass(&mut self, side: Side, message: &mut Message) -> Result<(), NoAnswer> {
        let target = self.targets.get_mut(&message.address).ok_or(NoAnswer)?;
        self.asked.push((message.address, side, Instant::now()));
        if message.reads {
            target.read(&mut message.bytes);
        } else {
            target.write(&message.bytes);
        }
        Ok(())
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("addresses", &self.targets.keys()).field("asked", &self.asked).finish()
    }
}

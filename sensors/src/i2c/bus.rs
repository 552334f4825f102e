//! A bus as the drivers see it.

use crate::reading::NoData;
use std::time::Duration;
use thiserror::Error;

/// One part of a transfer; between two parts the bus is not given up.
#[derive(Debug)]
pub enum Operation<'a> {
    /// Bytes for the node.
    Write(&'a [u8]),
    /// Room for bytes from the node; all of it is filled, or the transfer fails.
    Read(&'a mut [u8]),
}

/// Why a transfer gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BusError {
    /// Nobody acknowledged the address.
    #[error("no answer; is it connected, and is the address right?")]
    NoAnswer,
    /// The transfer took too long: a node holds the clock, or the wires are shorted.
    #[error("the bus was held too long; a node may hold its clock line")]
    Timeout,
    /// The bus failed, in the system's words.
    #[error("the bus failed: {0}; check wires and pull-up resistors")]
    Fault(String),
    /// The system says that it is done and did only some parts. What was read is not to be believed.
    #[error("only {done} of {of} parts of the transfer were done")]
    Incomplete {
        /// So many were done.
        done: u32,
        /// Of so many.
        of: usize,
    },
    /// The bus itself is not there, and what to do about it.
    #[error("{0}")]
    Away(String),
}

impl BusError {
    /// What a row says instead of a value.
    pub fn no_data(&self) -> NoData {
        match self {
            Self::NoAnswer | Self::Timeout => NoData::Timeout,
            Self::Fault(_) | Self::Incomplete { .. } | Self::Away(_) => NoData::BusFault,
        }
    }
}

/// A bus, used by one thread alone.
pub trait Bus {
    /// Makes the bus ready; harmless when it is.
    ///
    /// # Errors
    /// [`BusError::Away`] when it is not there.
    fn open(&mut self) -> Result<(), BusError>;

    /// Does all operations with one node, without giving up the bus between them. May block for as long as the system does.
    ///
    /// # Errors
    /// [`BusError`] when not every operation was done; then nothing that was read counts.
    fn transfer(&mut self, address: u16, operations: &mut [Operation<'_>]) -> Result<(), BusError>;

    /// Gives a node time to measure.
    fn pause(&mut self, span: Duration) {
        std::thread::sleep(span);
    }
}

/// Reads from a register on.
///
/// # Errors
/// Those of [`Bus::transfer`].
pub fn read_register(bus: &mut dyn Bus, address: u16, register: u8, into: &mut [u8]) -> Result<(), BusError> {
    bus.transfer(address, &mut [Operation::Write(&[register]), Operation::Read(into)])
}

//! What asks one node, and what its answer becomes.

use super::bme280::Bme280;
use super::bus::{Bus, BusError};
use super::micro::MicroNode;
use super::register::RegisterNode;
use crate::clock::Stamp;
use crate::reading::{NoData, Reading, Value};
use config::{Channel, NodeId, Part, Unit};
use thiserror::Error;

/// Why a node gave no readings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The bus brought nothing.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Another chip sits at the address.
    #[error("the chip says that it is 0x{found:02x}, and a {part} is 0x{expected:02x}; correct part or address")]
    OtherPart {
        /// The part that the configuration names.
        part: &'static str,
        /// Its identity.
        expected: u8,
        /// The identity found.
        found: u8,
    },
    /// The chip was not ready in time.
    #[error("the measurement did not end in time")]
    NotReady,
    /// The answer could not be understood.
    #[error("the answer cannot be understood: {0}")]
    Frame(String),
}

impl Failure {
    /// Whether one line in the log is enough for both: broken answers differ in their details only.
    pub fn is_like(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Frame(_), Self::Frame(_)))
    }

    /// What a row says instead of a value.
    pub fn no_data(&self) -> NoData {
        match self {
            Self::Bus(error) => error.no_data(),
            Self::NotReady => NoData::Timeout,
            Self::OtherPart { .. } | Self::Frame(_) => NoData::BadFrame,
        }
    }
}

/// Who is asked, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The node.
    pub node: &'a NodeId,
    /// Its address.
    pub address: u16,
    /// The moment before it was asked.
    pub stamp: Stamp,
}

/// A channel and its unit.
pub type Named = (Channel, Option<Unit>);

impl Asked<'_> {
    /// A reading of this moment.
    pub fn reading(&self, named: Named, value: Result<Value, NoData>, raw: Option<f64>) -> Reading {
        let (node, (channel, unit)) = (self.node.clone(), named);
        Reading { node, channel, unit, value, raw, stamp: self.stamp, node_seq: None, node_time_us: None }
    }
}

/// One node's way of being asked.
pub trait Driver: Send {
    /// The channels of an answer, as far as they are known.
    fn channels(&self) -> Vec<Named>;

    /// Asks once.
    ///
    /// # Errors
    /// [`Failure`] when there is no answer, or none that can be understood.
    fn ask(&mut self, bus: &mut dyn Bus, asked: &Asked<'_>) -> Result<Vec<Reading>, Failure>;
}

/// The driver of a part.
pub fn driver(part: &Part) -> Box<dyn Driver> {
    match part {
        Part::Bme280 => Box::new(Bme280::default()),
        Part::Register { register, quantity } => {
            Box::new(RegisterNode { register: *register, quantity: quantity.clone() })
        }
        Part::Micro(micro) => Box::new(MicroNode::new(micro.clone())),
    }
}

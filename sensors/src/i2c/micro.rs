//! A microcontroller that answers a plain read.

use super::bus::{Bus, Operation};
use super::driver::{Asked, Driver, Failure, Named};
use super::number;
use crate::decode::{Origin, decode};
use crate::reading::Reading;
use config::{Field, Micro, MicroFormat};

/// What ends a JSON answer: a line break, what a node sends when it has no more bytes, or an idle bus. None of them
/// can stand in one line of JSON.
const ENDS: [u8; 3] = [b'\n', 0x00, 0xff];

/// A microcontroller and the channels it has named so far.
pub struct MicroNode {
    settings: Micro,
    named: Vec<Named>,
}

impl MicroNode {
    /// One that has not been asked.
    pub fn new(settings: Micro) -> Self {
        let quantities = match &settings.format {
            MicroFormat::Json => &[][..],
            MicroFormat::Fields(fields) => fields,
        };
        let named = quantities.iter().map(|field| (field.quantity.channel.clone(), field.quantity.unit.clone()));
        Self { named: named.collect(), settings }
    }
}

impl Driver for MicroNode {
    fn channels(&self) -> Vec<Named> {
        self.named.clone()
    }

    fn ask(&mut self, bus: &mut dyn Bus, asked: &Asked<'_>) -> Result<Vec<Reading>, Failure> {
        let mut bytes = vec![0; usize::from(self.settings.bytes)];
        bus.transfer(asked.address, &mut [Operation::Read(&mut bytes)])?;
        let readings = match &self.settings.format {
            MicroFormat::Json => object(asked, &bytes)?,
            MicroFormat::Fields(fields) => fields.iter().map(|field| number_at(asked, field, &bytes)).collect(),
        };
        self.named = readings.iter().map(|reading| (reading.channel.clone(), reading.unit.clone())).collect();
        Ok(readings)
    }
}

fn object(asked: &Asked<'_>, bytes: &[u8]) -> Result<Vec<Reading>, Failure> {
    let text = bytes.split(|byte| ENDS.contains(byte)).next().unwrap_or_default();
    if text.is_empty() {
        return Err(Failure::Frame("it is empty; the node may not have had one ready".to_owned()));
    }
    let origin = Origin { node: asked.node, channel: None, sequence: "/seq", time: "/time" };
    decode(origin, text, asked.stamp).map_err(|error| Failure::Frame(error.to_string()))
}

/// The configuration keeps every field within the answer.
fn number_at(asked: &Asked<'_>, field: &Field, bytes: &[u8]) -> Reading {
    let at = usize::from(field.at);
    let bytes = bytes.get(at..at + usize::from(field.quantity.width)).unwrap_or_default();
    number::reading(asked, &field.quantity, bytes)
}

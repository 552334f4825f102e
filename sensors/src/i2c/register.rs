//! A chip with a register that holds a number.

use super::bus::{Bus, read_register};
use super::driver::{Asked, Driver, Failure, Named};
use super::number;
use crate::reading::Reading;
use config::Quantity;

/// Any chip that answers with a register's content when its number is written.
pub struct RegisterNode {
    /// The register.
    pub register: u8,
    /// The number in it.
    pub quantity: Quantity,
}

impl Driver for RegisterNode {
    fn channels(&self) -> Vec<Named> {
        vec![(self.quantity.channel.clone(), self.quantity.unit.clone())]
    }

    fn ask(&mut self, bus: &mut dyn Bus, asked: &Asked<'_>) -> Result<Vec<Reading>, Failure> {
        let mut bytes = vec![0; usize::from(self.quantity.width)];
        read_register(bus, asked.address, self.register, &mut bytes)?;
        Ok(vec![number::reading(asked, &self.quantity, &bytes)])
    }
}

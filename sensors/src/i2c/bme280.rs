//! Bosch BME280: temperature, pressure and humidity. Section numbers are those of the datasheet BST-BME280-DS002.
//!
//! Our own driver, since the package of this name puts a value that is out of range at the end of the range, so that a
//! broken sensor reads 85 °C, and takes a BMP280, which has no humidity, for a BME280.

mod compensation;

use super::bus::{Bus, BusError, Operation, read_register};
use super::driver::{Asked, Driver, Failure, Named};
use crate::reading::{Reading, Value};
use compensation::Calibration;
use config::{Channel, Unit};
use std::time::Duration;

const CHIP_ID: u8 = 0x60;
const CHANNELS: [(&str, &str); 3] = [("temperature", "°C"), ("pressure", "Pa"), ("humidity", "%")];

/// Registers, section 5.3.
const ID: u8 = 0xd0;
const STATUS: u8 = 0xf3;
const DATA: u8 = 0xf7;
const CALIBRATION_LOW: u8 = 0x88;
const CALIBRATION_HIGH: u8 = 0xe1;

/// Bits of STATUS: a measurement runs; the calibration is being copied after power-on.
const MEASURING: u8 = 0b1000;
const COPYING: u8 = 0b0001;

/// Registers and values: humidity once (ctrl_hum), no filter (config), temperature and pressure once, now (ctrl_meas).
/// This is the setting for weather monitoring of section 3.5.1. ctrl_hum takes effect with the write of ctrl_meas.
const MEASURE_NOW: [u8; 6] = [0xf2, 0x01, 0xf5, 0x00, 0xf4, 0b0010_0101];
/// The longest time such a measurement takes is 9.3 ms, section 9.1.
const MEASURING_TIME: Duration = Duration::from_millis(10);
const READY_CHECKS: usize = 10;
const READY_PAUSE: Duration = Duration::from_millis(2);

/// What the data registers hold after power-on. Each of the three numbers can be measured too, but not all of them at once.
const NOTHING_MEASURED: [u8; 8] = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];

/// A BME280 and what is known of it.
#[derive(Default)]
pub struct Bme280 {
    /// Read once, and again after any failure: another chip may sit at the address then.
    calibration: Option<Calibration>,
}

impl Driver for Bme280 {
    fn channels(&self) -> Vec<Named> {
        let named = |(channel, unit)| Some((Channel::new(channel).ok()?, Unit::new(unit).ok()));
        CHANNELS.into_iter().filter_map(named).collect()
    }

    fn ask(&mut self, bus: &mut dyn Bus, asked: &Asked<'_>) -> Result<Vec<Reading>, Failure> {
        let calibration = match self.calibration.take() {
            Some(calibration) => calibration,
            None => introduce(bus, asked.address)?,
        };
        let values = calibration.compensate(&measure(bus, asked.address)?);
        self.calibration = Some(calibration);
        let named = self.channels().into_iter().zip(values);
        Ok(named.map(|(named, value)| asked.reading(named, value.map(Value::Float), None)).collect())
    }
}

fn introduce(bus: &mut dyn Bus, address: u16) -> Result<Calibration, Failure> {
    let found = read_byte(bus, address, ID)?;
    if found != CHIP_ID {
        return Err(Failure::OtherPart { part: "BME280", expected: CHIP_ID, found });
    }
    await_clear(bus, address, COPYING)?;
    let (mut low, mut high) = ([0; 26], [0; 7]);
    read_register(bus, address, CALIBRATION_LOW, &mut low)?;
    read_register(bus, address, CALIBRATION_HIGH, &mut high)?;
    // Constants of ones alone can give a pressure that looks right.
    if is_uniform(&low) || is_uniform(&high) {
        return Err(Failure::Frame("the chip's calibration is empty".to_owned()));
    }
    Ok(Calibration::from_bytes(&low, &high))
}

fn is_uniform(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|two| two[0] == two[1])
}

fn measure(bus: &mut dyn Bus, address: u16) -> Result<[u8; 8], Failure> {
    bus.transfer(address, &mut [Operation::Write(&MEASURE_NOW)])?;
    bus.pause(MEASURING_TIME);
    await_clear(bus, address, MEASURING)?;
    let mut data = [0; 8];
    read_register(bus, address, DATA, &mut data)?;
    if data == NOTHING_MEASURED { Err(Failure::NotReady) } else { Ok(data) }
}

fn await_clear(bus: &mut dyn Bus, address: u16, bit: u8) -> Result<(), Failure> {
    for _ in 0..READY_CHECKS {
        if read_byte(bus, address, STATUS)? & bit == 0 {
            return Ok(());
        }
        bus.pause(READY_PAUSE);
    }
    Err(Failure::NotReady)
}

fn read_byte(bus: &mut dyn Bus, address: u16, register: u8) -> Result<u8, BusError> {
    let mut byte = [0];
    read_register(bus, address, register, &mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

#[cfg(test)]
mod tests;

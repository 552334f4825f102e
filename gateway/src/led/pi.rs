//! A line of a Raspberry Pi, through its memory device: the only file that names rppal.

use super::line::{Line, LineError};
use config::Led;
use rppal::gpio::{Gpio, OutputPin, Pin};

/// The line; dropped, it is what it was before.
pub struct PiLine {
    pin: OutputPin,
    active_low: bool,
}

/// Takes the line, with the LED off.
///
/// # Errors
/// When this is no Raspberry Pi that the library knows, its memory device cannot be used, or it has no such line.
pub fn open(settings: &Led) -> Result<PiLine, LineError> {
    let pin = Gpio::new().and_then(|gpio| gpio.get(settings.line));
    let pin = pin.map_err(|error| LineError::Pi { line: settings.line, words: error.to_string() })?;
    Ok(PiLine { pin: output(pin, settings.active_low), active_low: settings.active_low })
}

/// The level is set before the line becomes an output, so that the LED does not flash.
fn output(pin: Pin, high: bool) -> OutputPin {
    if high { pin.into_output_high() } else { pin.into_output_low() }
}

impl Line for PiLine {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        self.pin.write((on != self.active_low).into());
        Ok(())
    }
}

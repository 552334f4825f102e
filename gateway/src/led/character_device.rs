//! A line of any board, through the kernel's character device: the only file that names gpiocdev.

use super::line::{Line, LineError};
use config::Led;
use gpiocdev::Request;
use gpiocdev::line::Value;

/// Under which `gpioinfo` shows the line as used.
const CONSUMER: &str = "fieldgate";

/// The line; the kernel takes it back when it is dropped.
pub struct ChipLine {
    request: Request,
    settings: Led,
}

/// Takes the line, with the LED off.
///
/// # Errors
/// When the chip is not there or not permitted, or the line is not there or used.
pub fn open(settings: &Led) -> Result<ChipLine, LineError> {
    let mut wanted = Request::builder();
    wanted.on_chip(&settings.chip).with_consumer(CONSUMER).with_line(settings.line.into());
    if settings.active_low {
        wanted.as_active_low();
    }
    let request = wanted.as_output(Value::Inactive).request().map_err(|error| named(settings, &error))?;
    Ok(ChipLine { request, settings: settings.clone() })
}

fn named(settings: &Led, error: &gpiocdev::Error) -> LineError {
    LineError::Chip { line: settings.line, chip: settings.chip.clone(), words: error.to_string() }
}

impl Line for ChipLine {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        // The kernel knows which level is the active one.
        let set = self.request.set_lone_value(if on { Value::Active } else { Value::Inactive });
        set.map(|_| ()).map_err(|error| named(&self.settings, &error))
    }
}

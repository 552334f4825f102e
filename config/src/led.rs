//! `[led]`: an LED that shows how the gateway is getting on.

use std::path::PathBuf;

use crate::section::Section;
use crate::values::{absolute_path, count, truth};

const DEFAULT_CHIP: &str = "/dev/gpiochip0";
const MOST_LINE: usize = 63;

/// The line that switches the LED.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// The GPIO number on a Raspberry Pi, and the line's offset at the chip elsewhere, 0 to 63.
    pub line: u8,
    /// The chip's device, where the board is no Raspberry Pi or its memory device cannot be used. Default: `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Whether a low line lights it. Default: false.
    pub active_low: bool,
}

/// Reads the section, or none where the file has none.
pub(crate) fn read(root: &mut Section<'_, '_>) -> Option<Option<Led>> {
    match root.value("led") {
        None => Some(None),
        Some(_) => root.section("led", read_led).flatten().map(Some),
    }
}

fn read_led(section: &mut Section<'_, '_>) -> Option<Led> {
    let line = section.required("line", "17", |value| {
        count(value, 0..=MOST_LINE, &format!("write the line's number, between 0 and {MOST_LINE}"))
    });
    let chip = section.or("chip", PathBuf::from(DEFAULT_CHIP), absolute_path);
    let active_low = section.or("active_low", false, truth);
    Some(Led { line: u8::try_from(line?).ok()?, chip, active_low })
}

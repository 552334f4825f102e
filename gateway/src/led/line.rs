//! What switches the LED, whatever the board is.

use std::path::PathBuf;
use thiserror::Error;

/// An output line. It is off when it is opened, and what "on" means for its level is settled then too.
pub trait Line: Send {
    /// Lights the LED, or puts it out.
    ///
    /// # Errors
    /// When the line cannot be set; it has to be opened again then.
    fn set(&mut self, on: bool) -> Result<(), LineError>;
}

/// Why a line cannot be opened or set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// The Raspberry Pi's memory device.
    #[error("GPIO {line} of this Raspberry Pi: {words}")]
    Pi {
        /// The GPIO number.
        line: u8,
        /// The library's words.
        words: String,
    },
    /// The chip's character device.
    #[error("line {line} of {chip}: {words}")]
    Chip {
        /// The line's offset.
        line: u8,
        /// The chip's device.
        chip: PathBuf,
        /// The library's words.
        words: String,
    },
    /// A Raspberry Pi on which neither works.
    #[error("{0}; {1}")]
    Both(Box<LineError>, Box<LineError>),
}

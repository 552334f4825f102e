//! What the exit code of the program means.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or the answer is "yes".
    Ok = 0,
    /// The answer is "no": the auditor found something.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A server or a device is not there.
    Unavailable = 69,
    /// A bug.
    Bug = 70,
    /// The disk or the queue on it cannot be used.
    Storage = 74,
    /// The configuration is wrong.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

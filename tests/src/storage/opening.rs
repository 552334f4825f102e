//! Opening a queue in a process of its own, so that a panic, an abort or a hang is an answer too.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::process::Process;

use super::appender::program;
use super::found::Found;

/// After this an opening counts as one that hangs.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is done with the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is read.
    Read,
    /// It is read, appended to, and opened again.
    Append,
}

/// What an opening found; else why it did not come to an end. `scratch` is a folder outside of the queue.
///
/// # Errors
/// The words of the process, or that it hangs.
///
/// # Panics
/// When the process cannot be started.
pub fn open_apart(queue: &Path, scratch: &Path, then: Then) -> Result<Found, String> {
    let output = scratch.join("opening");
    let _ = fs::remove_file(&output);
    let mut command = program();
    command.arg("look").arg("--queue").arg(queue);
    if then == Then::Append {
        command.arg("--append");
    }
    let mut process = Process::spawn("the opening", &command, &output);
    match process.ended_within(DEADLINE) {
        Some(status) if status.success() => read(&output),
        Some(status) => Err(format!("{status}: {}", process.log_end())),
        None => Err(format!("no end within {DEADLINE:?}: {}", process.log_end())),
    }
}

fn read(output: &Path) -> Result<Found, String> {
    let text = fs::read_to_string(output).map_err(|e| e.to_string())?;
    let line = text.lines().find(|line| line.starts_with('{')).ok_or("it said nothing")?;
    serde_json::from_str(line).map_err(|e| format!("{e}: {line}"))
}

//! The program `appender` of this package: appends to a queue until it is ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::artifacts::built_program;
use crate::process::{Process, wait_for};

use super::ledger::Ledger;

const DEADLINE: Duration = Duration::from_secs(60);

/// How it appends.
#[derive(Debug, Clone, Default)]
pub struct Appending {
    /// Readings in a group: from one to about this many.
    pub group: u64,
    /// It trims down to so many readings now and then; never if `None`.
    pub keep: Option<u64>,
    /// It ends by itself after so many readings.
    pub count: Option<u64>,
    /// A file whose length it tells with each line.
    pub block_log: Option<PathBuf>,
}

impl Appending {
    /// The command that appends to the queue in this folder.
    #[must_use]
    pub fn command(&self, queue: &Path) -> Command {
        let mut command = program();
        command.arg("append").arg("--queue").arg(queue).args(["--group", &self.group.to_string()]);
        for (option, value) in [("--keep", self.keep), ("--count", self.count)] {
            if let Some(value) = value {
                command.args([option, &value.to_string()]);
            }
        }
        if let Some(file) = &self.block_log {
            command.arg("--block-log").arg(file);
        }
        command
    }
}

/// The program without arguments.
pub(super) fn program() -> Command {
    Command::new(built_program("appender", "fieldgate-tests", "FIELDGATE_APPENDER_BIN"))
}

/// A running appender. Dropping it kills it.
#[derive(Debug)]
pub struct Appender {
    process: Process,
    output: PathBuf,
}

impl Appender {
    /// Starts the command; what it prints is added to `output`.
    #[must_use]
    pub fn start(command: &Command, output: &Path) -> Appender {
        Appender { process: Process::spawn("the appender", command, output), output: output.to_owned() }
    }

    /// Returns when its output has so many bytes more than now.
    ///
    /// # Panics
    /// When it ends before, or too little comes.
    pub fn wait_for_output(&mut self, bytes: u64) {
        let wanted = self.output_bytes() + bytes;
        let deadline = DEADLINE;
        wait_for("the appender's output", deadline, || {
            self.process.assert_running();
            self.output_bytes() >= wanted
        });
    }

    fn output_bytes(&self) -> u64 {
        fs::metadata(&self.output).map_or(0, |file| file.len())
    }

    /// Returns when it has ended by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait(DEADLINE)
    }

    /// True until it has ended.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// The end of what it printed.
    #[must_use]
    pub fn output_end(&self) -> String {
        self.process.log_end()
    }

    /// What it has told so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.read(&self.output);
        ledger
    }
}

/// Appends until the program ends by itself, and returns what it told.
///
/// # Panics
/// When it fails.
pub fn append(appending: &Appending, queue: &Path, output: &Path) -> Ledger {
    let mut appender = Appender::start(&appending.command(queue), output);
    let status = appender.wait();
    assert!(status.success(), "the appender: {status}\n{}", appender.output_end());
    appender.ledger()
}

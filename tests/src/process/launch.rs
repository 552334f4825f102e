//! How a program is started so that it cannot outlive us.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::artifacts::installed_program;

/// Starts the command with empty input, its output appended to `log`.
pub(super) fn start(command: &Command, log: &Path) -> io::Result<Child> {
    let output = File::options().create(true).append(true).open(log)?;
    bound_to_this_thread(command).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()
}

/// The same command, run by way of `setpriv`, which asks the kernel for the SIGKILL and then becomes the program.
fn bound_to_this_thread(command: &Command) -> Command {
    let mut bound = Command::new(installed_program("setpriv", "util-linux"));
    bound.args(["--pdeathsig", "KILL", "--"]);
    bound.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    bound
}

//! `fieldgate run`: the gateway, in the foreground.

use crate::command::{check, refuse};
use crate::exit::Exit;
use crate::supervisor;
use config::Config;
use std::path::Path;
use tracing::error;

/// Runs until SIGTERM or SIGINT; with `simulate`, the nodes of I2C buses are simulated.
pub fn run(file: &Path, config: &Config, simulate: bool) -> Exit {
    let problems = check::secrets(config);
    if !problems.is_empty() {
        return refuse(file, &problems);
    }
    match supervisor::run(file, config, simulate) {
        Ok(()) => Exit::Ok,
        Err(trouble) => {
            error!("{trouble}");
            trouble.exit()
        }
    }
}

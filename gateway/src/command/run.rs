//! `fieldgate run`: the gateway, in the foreground.

use crate::command::{check, refuse};
use crate::exit::Exit;
use crate::supervisor;
use config::Config;
use std::path::Path;
use tracing::error;

/// Runs until SIGTERM or SIGINT.
pub fn run(file: &Path, config: &Config) -> Exit {
    let problems = check::secrets(config);
    if !problems.is_empty() {
        return refuse(file, &problems);
    }
    match supervisor::run(file, config) {
        Ok(()) => Exit::Ok,
        Err(trouble) => {
            error!("{trouble}");
            trouble.exit()
        }
    }
}

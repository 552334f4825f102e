//! The program `fieldgate`: arguments to a command to an exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::cli::Arguments::parse().run().into()
}

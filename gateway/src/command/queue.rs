//! `fieldgate queue`: what is in the queue, whether it is whole, and how to carry it to another machine.
//!
//! Each command asks the gateway that runs, opens the queue when none does, or looks into another machine's card.

mod access;
mod card_life;
mod dump;
mod export;
mod failure;
mod format;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gather;
mod import;
mod output;
mod progress;
mod stat;
mod verify;
mod walk;
mod words;

use crate::exit::Exit;
use std::path::PathBuf;

/// What to do with the queue.
#[derive(Debug, clap::Subcommand)]
pub enum QueueVerb {
    /// Show what the queue holds, what it takes of the disk, and how long the card will last at this rate
    Stat(stat::StatArguments),
    /// Show every record, one a line
    Dump(dump::DumpArguments),
    /// Read everything and check it. Exit code 1 when something is missing or damaged
    Verify(verify::VerifyArguments),
    /// Write everything into a file, to keep it or to import it elsewhere
    Export(export::ExportArguments),
    /// Take in an exported file or another machine's card. Doing it twice changes nothing
    Import(import::ImportArguments),
}

/// Which queue.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Another machine's card: its state folder or the queue in it. Nothing is written there, and no configuration is read
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
}

/// Does it.
pub fn run(verb: &QueueVerb) -> Exit {
    let done = match verb {
        QueueVerb::Stat(arguments) => stat::stat(arguments),
        QueueVerb::Dump(arguments) => dump::dump(arguments),
        QueueVerb::Verify(arguments) => verify::verify(arguments),
        QueueVerb::Export(arguments) => export::export(arguments),
        QueueVerb::Import(arguments) => import::import(arguments),
    };
    done.unwrap_or_else(failure::Failure::show)
}

//! A queue's writer as its own process, to be killed: appends readings with a content that follows from their numbers,
//! and tells of each append that returned. Its second command opens a queue and says what it found.

mod append;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fieldgate_tests::storage::found::{read_all, read_and_append};
use queue::QueueError;

/// Appends to a queue, or looks into one.
#[derive(Debug, Parser)]
enum Arguments {
    /// Append until the process is ended; a line for each append: "appended STREAM NUMBER BYTES"
    Append(Appending),
    /// Open, read everything, and print what was found as a line of JSON
    Look(Looking),
}

/// How to append.
#[derive(Debug, clap::Args)]
struct Appending {
    /// The queue's folder
    #[arg(long)]
    queue: PathBuf,
    /// Readings in a group: from one to about this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    group: u64,
    /// Trim now and then down to so many readings; a line before each: "trimming STREAM NUMBER BYTES"
    #[arg(long)]
    keep: Option<u64>,
    /// End after so many readings
    #[arg(long)]
    count: Option<u64>,
    /// Tell in each line how long this file is
    #[arg(long)]
    block_log: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Looking {
    /// The queue's folder
    #[arg(long)]
    queue: PathBuf,
    /// Append too, and see at another opening whether that stayed
    #[arg(long)]
    append: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments::Append(appending) => append::run(&appending),
        Arguments::Look(looking) => look(&looking),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("appender: {error}");
            ExitCode::FAILURE
        }
    }
}

fn look(looking: &Looking) -> Result<(), QueueError> {
    let found = if looking.append { read_and_append(&looking.queue)? } else { read_all(&looking.queue)? };
    println!("{}", serde_json::json!(found));
    Ok(())
}

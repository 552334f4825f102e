//! `fieldgate db replay`: fills holes of the source from the queue.

use crate::command::now_us;
use crate::command::reconcile::with_queue;
use crate::exit::Exit;
use crate::reconcile::{ReplayWish, Replayed, replay as fill};
use config::Config;
use queue::StreamId;
use std::path::PathBuf;

/// What to fill.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct ReplayArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Fill the holes of every stream of this gateway
    #[arg(long, group = "what")]
    pub holes: bool,
    /// Fill the holes of this stream (16 hex digits)
    #[arg(long, group = "what")]
    pub stream: Option<StreamId>,
    /// No number of the stream below this
    #[arg(long, requires = "stream", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub first: u64,
    /// No number of the stream above this; its cursor unless told
    #[arg(long, requires = "stream", default_value_t = u64::MAX, hide_default_value = true)]
    pub last: u64,
    /// Write a gap for what the queue does not have any more
    #[arg(long)]
    pub gaps: bool,
    /// Write nothing, and say what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Fills holes; exit code 1 if any number is left in one.
pub fn replay(config: &Config, arguments: &ReplayArguments) -> Exit {
    let ReplayArguments { stream, first, last, gaps, dry_run, .. } = *arguments;
    let filled = now_us().and_then(|now_us| {
        let wish = ReplayWish { stream, first, last, gaps, dry_run, now_us };
        with_queue(&arguments.config, config, async |account, queue| fill(config, account, queue, wish).await)
    });
    filled.map_or_else(|exit| exit, |replayed| show(&replayed, arguments.json))
}

fn show(replayed: &Replayed, json: bool) -> Exit {
    if json {
        match serde_json::to_string_pretty(replayed) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("what came of it cannot be written as JSON: {error}");
                return Exit::Bug;
            }
        }
    } else {
        println!("{}", text(replayed));
    }
    if replayed.is_whole() { Exit::Ok } else { Exit::No }
}

fn text(replayed: &Replayed) -> String {
    let would = if replayed.dry_run { "would be " } else { "" };
    let mut lines = Vec::new();
    for hole in &replayed.holes {
        let numbers = format!("stream {} numbers {} to {}", hole.stream, hole.first_seq, hole.last_seq);
        let figures = [
            (hole.written, "written"),
            (hole.as_gaps, "named by a gap"),
            (hole.not_in_queue, "not in the queue any more"),
            (hole.on_replica, "left out, as a replica has them"),
        ];
        let told = figures.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        lines.push(format!("{numbers}: {}", told.collect::<Vec<_>>().join(", ")));
    }
    for server in &replayed.not_asked {
        lines
            .push(format!("note: {server} does not answer; if it has what is written here, its replication will stop"));
    }
    let written = replayed.sum(|hole| hole.written);
    lines.push(match replayed.holes.len() {
        0 => format!("{} has no holes below its cursors", replayed.server),
        holes => format!("{holes} holes on {}: {written} readings {would}written", replayed.server),
    });
    let missing = replayed.sum(|hole| hole.not_in_queue);
    if missing > 0 {
        lines.push(format!("not in the queue any more: {missing}; run this with --gaps to write them as gaps"));
    }
    if replayed.sum(|hole| hole.on_replica) > 0 {
        lines.push("a replica has what the source lacks: make that one the source, or build it anew from this one and run this again".to_owned());
    }
    lines.join("\n")
}

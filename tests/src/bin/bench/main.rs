//! `make bench`: what fieldgate costs, each time beside the plainest thing that does the same work, in the same run.
//!
//! A baseline: no targets, nothing is asserted. Both sides take turns, and a ratio compares turns of the same round, so
//! that a machine that becomes slower becomes slower for both.

mod drain;
mod machine;
mod mqtt;
mod queue_append;
mod readings;
mod table;

use std::time::Instant;

use clap::{Parser, ValueEnum};

/// Measures queue, drain and the way from MQTT to the database. Less than three minutes.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The queue's append against a plain append log
    Queue,
    /// A backlog into MariaDB against LOAD DATA
    Drain,
    /// MQTT to committed against mosquitto_sub
    Mqtt,
}

/// Turns of each side.
const ROUNDS: usize = 5;
/// Of the drain, which takes longer.
const DRAIN_ROUNDS: usize = 3;

fn main() {
    let only = Arguments::parse().only;
    let is_chosen = |part| only.is_none_or(|chosen| chosen == part);
    let began = Instant::now();
    println!("{}", machine::facts());
    let mut lines = Vec::new();
    if is_chosen(Part::Queue) {
        println!("queue, {ROUNDS} rounds");
        lines.extend(queue_append::measure(ROUNDS));
    }
    if is_chosen(Part::Drain) {
        println!("drain, {DRAIN_ROUNDS} rounds");
        lines.extend(drain::measure(DRAIN_ROUNDS));
    }
    if is_chosen(Part::Mqtt) {
        println!("mqtt, {ROUNDS} rounds");
        lines.extend(mqtt::measure(ROUNDS));
    }
    table::print(&lines);
    println!("\nmedians, in brackets the lowest and the highest; ratio: fieldgate / limit, within each round");
    println!("a baseline of this machine, without targets; {:.0} s in all", began.elapsed().as_secs_f64());
}

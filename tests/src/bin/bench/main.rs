//! `make bench`: what fieldgate costs, each time beside the plainest thing that does the same work, in the same run.
//!
//! Both sides take turns, and a ratio compares turns of the same round, so that a machine that becomes slower becomes
//! slower for both. Where a figure is promised, the table says whether it was met; the exit code never does, as machines
//! are noisy.

mod drain;
mod machine;
mod mqtt;
mod queue_part;
mod readings;
mod table;

use std::time::Instant;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Measures queue, drain and the way from MQTT to the database. Less than three minutes.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    helper: Option<Helper>,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
    /// Of the queue: ten million readings that nobody fetches, instead; of the drain: ten million that wait
    #[arg(long)]
    soak: bool,
}

/// What this program starts itself as, so that each side is a process of its own.
#[derive(Debug, Subcommand)]
enum Helper {
    #[command(hide = true)]
    Side(queue_part::side::Arguments),
    #[command(hide = true)]
    Fill(queue_part::backlog::Fill),
    #[command(hide = true)]
    Open(queue_part::backlog::Open),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The queue against a plain append log, and with a backlog
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
    let Arguments { helper, only, soak } = Arguments::parse();
    match helper {
        Some(Helper::Side(arguments)) => queue_part::side::run(&arguments),
        Some(Helper::Fill(arguments)) => println!("{}", queue_part::backlog::fill(&arguments)),
        Some(Helper::Open(arguments)) => println!("{}", queue_part::backlog::open(&arguments)),
        None if soak && !matches!(only, Some(Part::Queue | Part::Drain)) => {
            let only_one = "only the queue and the drain have a soak: --only queue --soak, --only drain --soak";
            Arguments::command().error(ErrorKind::ArgumentConflict, only_one).exit()
        }
        None => measure(only, soak),
    }
}

fn measure(only: Option<Part>, soak: bool) {
    let began = Instant::now();
    println!("{}", machine::facts());
    let lines = match only {
        Some(Part::Drain) if soak => drain::soak(),
        _ if soak => queue_part::soak::measure(),
        _ => measure_parts(only),
    };
    table::print(&lines);
    println!("\nmedians, in brackets the lowest and the highest; ratio: fieldgate / limit, within each round");
    println!("figures of this machine, as busy as it was; {:.0} s in all", began.elapsed().as_secs_f64());
}

fn measure_parts(only: Option<Part>) -> Vec<table::Line> {
    let is_chosen = |part| only.is_none_or(|chosen| chosen == part);
    let mut lines = Vec::new();
    if is_chosen(Part::Queue) {
        println!("queue, {ROUNDS} rounds");
        lines.extend(queue_part::measure(ROUNDS));
    }
    if is_chosen(Part::Drain) {
        println!("drain, {DRAIN_ROUNDS} rounds");
        lines.extend(drain::measure(DRAIN_ROUNDS));
    }
    if is_chosen(Part::Mqtt) {
        println!("mqtt, {ROUNDS} rounds");
        lines.extend(mqtt::measure(ROUNDS));
    }
    lines
}

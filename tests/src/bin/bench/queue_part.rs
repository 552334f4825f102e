//! The queue against a plain append log: what a reading costs in time, processor, bytes and flushes; and what a backlog
//! costs.

mod appender;
pub mod backlog;
mod child;
mod ground;
mod plain_log;
pub mod side;
pub mod soak;
mod usage;
mod work;

use fieldgate_tests::sync_shim::SyncShim;
use serde_json::Value;

use self::child::{Answering, number};
use self::ground::Ground;
use self::side::Who;
use self::work::{WORKS, Work};
use crate::table::{Line, Target};

const LOG: &str = "plain append log, write + fdatasync";
/// With a slow sync the others who use the disk matter less.
const SLOW_ROUNDS: usize = 3;

/// Every work in turns, then the backlogs.
pub fn measure(rounds: usize) -> Vec<Line> {
    let ground = Ground::prepare();
    let shim = SyncShim::build(ground.folder());
    let mut lines = Vec::new();
    for (index, work) in WORKS.iter().enumerate() {
        let start = |who| {
            let mut command = ground.command(who, index);
            if work.sync_ms > 0 {
                shim.delaying(&mut command, work.sync_ms);
            }
            Answering::start(command)
        };
        let rounds = if work.sync_ms > 0 { rounds.min(SLOW_ROUNDS) } else { rounds };
        let (mut queue_side, mut log_side) = (start(Who::Queue), start(Who::Log));
        let done: Vec<_> = (0..rounds).map(|_| take_turns(work, &mut queue_side, &mut log_side)).collect();
        lines.extend(lines_of(work, &done));
    }
    drop(ground);
    lines.extend(backlog::measure());
    lines
}

/// One round; what each side says of it, the queue first.
fn take_turns(work: &Work, queue_side: &mut Answering, log_side: &mut Answering) -> (Value, Value) {
    queue_side.ask(side::BEGIN);
    log_side.ask(side::BEGIN);
    for turn in 0..work.turns {
        // Who is first changes, too.
        if turn % 2 == 0 {
            queue_side.ask(side::TURN);
            log_side.ask(side::TURN);
        } else {
            log_side.ask(side::TURN);
            queue_side.ask(side::TURN);
        }
    }
    (queue_side.ask(side::END), log_side.ask(side::END))
}

fn lines_of(work: &Work, done: &[(Value, Value)]) -> Vec<Line> {
    let readings = |round: &Value| number(round, "groups") * work.group as f64;
    let line = |name: &str, target: Option<Target>, figure: &dyn Fn(&Value) -> f64| Line {
        what: format!("{}: {name}", work.what),
        fieldgate: done.iter().map(|(ours, _)| figure(ours)).collect(),
        limit: Some((done.iter().map(|(_, log)| figure(log)).collect(), LOG)),
        target,
    };
    let rate = line("readings/s", work.targets.rate, &|round| readings(round) / number(round, "busy_s"));
    if work.sync_ms > 0 {
        return vec![rate];
    }
    let mut lines =
        vec![rate, line("CPU us/reading", work.targets.cpu, &|round| number(round, "cpu_s") * 1e6 / readings(round))];
    let bytes = |round: &Value| number(round, "bytes") / readings(round);
    let flushes = |round: &Value| number(round, "flushes") / number(round, "groups");
    if done.iter().all(|(ours, log)| is_of_a_disk(ours) && is_of_a_disk(log)) {
        lines.push(line("disk B/reading", work.targets.device_bytes, &bytes));
        lines.push(line("disk flushes/commit", work.targets.flushes, &flushes));
    } else {
        // Nothing is promised of what the kernel puts down to a process.
        lines.push(line("B/reading, as the kernel says", None, &bytes));
    }
    if work.is_drained {
        lines.push(line("MiB at the peak", None, &|round| number(round, "peak_bytes") / backlog::MIB));
    }
    lines
}

/// Only a disk's counts have flushes.
fn is_of_a_disk(round: &Value) -> bool {
    round["flushes"].is_u64()
}

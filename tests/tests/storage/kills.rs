//! A process that is killed in the midst of appending.

use std::ops::Range;
use std::path::Path;
use std::thread;

use fieldgate_tests::artifacts::quick_folder;
use fieldgate_tests::storage::appender::{Appender, Appending};
use fieldgate_tests::storage::found::Found;
use fieldgate_tests::storage::ledger::Ledger;
use fieldgate_tests::storage::opening::{Then, open_apart};
use fieldgate_tests::storage::seed::Chance;
use fieldgate_tests::storage::table::Row;
use rand::Rng;

use crate::show;

const ROUNDS: u64 = 200;
/// Each has a queue of its own.
const QUEUES: u64 = 2;
/// Bytes of the appender's output until it is killed: each append tells of itself in about 30.
const OUTPUT_BYTES: Range<u64> = 1..2000;
/// Small, so that the newest frames, which always stay, are few readings and soon read.
const GROUP: u64 = 6;
const KEPT: u64 = 2000;

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    show(&kill(ROUNDS, &Chance::new()));
}

/// So many kills, one queue beside the other.
pub fn kill(rounds: u64, chance: &Chance) -> Row {
    let mut row = Row::new("process killed (SIGKILL)");
    thread::scope(|scope| {
        let one_queue = |queue| move || kill_on_one_queue(rounds / QUEUES, chance.for_case(queue));
        let running: Vec<_> = (0..QUEUES).map(|queue| scope.spawn(one_queue(queue))).collect();
        running.into_iter().for_each(|queue| row.merge(queue.join().expect("the rounds come to an end")));
    });
    row
}

fn kill_on_one_queue(rounds: u64, mut chance: Chance) -> Row {
    let folder = quick_folder();
    let queue = folder.path().join("queue");
    let (mut row, mut ledger) = (Row::default(), Ledger::default());
    for round in 1..=rounds {
        let name = format!("kill {round}, seed {}", chance.seed());
        append_and_kill(&queue, folder.path(), &mut chance, &mut ledger);
        // The next round's appender shows whether the queue takes readings, and the opening after it whether they stay.
        match open_apart(&queue, folder.path(), Then::Read) {
            Ok(found) => row.add_whole(&name, &ledger, &found),
            Err(reason) => {
                row.add_not_opened(&name, ledger.compare(&Found::default()).acknowledged, &reason);
                break;
            }
        }
    }
    row
}

fn append_and_kill(queue: &Path, folder: &Path, chance: &mut Chance, ledger: &mut Ledger) {
    let output = folder.join("appender");
    let _ = std::fs::remove_file(&output);
    let appending = Appending { group: GROUP, keep: Some(KEPT), ..Appending::default() };
    let mut appender = Appender::start(&appending.command(queue), &output);
    appender.wait_for_output(chance.numbers().random_range(OUTPUT_BYTES));
    appender.kill();
    ledger.read(&output);
}

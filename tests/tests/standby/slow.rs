//! The active gateway is slow: nobody gives it processor time, or its disk stands still.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use fieldgate_tests::process::{Process, wait_for};
use fieldgate_tests::sync_shim::SyncShim;

use crate::town::{Town, with_a_line};

const SLOW_FOR: Duration = Duration::from_secs(10);
/// For each core.
const GREEDY: usize = 4;

#[test]
#[ignore = "soak: a gateway without processor time takes half a minute: make soak ONLY=standby"]
fn one_that_is_starved_keeps_its_turn_or_loses_it_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = Town::of(with_a_line(1).start());
    town.pair.wait_more_of(0, 0, 200);
    town.pair.gateways[0].be_last();
    let greedy = greedy(folder.path());
    let begun = Instant::now();
    wait_for("the time without processor time", 2 * SLOW_FOR, || begun.elapsed() > SLOW_FOR);
    drop(greedy);
    let active = town.pair.wait_one_active();
    let reason = town.pair.standby(active)["reason"].as_str().unwrap_or_default().to_owned();
    let (_, term) = town.pair.holder(0);
    println!("starved for {SLOW_FOR:?}: gateway {active} is active in term {term}: {reason}");
    assert!(!reason.is_empty());
    town.finish(0);
}

/// Takes all the processor time that there is.
fn greedy(folder: &Path) -> Vec<Process> {
    let cores = available_parallelism().map_or(1, usize::from);
    let mut command = Command::new("sh");
    command.args(["-c", "while :; do :; done"]);
    (0..GREEDY * cores).map(|_| Process::spawn("a greedy program", &command, &folder.join("greedy"))).collect()
}

#[test]
#[ignore = "soak: a disk that stands still takes half a minute: make soak ONLY=standby"]
fn one_whose_disk_stands_still_keeps_its_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shim, stall) = (SyncShim::build(folder.path()), folder.path().join("stall"));
    let pair = with_a_line(1)
        .start_with(|index, settings| if index == 0 { settings.environment(shim.stalling(&stall)) } else { settings });
    let mut town = Town::of(pair);
    town.pair.wait_more_of(0, 0, 200);
    File::create(&stall).expect("the file that stops the disk");
    // What is durable by now is brought.
    assert!(town.pair.keeps_roles(["active", "standby"], Duration::from_secs(1)));
    let before = town.pair.rows_of(0, 0);
    assert!(town.pair.keeps_roles(["active", "standby"], SLOW_FOR));
    assert_eq!(town.pair.rows_of(0, 0), before, "the disk did not stand still");
    assert_eq!(town.pair.rows_of(0, 1), 0, "the other one does not bring what this one still may");
    fs::remove_file(&stall).expect("the disk goes on");
    town.pair.wait_more_of(0, 0, 200);
    town.finish(0);
    assert_eq!(town.pair.holder(0), ("one".to_owned(), 1));
}

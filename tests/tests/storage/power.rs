//! Power cuts, and the control: without our syncs the same rig has to find losses.

use fieldgate_tests::powercut::disk::Disk;
use fieldgate_tests::powercut::mount::Mount;
use fieldgate_tests::powercut::replay::Replay;
use fieldgate_tests::powercut::root::can_mount;
use fieldgate_tests::storage::appender::{Appender, Appending};
use fieldgate_tests::storage::found::Found;
use fieldgate_tests::storage::ledger::Ledger;
use fieldgate_tests::storage::opening::{Then, open_apart};
use fieldgate_tests::storage::seed::Chance;
use fieldgate_tests::storage::table::{Row, print};
use fieldgate_tests::sync_shim::SyncShim;
use rand::seq::index::sample;

use crate::show;

const CUTS: usize = 50;
/// Enough for the control: it loses at most of them.
const CUTS_OF_CONTROL: usize = 10;
/// The appender runs until it has told so much, in about 40 bytes an append: about 16 MB of readings, so that stores are
/// sealed and removed meanwhile.
const OUTPUT_BYTES: u64 = 30_000;
const GROUP: u64 = 150;
const DISK_MEBIBYTES: u64 = 192;
const KEPT: u64 = 20_000;

/// Whether the queue's syncs reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// As they are.
    Made,
    /// They do nothing.
    LeftOut,
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    if !can_mount("power cuts") {
        return;
    }
    show(&cut(CUTS, Syncs::Made, &mut Chance::new()));
}

#[test]
fn without_our_syncs_a_power_cut_loses_readings() {
    if !can_mount("the control of the power cuts") {
        return;
    }
    let row = cut(CUTS_OF_CONTROL, Syncs::LeftOut, &mut Chance::new());
    print(std::slice::from_ref(&row));
    assert_control_lost(&row);
}

/// A rig that finds no loss where there must be one finds none at all.
pub fn assert_control_lost(row: &Row) {
    assert!(row.lost > 0 || row.would_not_open > 0, "the syncs were left out, and the rig found no loss: {row}");
}

/// One run of the appender, and the power cut at so many instants of it.
pub fn cut(cuts: usize, syncs: Syncs, chance: &mut Chance) -> Row {
    let disk = Disk::new(DISK_MEBIBYTES);
    let (began, ledger) = record(&disk, syncs);
    let mut replay = Replay::new(&disk).expect("the log can be read");
    let first = replay.entries().partition_point(|entry| entry.log_offset < began);
    let instants = replay.entries().len() - first;
    let mut chosen = sample(chance.numbers(), instants, cuts.min(instants)).into_vec();
    chosen.sort_unstable();
    let mut row = Row::new(match syncs {
        Syncs::Made => "power cut",
        Syncs::LeftOut => "power cut, our syncs left out (control)",
    });
    println!("{}: {} writes and flushes, {} MiB of log", row.fault, instants, disk.log_bytes() >> 20);
    for index in chosen.into_iter().map(|index| first + index) {
        let name = format!("cut before write {index}, seed {}", chance.seed());
        let promised = ledger.until(replay.entries()[index].log_offset);
        let image = replay.cut_before(index, chance.numbers()).expect("the disk can be made again").to_owned();
        let opened = Mount::new(&image).and_then(|mount| open(&mount, &disk));
        match opened {
            Ok(found) => row.add_whole(&name, &promised, &found),
            Err(reason) => row.add_not_opened(&name, promised.compare(&Found::default()).acknowledged, &reason),
        }
    }
    row
}

fn open(mount: &Mount, disk: &Disk) -> Result<Found, String> {
    open_apart(&mount.folder().join("queue"), disk.folder(), Then::Append)
}

/// Where the appender begins in the log, and what it told.
fn record(disk: &Disk, syncs: Syncs) -> (u64, Ledger) {
    let recording = disk.record();
    let mount = recording.mount();
    let began = disk.log_bytes();
    let appending = Appending { group: GROUP, keep: Some(KEPT), block_log: Some(disk.log()), ..Appending::default() };
    let mut command = appending.command(&mount.folder().join("queue"));
    if syncs == Syncs::LeftOut {
        SyncShim::build(disk.folder()).skipping(&mut command);
    }
    let mut appender = Appender::start(&command, &disk.folder().join("appender"));
    appender.wait_for_output(OUTPUT_BYTES);
    appender.kill();
    let ledger = appender.ledger();
    // The file system goes before the disk below it.
    drop((mount, recording));
    (began, ledger)
}

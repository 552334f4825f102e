//! A file system of 64 MiB that fills up: by the queue itself, or by another file beside it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use fieldgate_tests::artifacts::quick_folder;
use fieldgate_tests::powercut::mount::{Mount, make_ext4};
use fieldgate_tests::powercut::root::can_mount;
use fieldgate_tests::storage::appender::{Appender, Appending};
use fieldgate_tests::storage::content::group;
use fieldgate_tests::storage::found::Found;
use fieldgate_tests::storage::ledger::Ledger;
use fieldgate_tests::storage::opening::{Then, open_apart};
use fieldgate_tests::storage::seed::Chance;
use fieldgate_tests::storage::table::Row;
use queue::{QueueError, Settings, Writer};
use rand::Rng;
use tempfile::TempDir;

use crate::show;

const DISK_MEBIBYTES: u64 = 64;
const GROUP: u64 = 150;
/// The appender's word for an append that the queue refused; a panic has another.
const REFUSED: Option<i32> = Some(1);
/// Bytes of the appender's output before the other file comes.
const OUTPUT_BYTES: Range<u64> = 100..3000;

#[test]
fn nothing_acknowledged_is_lost_when_the_queue_fills_the_disk() {
    if can_mount("a disk that the queue fills") {
        show(&filled_by_the_queue(1));
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_another_file_fills_the_disk() {
    if can_mount("a disk that another file fills") {
        show(&filled_by_another_file(1, &mut Chance::new()));
    }
}

/// Not one byte is free, and the generation that is written is full: the ballast makes room for a gap.
#[test]
fn what_is_missing_can_be_said_on_a_disk_without_a_free_byte() {
    if !can_mount("a full disk on which a gap is written") {
        return;
    }
    let disk = Small::new();
    let settings = Settings { ballast_bytes: 16 << 20, ..Settings::default() };
    let mut opened = queue::open_with(&disk.queue(), settings).expect("an empty queue");
    let stream = opened.stream;
    let mut next = 1;
    let mut append = |writer: &mut Writer, from_reserve: bool| {
        let units = group(stream, next, GROUP);
        let appended = match from_reserve {
            false => writer.append(&units, 1),
            true => writer.append_from_reserve(&units, 1),
        };
        appended.inspect(|appended| next = appended.last + 1)
    };
    append(&mut opened.writer, false).expect("there is room");
    fill(&disk.mount.folder().join("other"));
    let refused = loop {
        if let Err(refused) = append(&mut opened.writer, false) {
            break refused;
        }
    };
    assert!(matches!(refused, QueueError::Full { .. }), "{refused}");
    let last = append(&mut opened.writer, true).expect("the ballast makes room").last;
    drop(opened);
    let again = queue::open_with(&disk.queue(), settings).expect("a queue on a full disk");
    let found = again.reader.read(stream, 1, usize::MAX, usize::MAX).expect("readings");
    assert!((1..=last).eq(found.iter().map(|reading| reading.seq)), "every reading is there");
}

/// Appends until the queue takes no more; then it has to open, and to have everything.
pub fn filled_by_the_queue(rounds: u64) -> Row {
    let mut row = Row::new("disk full of the queue (64 MiB)");
    for round in 1..=rounds {
        let disk = Small::new();
        let mut appender = disk.appender();
        expect_refusal(&mut appender, &mut row, round);
        disk.open(&mut row, &format!("round {round}, full"), &appender.ledger(), Then::Read);
    }
    row
}

/// Another file fills the disk while the queue is appended to. The queue has to open while that is there, and to take
/// readings again when it is gone.
pub fn filled_by_another_file(rounds: u64, chance: &mut Chance) -> Row {
    let mut row = Row::new("disk full of another file (64 MiB)");
    for round in 1..=rounds {
        let disk = Small::new();
        let mut appender = disk.appender();
        appender.wait_for_output(chance.numbers().random_range(OUTPUT_BYTES));
        let other = disk.mount.folder().join("other");
        fill(&other);
        expect_refusal(&mut appender, &mut row, round);
        fill(&other);
        disk.open(&mut row, &format!("round {round}, full"), &appender.ledger(), Then::Read);
        fs::remove_file(&other).expect("a file can be removed");
        disk.open(&mut row, &format!("round {round}, with room again"), &appender.ledger(), Then::Append);
    }
    row
}

fn expect_refusal(appender: &mut Appender, row: &mut Row, round: u64) {
    let status = appender.wait();
    if status.code() != REFUSED {
        row.complaints.push(format!("round {round}: the appender ended with {status}: {}", appender.output_end()));
    }
}

/// A small disk with a queue.
struct Small {
    mount: Mount,
    folder: TempDir,
}

impl Small {
    fn new() -> Small {
        let folder = quick_folder();
        let image = folder.path().join("disk.img");
        make_ext4(&image, DISK_MEBIBYTES);
        let mount = Mount::new(&image).unwrap_or_else(|e| panic!("the disk does not mount: {e}"));
        Small { mount, folder }
    }

    fn queue(&self) -> PathBuf {
        self.mount.folder().join("queue")
    }

    fn appender(&self) -> Appender {
        let appending = Appending { group: GROUP, ..Appending::default() };
        Appender::start(&appending.command(&self.queue()), &self.folder.path().join("appender"))
    }

    fn open(&self, row: &mut Row, round: &str, ledger: &Ledger, then: Then) {
        match open_apart(&self.queue(), self.folder.path(), then) {
            Ok(found) => row.add_whole(round, ledger, &found),
            Err(reason) => row.add_not_opened(round, ledger.compare(&Found::default()).acknowledged, &reason),
        }
    }
}

/// Makes a file longer until the disk has no byte left.
fn fill(path: &Path) {
    let mut file = File::options().append(true).create(true).open(path).expect("a file can be made");
    for bytes in [1 << 20, 1 << 12] {
        let block = vec![7; bytes];
        loop {
            match file.write_all(&block).and_then(|()| file.sync_data()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{} cannot be filled: {error}", path.display()),
            }
        }
    }
}

//! Whatever happened to the files: the queue opens, says what it set aside, and goes on collecting.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use common::{names_beginning, readings, store_of, unit};
use fieldgate_queue::{KnownStream, Opened, StreamId, open};
use tempfile::{TempDir, tempdir};

const READINGS: u64 = 1000;

/// A closed queue with 1000 readings, about 5 MB; with a snapshot of all of them when it was `reopened`.
struct Damaged {
    folder: TempDir,
    stream: StreamId,
}

impl Damaged {
    fn new(reopened: bool) -> Damaged {
        let folder = tempdir().unwrap();
        let mut opened = open(folder.path()).unwrap();
        let stream = opened.stream;
        for group in 0..READINGS / 50 {
            let units: Vec<_> = (1..=50).map(|index| unit(&(group * 50 + index).to_string(), 5000)).collect();
            opened.writer.append(&units, 0).unwrap();
        }
        drop(opened);
        if reopened {
            open(folder.path()).unwrap().writer.close().unwrap();
        }
        Damaged { folder, stream }
    }

    fn store(&self) -> PathBuf {
        store_of(self.folder.path())
    }

    fn overwrite(&self, per_mille: u64, bytes: &[u8]) {
        let data = OpenOptions::new().write(true).open(self.store().join("db")).unwrap();
        let length = data.metadata().unwrap().len();
        data.write_all_at(bytes, length * per_mille / 1000).unwrap();
    }

    /// Opens, and checks everything that has to hold whatever the damage. Returns how many readings are still there.
    fn check(&self) -> u64 {
        let mut opened = open(self.folder.path()).unwrap();
        self.check_set_aside(&opened);
        let found = readings(&opened.reader, self.stream);
        assert!(found.iter().all(|(seq, text)| *text == seq.to_string()), "a reading has changed");
        let end = end_of(&opened.reader.known_streams(), self.stream);
        assert_eq!(end, READINGS, "what is missing can be noticed");
        opened.writer.append(&[unit("new", 10)], 0).unwrap();
        let stream = opened.stream;
        drop(opened);
        let again = open(self.folder.path()).unwrap();
        assert_eq!(readings(&again.reader, stream), [(1, "new".to_owned())]);
        u64::try_from(found.len()).unwrap()
    }

    fn check_set_aside(&self, opened: &Opened) {
        let folders = names_beginning(self.folder.path(), "set-aside-");
        match &opened.set_aside {
            None => assert!(folders.is_empty()),
            Some(aside) => {
                assert!(aside.folder.is_dir() && !aside.reason.is_empty());
                assert!(opened.reader.spans().unwrap().is_empty());
            }
        }
    }
}

fn end_of(known: &[KnownStream], stream: StreamId) -> u64 {
    known.iter().find(|known| known.stream == stream).unwrap().end
}

fn snapshots(store: &Path) -> Vec<PathBuf> {
    names_beginning(store, "snap.").into_iter().map(|name| store.join(name)).collect()
}

#[test]
fn nothing_damaged_nothing_lost() {
    assert_eq!(Damaged::new(true).check(), READINGS);
}

#[test]
fn a_shortened_file() {
    for per_mille in [1, 500, 999] {
        let queue = Damaged::new(false);
        let data = OpenOptions::new().write(true).open(queue.store().join("db")).unwrap();
        data.set_len(data.metadata().unwrap().len() * per_mille / 1000).unwrap();
        assert!(queue.check() < READINGS);
    }
}

#[test]
fn an_empty_file() {
    for reopened in [false, true] {
        let queue = Damaged::new(reopened);
        fs::write(queue.store().join("db"), "").unwrap();
        assert_eq!(queue.check(), 0);
    }
}

#[test]
fn flipped_bytes_without_a_snapshot() {
    for per_mille in [0, 300, 700] {
        let queue = Damaged::new(false);
        queue.overwrite(per_mille, &[0xa5; 16]);
        queue.check();
    }
}

/// The store then opens, and finds the damage only when it reads.
#[test]
fn flipped_bytes_behind_a_snapshot_cost_only_what_is_near() {
    let mut hit = 0;
    for per_mille in [100, 200, 300, 400, 500, 600] {
        let queue = Damaged::new(true);
        queue.overwrite(per_mille, &[0xa5; 16]);
        let left = queue.check();
        hit += u32::from(left < READINGS);
        assert!(left == 0 || left > READINGS * 9 / 10, "{left} left");
    }
    assert!(hit > 0, "no damage met a reading");
}

#[test]
fn a_zeroed_sector_at_the_start() {
    for reopened in [false, true] {
        let queue = Damaged::new(reopened);
        queue.overwrite(0, &[0; 4096]);
        queue.check();
    }
}

#[test]
fn a_missing_or_damaged_conf_loses_nothing() {
    let queue = Damaged::new(false);
    fs::remove_file(queue.store().join("conf")).unwrap();
    assert_eq!(queue.check(), READINGS);
    let queue = Damaged::new(false);
    fs::write(queue.store().join("conf"), "").unwrap();
    assert_eq!(queue.check(), READINGS);
}

#[test]
fn damaged_snapshots_lose_nothing() {
    let queue = Damaged::new(true);
    for snapshot in snapshots(&queue.store()) {
        fs::write(snapshot, "garbage of some length").unwrap();
    }
    assert_eq!(queue.check(), READINGS);
    let queue = Damaged::new(true);
    fs::write(queue.store().join("snap.FFFFFFFFFFFFFFFF"), "garbage of some length").unwrap();
    fs::write(queue.store().join("snap.00000000000FFFFF.generating"), vec![1; 100_000]).unwrap();
    assert_eq!(queue.check(), READINGS);
}

//! Whatever happened to the files: the queue opens, says what it set aside, and goes on collecting.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use common::damaged::{Damaged, READINGS};
use common::names_beginning;

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
        // At its very end there may be copies of what stands elsewhere.
        assert!(queue.check() < READINGS || per_mille == 999);
    }
}

#[test]
fn an_empty_file() {
    for reopened in [false, true] {
        let queue = Damaged::new(reopened);
        fs::write(queue.store().join("db"), "").unwrap();
        assert!(queue.check() < READINGS);
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
    let original = Damaged::new(true);
    let mut hit = 0;
    // About half of the file holds what was written over since, so that a few places could all miss the readings.
    for per_mille in (40..1000).step_by(40) {
        let queue = original.copy();
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

/// A folder opens like a file, and then no byte of it can be read.
#[test]
fn a_folder_in_the_place_of_the_file() {
    let queue = Damaged::new(false);
    fs::remove_file(queue.store().join("db")).unwrap();
    fs::create_dir(queue.store().join("db")).unwrap();
    assert!(queue.check() < READINGS);
}

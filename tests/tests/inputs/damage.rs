//! A queue that is damaged while the gateway is stopped, with readings in it that no database has. The gateway starts,
//! says what is wrong, delivers what can be read, and names the rest by number; nothing is there twice, and what is new
//! flows at once.

mod left;

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use left::{Left, READINGS};

const GONE: &str = "no longer in the queue: ";

fn overwrite(db: &Path, from: u64, bytes: &[u8]) {
    File::options().write(true).open(db).unwrap().write_all_at(bytes, from).unwrap();
}

fn length(db: &Path) -> u64 {
    fs::metadata(db).unwrap().len()
}

fn garbage(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index * 131 % 251) as u8).collect()
}

/// Where frames begin whose first number is one of these. The store writes each several times.
fn frames(db: &Path, firsts: Range<u64>) -> Vec<u64> {
    let bytes = fs::read(db).unwrap();
    let first = |at: usize| bytes.get(at + 34..at + 42).map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    let beginnings = bytes.windows(4).enumerate().filter(|(_, bytes)| bytes == b"FGQ1").map(|(at, _)| at);
    let found: Vec<u64> =
        beginnings.filter(|at| first(*at).is_some_and(|first| firsts.contains(&first))).map(|at| at as u64).collect();
    assert!(!found.is_empty(), "frames with {firsts:?} in {}", db.display());
    found
}

/// Puts garbage over every copy of some frames.
fn spoil(db: &Path, firsts: Range<u64>) {
    frames(db, firsts).into_iter().for_each(|at| overwrite(db, at, &garbage(50)));
}

#[test]
fn of_a_file_that_is_all_zeros_every_number_is_in_a_gap() {
    let mut left = Left::by_a_kill();
    let db = left.store().join("db");
    overwrite(&db, 0, &vec![0; length(&db) as usize]);
    left.start();
    left.assert_told_of_damage("not one reading can be found in it");
    assert_eq!(left.delivered(GONE), 0);
    let aside = left.queue().join("set-aside-0000000000000001/db");
    assert!(aside.is_file(), "{} is kept for people to look at", aside.display());
}

#[test]
fn of_a_file_that_was_cut_the_beginning_is_delivered_and_the_end_is_in_a_gap() {
    let mut left = Left::by_a_kill();
    let db = left.store().join("db");
    File::options().write(true).open(&db).unwrap().set_len(frames(&db, 1500..u64::MAX)[0]).unwrap();
    left.start();
    let delivered = left.delivered(GONE);
    assert!((1000..1600).contains(&delivered), "{delivered} delivered");
    left.assert_said_missing(delivered);
}

#[test]
fn garbage_in_the_midst_costs_only_what_lay_there() {
    let mut left = Left::by_a_kill();
    let db = left.store().join("db");
    spoil(&db, 1000..1500);
    left.start();
    left.assert_told_of_damage("numbers are missing in");
    let delivered = left.delivered(GONE);
    assert!((left.marked - 600..left.marked).contains(&delivered), "{delivered} delivered");
    left.assert_said_missing(delivered);
}

#[test]
fn a_folder_in_the_place_of_the_file_is_said_and_every_number_is_in_a_gap() {
    let mut left = Left::by_a_kill();
    let db = left.store().join("db");
    fs::remove_file(&db).unwrap();
    fs::create_dir(&db).unwrap();
    left.start();
    left.assert_told_of_damage("not one reading can be found in it");
    assert_eq!(left.delivered(GONE), 0);
}

#[test]
fn garbage_in_a_complete_generation_is_noticed_when_it_is_read() {
    let mut left = Left::by_a_stop();
    let db = left.store().join("db");
    spoil(&db, 1000..1500);
    left.start();
    let delivered = left.delivered(GONE);
    assert!((READINGS - 600..READINGS).contains(&delivered), "{delivered} delivered");
    left.assert_said_missing(delivered);
}

#[test]
fn without_a_seal_that_can_be_believed_the_file_is_searched_and_nothing_is_lost() {
    let mut left = Left::by_a_stop();
    let seal = left.store().join("seal.json");
    let text = fs::read_to_string(&seal).unwrap();
    fs::write(&seal, text.replacen("\"readings\":", "\"readings\":9", 1)).unwrap();
    left.start();
    assert_eq!(left.delivered(GONE), READINGS);
}

#[test]
fn without_marks_nothing_that_is_in_the_queue_is_lost() {
    let mut left = Left::by_a_kill();
    fs::remove_file(left.queue().join("marks.json")).unwrap();
    left.start();
    assert_eq!(left.delivered(GONE), left.marked);
}

#[test]
fn damaged_marks_are_said_and_nothing_that_is_in_the_queue_is_lost() {
    let mut left = Left::by_a_stop();
    fs::write(left.queue().join("marks.json"), "{\"layout\": 1").unwrap();
    left.start();
    assert_eq!(left.delivered(GONE), READINGS);
    assert!(left.log().contains("marks-set-aside.json"), "{}", left.log());
}

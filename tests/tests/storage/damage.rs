//! Damage of every kind to the files of a closed queue of several starts.

mod kinds;
mod place;

use std::iter;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fieldgate_tests::artifacts::quick_folder;
use fieldgate_tests::storage::appender::{Appending, append};
use fieldgate_tests::storage::found::Found;
use fieldgate_tests::storage::opening::{Then, open_apart};
use fieldgate_tests::storage::seed::Chance;
use fieldgate_tests::storage::table::Row;
use tempfile::TempDir;

use crate::oracle::Oracle;
use crate::show;
use kinds::{Damage, KINDS};
use place::copy_files;

const CASES: u64 = 300;
const WORKERS: usize = 2;
const STARTS: usize = 4;
const READINGS_OF_A_START: u64 = 600;

#[test]
fn what_is_not_damaged_is_read_back_and_the_queue_goes_on() {
    show(&damage(CASES, &Chance::new()));
}

#[test]
fn without_damage_every_reading_has_to_be_there() {
    let original = Original::new();
    let found = open_apart(&original.queue(), original.folder.path(), Then::Append).expect("it opens");
    let outcome = original.oracle.compare(&[], &found);
    assert_eq!((outcome.lost, outcome.saved), (0, original.oracle.acknowledged()));
    assert_eq!(
        (found.wrong.as_slice(), original.oracle.compare(&[], &Found::default()).lost),
        (&[][..], outcome.saved)
    );
}

/// A closed queue, and where its readings lie.
struct Original {
    folder: TempDir,
    oracle: Oracle,
}

impl Original {
    fn new() -> Original {
        let folder = quick_folder();
        let queue = folder.path().join("queue");
        let appending = Appending { group: 40, count: Some(READINGS_OF_A_START), ..Appending::default() };
        for start in 0..STARTS {
            append(&appending, &queue, &folder.path().join(format!("appender-{start}")));
        }
        let found = open_apart(&queue, folder.path(), Then::Read).expect("a queue without damage opens");
        let end = |spans: &[(u64, u64)]| spans.last().map_or(0, |(_, last)| *last);
        let ends: Vec<_> = found.streams.iter().map(|found| (found.stream, end(&found.spans))).collect();
        assert_eq!(ends.len(), STARTS, "each start has a stream");
        Original { oracle: Oracle::new(&queue, &ends), folder }
    }

    fn queue(&self) -> PathBuf {
        self.folder.path().join("queue")
    }
}

/// So many cases, each a copy of the same queue with one damage, of each kind in turn.
pub fn damage(cases: u64, chance: &Chance) -> Row {
    let original = Original::new();
    let next = AtomicU64::new(0);
    let mut row = Row::new("file damaged");
    thread::scope(|scope| {
        let work = || {
            let mut row = Row::default();
            let cases = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|case| *case < cases);
            cases.for_each(|case| try_case(&original, case, chance.for_case(case), &mut row));
            row
        };
        let running: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        running.into_iter().for_each(|worker| row.merge(worker.join().expect("the cases come to an end")));
    });
    row
}

fn try_case(original: &Original, case: u64, mut chance: Chance, row: &mut Row) {
    let kind = kind_of(case);
    let folder = quick_folder();
    let queue = folder.path().join("queue");
    copy_files(&original.queue(), &queue);
    let Some(touched) = kind.apply(&queue, chance.numbers()) else {
        println!("case {case} is left out: this queue has nothing for {kind:?}");
        return;
    };
    let name = format!("case {case}, {kind:?}, {touched:?}");
    match open_apart(&queue, folder.path(), Then::Append) {
        Ok(found) => row.add(&name, original.oracle.compare(&touched, &found), &found),
        Err(reason) => row.add_not_opened(&name, original.oracle.acknowledged(), &reason),
    }
}

fn kind_of(case: u64) -> Damage {
    let index = case % u64::try_from(KINDS.len()).expect("a short list");
    KINDS[usize::try_from(index).expect("a short list")]
}

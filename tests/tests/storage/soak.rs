//! The whole table, after many rounds.

use fieldgate_tests::powercut::root::can_mount;
use fieldgate_tests::storage::seed::Chance;
use fieldgate_tests::storage::table::{Row, print};

use crate::damage::damage;
use crate::full::{filled_by_another_file, filled_by_the_queue};
use crate::kills::kill;
use crate::power::{Syncs, assert_control_lost, cut};

const KILLS: u64 = 2000;
const DAMAGED: u64 = 3000;
/// Each with a run of the appender of its own.
const RECORDINGS: u64 = 20;
const CUTS_OF_A_RECORDING: usize = 50;
const FILLED: u64 = 10;

#[test]
#[ignore = "1000 power cuts, 2000 kills, 3000 damaged files: make soak"]
fn the_whole_table() {
    let chance = Chance::new();
    let mut rows = vec![kill(KILLS, &chance), damage(DAMAGED, &chance)];
    let mut control = None;
    if can_mount("power cuts and the full disk") {
        rows.push(cut_many(&chance));
        rows.push(filled_by_the_queue(FILLED));
        rows.push(filled_by_another_file(FILLED, &mut chance.for_case(0)));
        control = Some(cut(CUTS_OF_A_RECORDING, Syncs::LeftOut, &mut chance.for_case(0)));
    }
    print(&rows.iter().chain(&control).cloned().collect::<Vec<_>>());
    // Every part says what it has to complain of, not the first one alone.
    let complaints: Vec<&str> = rows.iter().flat_map(|row| &row.complaints).map(String::as_str).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    rows.iter().for_each(Row::assert_nothing_lost);
    control.iter().for_each(assert_control_lost);
}

fn cut_many(chance: &Chance) -> Row {
    let recordings = (0..RECORDINGS).map(|case| cut(CUTS_OF_A_RECORDING, Syncs::Made, &mut chance.for_case(case)));
    recordings.reduce(merged).expect("there are recordings")
}

fn merged(mut one: Row, other: Row) -> Row {
    one.merge(other);
    one
}

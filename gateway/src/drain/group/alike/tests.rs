//! Which rows stand for which readings, in seconds.

use super::*;
use crate::database::Cell;

const S: i64 = 1_000_000;

fn identity(value: i64) -> Identity {
    let names = ("silo".to_owned(), "t".to_owned());
    Identity::from_cells(names, None, None, [&Cell::Null, &Cell::Int(value), &Cell::Null, &Cell::Null])
}

fn wanted(seq: u64, at: i64, value: i64) -> Wanted {
    Wanted { seq, identity: identity(value), times_us: ((at - 1) * S, (at + 1) * S) }
}

fn row(seq: u64, at: i64, value: i64) -> OtherRow {
    OtherRow { key: (7, seq), at_us: at * S, identity: identity(value) }
}

fn found(taken: &mut Taken, wanted: &[Wanted], rows: &[OtherRow]) -> Vec<u64> {
    taken.matched(&Question { wanted: wanted.to_vec() }, rows).into_iter().collect()
}

#[test]
fn a_row_of_the_same_value_and_time_is_the_reading() {
    let rows = [row(1, 10, 5), row(2, 20, 6)];
    let readings = [wanted(100, 10, 5), wanted(101, 20, 5), wanted(102, 22, 6)];
    assert_eq!(found(&mut Taken::default(), &readings, &rows), [100], "another value, another time");
}

#[test]
fn of_two_readings_that_are_alike_one_row_is_one() {
    let readings = [wanted(100, 10, 5), wanted(101, 10, 5)];
    assert_eq!(found(&mut Taken::default(), &readings, &[row(1, 10, 5)]), [100]);
    assert_eq!(found(&mut Taken::default(), &readings, &[row(1, 10, 5), row(2, 10, 5)]), [100, 101]);
}

#[test]
fn a_row_stays_taken_over_transactions_that_were_committed() {
    let mut taken = Taken::default();
    let rows = [row(1, 10, 5)];
    assert_eq!(found(&mut taken, &[wanted(100, 10, 5)], &rows), [100]);
    taken.begin();
    assert_eq!(found(&mut taken, &[wanted(100, 10, 5)], &rows), [100], "the one before was rolled back");
    taken.commit();
    taken.begin();
    assert_eq!(found(&mut taken, &[wanted(101, 10, 5)], &rows), [0; 0]);
    assert_eq!(found(&mut taken, &[wanted(102, 100, 5)], &[]), [0; 0]);
    assert!(taken.committed.is_empty(), "nothing is looked for there any more");
}

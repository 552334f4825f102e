//! The source is killed, or freezes, and nobody helps.

use crate::rig::{site, wait_promoted};
use fieldgate_tests::mariadb::Family;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use std::time::Instant;

#[test]
fn a_killed_source_is_replaced_by_the_best_replica_and_closed_when_it_comes_back() {
    let mut site = site(Family::MariaDb);
    let since = Instant::now();
    site.server(0).kill9();
    let (promoted, after) = wait_promoted(&site, 0, since);
    println!("MariaDB: killed source to a writable promoted one: {:.2} s", after.as_secs_f64());
    site.wait_more(promoted, 200);
    site.finish(promoted);
    let other = 3 - promoted;
    wait_for("the other replica follows", DEADLINE, || site.readings(other) == site.readings(promoted));
}

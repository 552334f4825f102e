//! The active gateway is killed.

use std::time::Instant;

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;

use crate::town::{Town, with_a_line};

#[test]
#[ignore = "soak: a kill with the database at hand, which the numbers and MySQL have too: make soak ONLY=standby"]
fn when_the_active_one_is_killed_the_other_goes_on_and_nothing_is_lost_or_doubled() {
    let mut town = Town::of(with_a_line(1).start());
    town.pair.wait_more_of(0, 0, 200);
    town.pair.gateways[0].kill9();
    let killed = Instant::now();
    town.pair.wait_more_of(0, 1, 1);
    println!(
        "first reading of the new active one in the database {:.2} s after the kill",
        killed.elapsed().as_secs_f64()
    );
    assert_eq!(town.pair.active(), 1);
    town.pair.wait_more_of(0, 1, 200);
    town.pair.start_gateway(0);
    town.pair.wait_roles(["standby", "active"]);
    town.wait_published(50);
    town.finish(0);
    assert_eq!(town.pair.holder(0), ("two".to_owned(), 2));
}

#[test]
fn what_only_the_killed_one_had_comes_when_it_returns() {
    let mut pair = with_a_line(0).prepare();
    pair.start_gateway(0);
    pair.wait_role(0, "active");
    let mut town = Town::of(pair);
    town.pair.wait_more_of(0, 0, 100);
    town.pair.cluster.servers[0].set_read_only(true);
    // Nobody else hears this.
    town.wait_published(50);
    town.pair.gateways[1].start();
    town.pair.wait_heard(1);
    town.pair.wait_role(1, "standby");
    town.wait_published(50);
    town.pair.gateways[0].kill9();
    town.pair.wait_role(1, "active");
    town.wait_published(50);
    town.pair.cluster.servers[0].set_read_only(false);
    town.pair.wait_more_of(0, 1, 100);
    let before = town.pair.rows_of(0, 0);
    town.pair.start_gateway(0);
    town.pair.wait_roles(["standby", "active"]);
    wait_for("what only the first one has", DEADLINE, || town.pair.rows_of(0, 0) >= before + 200);
    town.finish(0);
}

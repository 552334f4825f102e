//! Gateways start in every order, and a mailbox answers for one that is dead.

use std::time::{Duration, Instant};

use fieldgate_tests::pair::Pair;

use crate::town::Town;

const LONG: Duration = Duration::from_secs(3);

#[test]
fn a_mailbox_that_answers_for_the_dead_and_forgets_says_nothing_of_life() {
    let mut town = Town::of(Pair::with(0).mailbox().start());
    town.pair.wait_more_of(0, 0, 100);
    town.pair.mailbox.as_ref().expect("a mailbox").restart();
    assert!(town.pair.keeps_roles(["active", "standby"], LONG), "a mailbox that has started again");
    town.pair.gateways[0].kill9();
    let killed = Instant::now();
    town.pair.wait_role(1, "active");
    println!("active {:.2} s after the kill, over a mailbox that goes on answering", killed.elapsed().as_secs_f64());
    // Now both start again, the one that goes second first: it waits for nobody who is not there. What a node on a wire said
    // meanwhile nobody heard, so there is none.
    town.pair.gateways[1].kill9();
    town.pair.start_gateway(1);
    town.pair.wait_role(1, "active");
    town.pair.start_gateway(0);
    town.pair.wait_roles(["standby", "active"]);
    town.wait_published(50);
    town.finish(0);
}

#[test]
#[ignore = "soak: both restarted at once takes half a minute: make soak ONLY=standby"]
fn of_two_that_start_at_the_same_time_one_becomes_active() {
    let mut town = Town::of(Pair::with(1).line().start());
    for _ in 0..3 {
        town.pair.wait_more_of(0, town.pair.active(), 100);
        town.pair.gateways.iter_mut().for_each(|gateway| gateway.kill9());
        town.pair.gateways.iter_mut().for_each(|gateway| gateway.start());
        (0..2).for_each(|index| town.pair.wait_heard(index));
        let roles = [["active", "standby"], ["standby", "active"]][town.pair.wait_one_active()];
        assert!(town.pair.keeps_roles(roles, LONG));
    }
    town.wait_published(50);
    town.finish(0);
}

//! The active gateway stands still, and goes on as if nothing had been.

use std::time::{Duration, Instant};

use fieldgate_tests::pair::first_after;
use fieldgate_tests::storage::seed::Chance;
use rand::Rng;

use crate::town::{Town, with_a_line};

const FROZEN_FOR: Duration = Duration::from_secs(5);
/// A transfer that was on its way when the process was stopped: the register's number, and its value.
const ON_ITS_WAY: usize = 2;

#[test]
fn one_that_was_frozen_steps_down_and_nothing_is_lost_or_doubled() {
    let mut town = Town::of(with_a_line(1).sensor().start());
    town.pair.wait_more_of(0, 0, 200);
    freeze_and_thaw(&mut town, 0);
    town.wait_published(50);
    town.finish(0);
}

#[test]
#[ignore = "soak: 20 freezes at random instants take four minutes: make soak ONLY=standby"]
fn frozen_at_random_instants_it_steps_down_every_time() {
    let mut town = Town::of(with_a_line(1).sensor().start());
    let chance = Chance::new();
    for case in 0..20 {
        let mut seed = chance.for_case(case);
        town.let_pass(Duration::from_millis(seed.numbers().random_range(0..1000)));
        let active = town.pair.active();
        freeze_and_thaw(&mut town, active);
    }
    town.wait_published(50);
    town.finish(0);
}

/// Returns when the other one is active and this one stands by.
fn freeze_and_thaw(town: &mut Town, index: usize) {
    let (pair, other) = (&mut town.pair, 1 - index);
    pair.gateways[index].freeze();
    let frozen = Instant::now();
    let first = pair.wait_asked(other, frozen);
    println!("frozen; the other one asks the sensor {:.2} s later", (first - frozen).as_secs_f64());
    pair.wait_more_of(0, other, 1);
    println!("its first reading is in the database {:.2} s after the freeze", frozen.elapsed().as_secs_f64());
    town.let_pass(FROZEN_FOR.saturating_sub(frozen.elapsed()));
    let pair = &mut town.pair;
    pair.gateways[index].thaw();
    pair.wait_role(index, "standby");
    assert_eq!(pair.active(), other);
    let asked = pair.asked();
    let last = asked.iter().filter(|(who, at)| *who == index && *at > first).count();
    assert!(last <= ON_ITS_WAY, "it asked the sensor {last} times after the other one had begun");
    assert!(first_after(&asked, other, first).is_some());
}

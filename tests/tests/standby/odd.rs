//! What is said on the line is not what a gateway says, or says what cannot be.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use fieldgate_tests::mailbox::Side;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use fieldgate_tests::storage::seed::Chance;
use rand::Rng;

use crate::town::{Town, with_a_line};

const LONG: Duration = Duration::from_secs(4);
const CUTS: u64 = 5;

#[test]
#[ignore = "soak: a sketch on the line takes half a minute: make soak ONLY=standby"]
fn a_sketch_that_says_hello_is_stood_by_for_until_it_is_silent() {
    let mut pair = Pair::with(0).line().prepare();
    let mut sketch = File::options().write(true).open(pair.line.port(1)).expect("the other end of the line");
    let mut says_hello = |times: usize| {
        for _ in 0..times {
            sketch.write_all(b"hello!").expect("the line takes it");
            std::thread::sleep(Duration::from_millis(250));
        }
    };
    pair.gateways[0].start();
    says_hello(20);
    assert_eq!(pair.role(0), "standby");
    pair.wait_role(0, "active");
    // One that is active keeps its turn.
    says_hello(8);
    assert_eq!(pair.role(0), "active");
}

#[test]
#[ignore = "soak: garbage on the line takes half a minute: make soak ONLY=standby"]
fn garbage_between_the_beats_changes_nothing() {
    let mut town = Town::of(Pair::with(0).mailbox().wired_node().start());
    let mut chance = Chance::new().for_case(0);
    for _ in 0..100 {
        let mut bytes = vec![0; chance.numbers().random_range(1..80)];
        chance.numbers().fill(&mut bytes[..]);
        let mailbox = town.pair.mailbox.as_ref().expect("a mailbox");
        [Side::A, Side::B].iter().for_each(|side| mailbox.bytes_from_the_wire(*side, &bytes));
        town.let_pass(Duration::from_millis(60));
    }
    assert!(town.pair.keeps_roles(["active", "standby"], LONG));
    town.finish(0);
    assert_eq!(town.pair.holder(0).1, 1);
}

#[test]
#[ignore = "soak: a link that comes and goes takes half a minute: make soak ONLY=standby"]
fn a_link_that_comes_and_goes_moves_the_turn_once_at_most() {
    let mut town = Town::of(with_a_line(1).start());
    for _ in 0..10 {
        town.pair.line.cut();
        town.let_pass(Duration::from_millis(500));
        town.pair.line.mend();
        town.let_pass(Duration::from_millis(600));
    }
    assert!(town.pair.keeps_roles(["active", "standby"], LONG));
    assert_eq!(town.pair.holder(0).1, 1);
    // Longer than the silence each time: the first is a takeover, as nobody can tell it from a death. Then both know.
    for _ in 0..CUTS {
        town.pair.line.cut();
        town.let_pass(Duration::from_millis(1500));
        town.pair.line.mend();
        town.let_pass(Duration::from_millis(1500));
    }
    town.pair.wait_roles(["standby", "active"]);
    town.finish(0);
    assert_eq!(town.pair.holder(0).1, 2, "the turn went to and fro");
}

#[test]
#[ignore = "soak: two gateways of one id, and of two sites: make soak ONLY=standby"]
fn one_id_twice_and_two_sites_are_named() {
    for (key, value, words) in [("id", "one", "id"), ("site", "elsewhere", "site")] {
        let mut pair = Pair::with(0)
            .line()
            .prepare_with(|index, settings| if index == 1 { settings.set("gateway", key, value) } else { settings });
        pair.gateways.iter_mut().for_each(|gateway| gateway.start());
        let warned = |index: usize| pair.standby(index)["warnings"].to_string();
        wait_for("both to warn", DEADLINE, || (0..2).all(|index| warned(index).contains(words)));
        println!("{}", warned(0));
    }
}

//! Links are cut.

use std::time::Duration;

use crate::town::{Town, with_a_line};

/// Longer than any silence and any lease.
const LONG: Duration = Duration::from_secs(4);

#[test]
fn with_all_links_cut_and_both_alive_the_database_leaves_one_active_and_nothing_is_doubled() {
    let mut town = Town::of(with_a_line(1).start());
    town.pair.wait_more_of(0, 0, 200);
    town.pair.line.cut();
    town.pair.wait_role(1, "active");
    town.pair.wait_roles(["standby", "active"]);
    let reason = town.pair.standby(0)["reason"].to_string();
    assert!(reason.contains("the database names the other gateway"), "{reason}");
    assert!(town.pair.keeps_roles(["standby", "active"], LONG));
    town.pair.line.mend();
    assert!(town.pair.keeps_roles(["standby", "active"], LONG));
    town.finish(0);
    assert_eq!(town.pair.holder(0).1, 2);
}

#[test]
#[ignore = "soak: a link cut in one direction takes a minute: make soak ONLY=standby"]
fn a_link_that_carries_one_direction_only_leaves_one_active() {
    for end in 0..2 {
        let mut town = Town::of(with_a_line(1).start());
        town.pair.wait_more_of(0, 0, 100);
        town.pair.line.cut_from(end);
        // Who does not hear the active one takes over; an active one that is not heard keeps its turn.
        let roles = if end == 0 { ["standby", "active"] } else { ["active", "standby"] };
        town.pair.wait_roles(roles);
        assert!(town.pair.keeps_roles(roles, LONG), "end {end}");
        town.pair.line.mend();
        assert!(town.pair.keeps_roles(roles, LONG), "end {end}");
        town.finish(0);
    }
}

#[test]
#[ignore = "soak: one of two links cut takes half a minute: make soak ONLY=standby"]
fn one_of_two_links_is_enough() {
    let mut town = Town::of(with_a_line(1).mailbox().start());
    town.pair.line.cut();
    assert!(town.pair.keeps_roles(["active", "standby"], LONG), "over the mailbox");
    town.pair.line.mend();
    town.let_pass(LONG);
    town.pair.mailbox.as_ref().expect("a mailbox").cut_between();
    assert!(town.pair.keeps_roles(["active", "standby"], LONG), "over the line");
    town.finish(0);
    assert_eq!(town.pair.holder(0).1, 1);
}

#[test]
#[ignore = "soak: all links cut and the database away takes half a minute: make soak ONLY=standby"]
fn with_all_links_cut_and_the_database_away_both_collect_and_nothing_is_lost_or_doubled() {
    let mut town = Town::of(with_a_line(0).start());
    town.pair.wait_more_of(0, 0, 200);
    town.pair.cluster.servers[0].set_read_only(true);
    town.pair.line.cut();
    town.pair.wait_roles(["active", "active"]);
    assert!(town.pair.keeps_roles(["active", "active"], LONG), "nobody can settle it");
    town.pair.cluster.servers[0].set_read_only(false);
    town.pair.wait_one_active();
    town.wait_published(50);
    town.finish(0);
}

#[test]
#[ignore = "soak: a mailbox that does not answer takes half a minute: make soak ONLY=standby"]
fn one_whose_own_link_is_broken_knows_nothing_and_does_not_take_over() {
    let pair = fieldgate_tests::pair::Pair::with(1).mailbox().wired_node().start();
    let mut town = Town::of(pair);
    town.pair.mailbox.as_ref().expect("a mailbox").cut(fieldgate_tests::mailbox::Side::B);
    town.pair.wait_roles(["active", "isolated"]);
    // Longer than the database may say nothing of an active one that has gone.
    assert!(town.pair.keeps_roles(["active", "isolated"], Duration::from_secs(40)));
    town.pair.mailbox.as_ref().expect("a mailbox").restore(fieldgate_tests::mailbox::Side::B);
    town.pair.wait_roles(["active", "standby"]);
    town.finish(0);
}

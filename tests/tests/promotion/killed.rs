//! The source is killed or freezes, or everything loses its power, and nobody helps.

use crate::rig::{is_open, others, site, wait_closed, wait_follows, wait_promoted};
use fieldgate_tests::mariadb::{Family, WRITABLE};
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use std::time::Instant;

#[test]
fn a_killed_source_is_replaced_and_closed_when_it_comes_back_open() {
    killed(Family::MariaDb);
}

#[test]
fn a_killed_source_of_mysql_is_replaced_and_closed_when_it_comes_back_open() {
    if is_at_hand("a killed source of MySQL that is replaced") {
        killed(Family::MySql);
    }
}

fn killed(family: Family) {
    let mut site = site(family);
    let since = Instant::now();
    site.server(0).kill9();
    let (promoted, after) = wait_promoted(&site, 0, since);
    println!("{family:?}: killed source to a writable promoted one in {:.2} s, grace 1 s", after.as_secs_f64());
    site.wait_said(" ms after the gates opened");
    let log = site.scene.gateway.log();
    log.lines().filter(|line| line.contains("promot")).for_each(|line| println!("  {line}"));
    site.wait_more(promoted, 200);
    wait_follows(&site, others(&site, &[0, promoted])[0], promoted);
    assert_eq!((site.term(promoted).0.as_str(), site.events(promoted, "failover")), ("2", 1));

    let open = if family == Family::MariaDb { WRITABLE } else { &["--read-only=0", "--super-read-only=0"] };
    site.server(0).restart(open);
    wait_closed(&site, 0);
    site.finish(promoted);
    assert_eq!(site.scene.gateway.log().matches("was closed for writes: ").count(), 1, "it is said once");
    let other = others(&site, &[0, promoted])[0];
    let servers = &site.scene.cluster.servers;
    servers[other].wait_for_gtid(&servers[promoted].gtid_position());
    site.assert_once(other);
}

#[test]
fn a_frozen_source_is_replaced_and_closed_when_it_thaws() {
    frozen(Family::MariaDb);
}

#[test]
fn a_frozen_source_of_mysql_is_replaced_and_closed_when_it_thaws() {
    if is_at_hand("a frozen source of MySQL that is replaced") {
        frozen(Family::MySql);
    }
}

fn frozen(family: Family) {
    let mut site = site(family);
    let since = Instant::now();
    site.server(0).freeze();
    let (promoted, after) = wait_promoted(&site, 0, since);
    println!("{family:?}: frozen source to a writable promoted one in {:.2} s, grace 1 s", after.as_secs_f64());
    site.wait_more(promoted, 100);
    site.server(0).thaw();
    wait_closed(&site, 0);
    site.finish(promoted);
    assert_eq!(site.term(promoted).0, "2");
}

#[test]
fn after_a_power_cut_of_all_the_source_is_opened_again() {
    let mut site = site(Family::MariaDb);
    for server in 0..3 {
        site.server(server).kill9();
    }
    site.wait_published(5);
    for server in 0..3 {
        // Read-only, as its own configuration says.
        site.server(server).restart(&[]);
    }
    site.wait_more(0, 200);
    site.wait_said(" is to be opened again");
    assert!(is_open(&site, 0) && !is_open(&site, 1) && !is_open(&site, 2));
    site.finish(0);
    site.assert_replicas_once(0);
}

#[test]
fn a_clock_that_is_behind_after_the_power_cut_does_not_keep_the_source_closed() {
    let mut site = site(Family::MariaDb);
    site.scene.gateway.kill9();
    // As if the gateway's clock had gone back an hour.
    site.server(0).execute("UPDATE field.streams SET updated_at = updated_at + INTERVAL 1 HOUR");
    let written = site.server(0).gtid_position();
    [1, 2].into_iter().for_each(|replica| site.server(replica).wait_for_gtid(&written));
    (0..3).for_each(|server| site.server(server).kill9());
    (0..3).for_each(|server| site.server(server).restart(&[]));
    site.scene.gateway.start();
    wait_for("the source to be open", DEADLINE, || is_open(&site, 0));
    site.wait_more(0, 50);
    site.finish(0);
}

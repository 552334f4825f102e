//! `db switchover`, `db failover` and `db rejoin`.

use crate::rig::{is_open, others, said, site, site_with, wait_follows};
use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, number};
use fieldgate_tests::site::Site;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn switch_to(site: &Site, server: usize) -> Output {
    let address = site.scene.cluster.servers[server].address().to_string();
    site.scene.gateway.command(&["db", "switchover", "--to", &address])
}

#[test]
fn a_switchover_under_load_there_and_back() {
    there_and_back(Family::MariaDb);
}

#[test]
fn a_switchover_of_mysql_under_load_there_and_back() {
    if is_at_hand("a switchover of MySQL under load") {
        there_and_back(Family::MySql);
    }
}

fn there_and_back(family: Family) {
    let mut site = site(family);
    for (from, to) in [(0, 1), (1, 0)] {
        let (output, pause) = longest_pause(&site, || switch_to(&site, to));
        println!("{family:?}: {}longest time without a new row {:.2} s", said(&output), pause.as_secs_f64());
        assert!(output.status.success(), "{}", said(&output));
        assert!(is_open(&site, to) && !is_open(&site, from));
        others(&site, &[to]).into_iter().for_each(|other| wait_follows(&site, other, to));
        site.wait_more(to, 100);
    }
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!((site.events(0, "switchover"), site.events(0, "failover"), site.events(0, "sent again")), (2, 0, 0));
}

/// Does something, and says for how long no row came in meanwhile, wherever; right to the time that a client takes.
fn longest_pause<T>(site: &Site, work: impl FnOnce() -> T) -> (T, Duration) {
    let (servers, is_done) = (&site.scene.cluster.servers, AtomicBool::new(false));
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let (mut changed_at, mut longest, mut before) = (Instant::now(), Duration::ZERO, 0);
            while !is_done.load(Ordering::Relaxed) {
                let sql = "SELECT SUM(last_seq) FROM field.streams";
                let now = [&servers[0], &servers[1]].into_iter().map(|server| number(server, sql)).max().unwrap_or(0);
                if now > before {
                    (changed_at, before) = (Instant::now(), now);
                }
                longest = longest.max(changed_at.elapsed());
            }
            longest
        });
        let result = work();
        // Until the first rows after it.
        site.wait_more(if is_open(site, 0) { 0 } else { 1 }, 20);
        is_done.store(true, Ordering::Relaxed);
        (result, watching.join().expect("the watching thread ends"))
    })
}

#[test]
fn a_switchover_that_cannot_be_is_refused_or_taken_back() {
    let mut site = site(Family::MariaDb);
    site.server(1).stop_replication();
    let stopped = switch_to(&site, 1);
    assert_eq!(stopped.status.code(), Some(1), "{}", said(&stopped));
    assert!(said(&stopped).contains("does not receive and apply"), "{}", said(&stopped));
    site.server(1).start_replication();

    // Somebody holds the table, so nothing is applied.
    let address = site.server(1).address();
    let held = thread::scope(|scope| {
        let server = &site.scene.cluster.servers[1];
        let holder = scope.spawn(|| server.execute("LOCK TABLES field.streams READ; SELECT SLEEP(6); UNLOCK TABLES"));
        wait_for("the lock", DEADLINE, || {
            let sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'";
            server.query(sql).concat() == ["1"]
        });
        let output = site.scene.gateway.command(&["db", "switchover", "--to", &address.to_string()]);
        holder.join().expect("the holder ends");
        output
    });
    assert_eq!(held.status.code(), Some(1), "{}", said(&held));
    assert!(said(&held).contains("takes writes again"), "{}", said(&held));
    assert!(is_open(&site, 0) && !is_open(&site, 1));
    site.wait_more(0, 100);
    site.finish(0);
    site.assert_replicas_once(0);
}

#[test]
fn a_forced_failover_and_a_clean_server_that_rejoins() {
    let mut site = site(Family::MariaDb);
    site.scene.gateway.kill9();
    // Everything has arrived everywhere: nothing is written any more.
    let written = site.server(0).gtid_position();
    [1, 2].into_iter().for_each(|replica| site.server(replica).wait_for_gtid(&written));
    site.server(0).kill9();
    let mut output = site.scene.gateway.command(&["db", "failover"]);
    wait_for("the failover", DEADLINE, || {
        if !output.status.success() {
            output = site.scene.gateway.command(&["db", "failover"]);
        }
        output.status.success()
    });
    println!("{}", said(&output));
    let promoted = others(&site, &[0]).into_iter().find(|server| is_open(&site, *server)).expect("a promoted server");
    site.server(0).restart(&[]);
    let name = site.server(0).address().to_string();
    let rejoined = site.scene.gateway.command(&["db", "rejoin", &name]);
    assert!(rejoined.status.success(), "{}", said(&rejoined));
    site.scene.gateway.start();
    site.wait_more(promoted, 50);
    [0, others(&site, &[0, promoted])[0]].into_iter().for_each(|other| wait_follows(&site, other, promoted));
    site.finish(promoted);
    site.assert_replicas_once(promoted);
}

#[test]
fn with_one_replica_nobody_is_promoted_until_somebody_asks_for_it() {
    let mut site = site_with(Cluster::start(1));
    site.server(0).kill9();
    site.wait_said("no server is promoted: 1 of 2 servers answer");
    site.wait_published(10);
    assert!(!is_open(&site, 1));
    let output = site.scene.gateway.command(&["db", "failover"]);
    assert!(output.status.success(), "{}", said(&output));
    site.wait_more(1, 50);
    site.finish(1);
    assert_eq!(site.term(1).0, "2");
}

#[test]
fn a_server_that_has_what_the_source_lacks_does_not_rejoin() {
    let mut site = site(Family::MariaDb);
    [1, 2].into_iter().for_each(|replica| site.server(replica).stop_io_thread());
    site.wait_more(0, 50);
    site.server(0).kill9();
    let (promoted, _) = crate::rig::wait_promoted(&site, 0, Instant::now());
    site.wait_more(promoted, 20);
    site.server(0).restart(&[]);
    let name = site.server(0).address().to_string();
    let refused = site.scene.gateway.command(&["db", "rejoin", &name]);
    println!("{}", said(&refused));
    assert_eq!(refused.status.code(), Some(1));
    let last = site.server(0).gtid_position();
    let last = last.rsplit('-').next().expect("a number");
    assert!(said(&refused).contains(&format!(" to {last}. It stays as it is")), "{last}: {}", said(&refused));
    assert_eq!(site.server(0).replication_status("Master_Host"), None);
    site.finish(promoted);
}

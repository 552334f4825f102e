//! Two losses at once.

use std::fs;
use std::ops::Range;

use fieldgate_tests::mariadb::RelayLog;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, number};

use crate::site::Site;

#[test]
fn the_source_and_the_gateway_and_later_the_source_and_a_replica_are_lost_together() {
    let mut site = Site::start("card");
    site.wait_more(2, 100);
    (1..=2).for_each(|replica| site.server(replica).stop_sql_thread());
    site.wait_more(0, 200);
    site.server(0).kill9();
    site.scene.gateway.kill9();
    site.server(1).promote(RelayLog::Discard);
    site.scene.gateway.start();
    site.wait_more(1, 300);
    rebuild(&mut site, 2, 1);
    site.wait_more(2, 100);

    // The first source is still away.
    site.server(2).stop_sql_thread();
    site.wait_more(1, 200);
    site.server(1).kill9();
    site.server(2).promote(RelayLog::Discard);
    site.wait_more(2, 300);
    assert_eq!(site.term(2).0, "3");
    for lost in [0, 1] {
        site.server(lost).restart(&[]);
        rebuild(&mut site, lost, 2);
    }
    site.finish(2);
    site.assert_replicas_once(2);
}

fn rebuild(site: &mut Site, replica: usize, source: usize) {
    let servers = &site.scene.cluster.servers;
    servers[replica].rebuild_from(&servers[source]);
}

/// The replica lacks readings that only the queue has, and the queue is damaged.
#[test]
fn of_a_damaged_queue_and_a_failover_what_can_be_read_arrives_and_the_rest_is_a_gap() {
    let mut site = Site::of(Scene::start_with(1, |settings| settings));
    site.wait_more(1, 200);
    site.server(1).stop_sql_thread();
    let applied = site.cursors(1);
    site.wait_more(0, 600);
    site.server(0).kill9();
    site.scene.gateway.kill9();
    let firsts = u64::try_from(applied).expect("a number") + 100;
    damage(&site, firsts..firsts + 200);
    site.server(1).promote(RelayLog::Discard);
    site.scene.gateway.start();
    wait_for("new readings", DEADLINE, || site.cursors(1) > applied + 600);
    let lost = site.finish_with_gaps(1);
    let named = "SELECT COALESCE(SUM(last_seq - seq + 1), 0) FROM field.gaps WHERE last_seq >= seq AND reason LIKE '%no longer in the queue%'";
    let named = number(site.server(1), named);
    println!("lost with the damaged part of the queue: {lost}, named by gaps: {named}");
    assert!(lost > 0 && lost == named, "{lost} lost, {named} named by gaps");
}

/// Puts zeros over every copy of the frames that begin with one of these numbers. They are in the midst: what is missing at
/// the end of a queue only a database or a mark can know.
fn damage(site: &Site, firsts: Range<u64>) {
    let queue = site.scene.gateway.state_folder().join("queue");
    let stores = fs::read_dir(queue).expect("the queue").filter_map(|entry| Some(entry.ok()?.path().join("db")));
    for db in stores.filter(|db| db.is_file()) {
        let mut bytes = fs::read(&db).expect("a store");
        let first = |at: usize| Some(u64::from_be_bytes(bytes.get(at + 34..at + 42)?.try_into().ok()?));
        let begins =
            |at: &usize| bytes[*at..].starts_with(b"FGQ1") && first(*at).is_some_and(|seq| firsts.contains(&seq));
        let frames: Vec<usize> = (0..bytes.len()).filter(begins).collect();
        frames.into_iter().for_each(|at| bytes[at..at + 50].fill(0));
        fs::write(&db, bytes).expect("a store");
    }
}

//! A Galera cluster under load: three members, every one of which takes writes, and a gateway that writes to one.

use std::time::{Duration, Instant};

use fieldgate_tests::galera;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::Scene;
use fieldgate_tests::site::Site;
use serde_json::Value;

/// Readings that must arrive after a step.
const AFTER: usize = 200;
/// Transactions that must lose, of each kind, before conflicts are taken for survived; on a busy machine that takes a while.
const CONFLICTS: usize = 3;
const CONFLICTS_WITHIN: Duration = Duration::from_secs(90);

#[test]
#[ignore = "three members of a Galera cluster, whose packages are fetched: make soak ONLY=galera"]
fn members_die_and_come_back_and_every_member_has_every_reading_once() {
    let mut site = start();
    let [second, third] = [1, 2].map(|member| site.server(member).address().to_string());
    site.wait_more(0, AFTER);

    step("the member that is written to is killed", || site.server(0).kill9());
    site.wait_said(&format!("{second} takes writes: it is one of 2 members of a cluster that are in step"));
    site.wait_more(1, AFTER);
    assert_failover(&site, 1, &second, 2);

    let from_second = galera::donor(2);
    step("it comes back with the data of the member that is written to", || site.server(0).restart(&[&from_second]));
    site.wait_said(&format!("{third} takes writes: "));
    site.wait_more(2, AFTER);
    assert_failover(&site, 2, &third, 3);

    step("another member is killed", || site.server(1).kill9());
    site.wait_more(2, AFTER);
    let from_first = galera::donor(1);
    step("it comes back with the data of the third", || site.server(1).restart(&[&from_first]));
    step("another member is stopped", || site.server(0).stop());
    site.wait_more(2, AFTER);
    step("it comes back with what it missed", || site.server(0).restart(&[]));
    site.wait_more(2, AFTER);
    assert_eq!(site.term(2).0, "3", "the gateway left a member that was in step");
    finish(&mut site, 2);
}

#[test]
#[ignore = "conflicts between members of a Galera cluster, whose packages are fetched: make soak ONLY=galera"]
fn a_transaction_that_loses_against_another_member_is_written_once() {
    let mut site = start();
    let servers = &site.scene.cluster.servers;
    // Not what the gateway asks for, but in its row.
    let touch = "UPDATE field.streams SET updated_at = updated_at + INTERVAL 1 MICROSECOND;";
    let many = touch.repeat(20);
    wait_for("transactions that lose while they run", CONFLICTS_WITHIN, || {
        // It may lose as well.
        let _ = servers[1].try_query(&many);
        servers[0].lost_conflicts()[0] >= CONFLICTS
    });
    // While the other member applies the many rows, the gateway finds its own row there as it was, until COMMIT.
    servers[1].execute("CREATE TABLE field.ballast (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT)");
    let slow = "INSERT INTO field.ballast (n) SELECT seq FROM field.seq_1_to_20000";
    wait_for("transactions that lose at COMMIT", CONFLICTS_WITHIN, || {
        let _ = servers[1].try_query(&format!("START TRANSACTION; {slow}; {touch} COMMIT"));
        servers[0].lost_conflicts()[1] >= CONFLICTS
    });
    println!("transactions that lost [while they ran, at COMMIT]: {:?}", servers[0].lost_conflicts());
    site.wait_said("(error 1213)");
    site.wait_more(0, AFTER);
    assert_eq!(site.term(0).0, "1", "a conflict is no failover");
    finish(&mut site, 0);
    assert_hole_is_found(&site, 1);
}

fn start() -> Site {
    let cluster = galera::start(3);
    println!("three members in {:.1} s", cluster.started_in.as_secs_f64());
    let mut site = Site::of(Scene::start_at(cluster, |settings| settings));
    site.wait_said("takes writes: it is one of 3 members of a cluster that are in step");
    site
}

fn step(what: &str, does: impl FnOnce()) {
    let start = Instant::now();
    does();
    println!("{what}: {:.1} s", start.elapsed().as_secs_f64());
}

/// The database and its log of events name the member that is written to now.
fn assert_failover(site: &Site, member: usize, name: &str, term: u32) {
    let sql = "SELECT text FROM field.events WHERE kind = 'failover' ORDER BY at DESC LIMIT 1";
    let text = site.scene.cluster.servers[member].query(sql).concat().concat();
    assert_eq!(text, format!("{name} is the source in term {term}"));
}

/// Every member has every reading once, and the auditor has looked at all of them.
fn finish(site: &mut Site, source: usize) {
    site.finish(source);
    for member in 0..3 {
        site.server(member).wait_in_step();
        site.assert_once(member);
    }
    let report = site.reconciled();
    let servers = report["servers"].as_array().expect("the servers of a report");
    assert_eq!(servers.len(), 3, "{report:#}");
    for line in servers {
        let role = if text(&line["server"]) == site.server(source).address().to_string() { "source" } else { "member" };
        assert_eq!(text(&line["role"]), role, "{report:#}");
        assert!(text(&line["text"]).starts_with(&format!("{} readings", report["readings"])), "{report:#}");
    }
    println!("{} readings, once on every member", report["readings"]);
}

/// A row that only this member loses is found there.
fn assert_hole_is_found(site: &Site, member: usize) {
    let server = &site.scene.cluster.servers[member];
    server.execute("SET SESSION wsrep_on = OFF; DELETE FROM field.readings LIMIT 1");
    let report: Value = serde_json::from_slice(&site.scene.reconcile().stdout).expect("reconcile's JSON");
    let place = text(&report["findings"][0]["place"]);
    assert_eq!((report["lost"].as_u64(), place), (Some(1), server.address().to_string()), "{report:#}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

//! When nobody is promoted, and what people read.

use crate::rig::{GRACE, is_open, site, wait_promoted};
use fieldgate_tests::forwarder::Forwarder;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use std::time::Instant;

#[test]
fn without_a_majority_nobody_is_promoted_until_there_is_one() {
    let mut site = site(Family::MariaDb);
    site.server(2).kill9();
    site.server(0).kill9();
    site.wait_said("no server is promoted: 1 of 3 servers answer");
    site.wait_published(20);
    assert!(!is_open(&site, 1));
    site.server(2).restart(&[]);
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.wait_more(promoted, 50);
    site.finish(promoted);
}

#[test]
fn while_a_replica_still_receives_only_our_way_to_the_source_is_broken() {
    let cluster = Cluster::start(2);
    let way = Forwarder::to(cluster.servers[0].address());
    let mut servers = cluster.addresses();
    servers[0] = way.address().to_string();
    let broker = Broker::start(Limits::Large);
    let gateway = Gateway::named("g1").servers(servers).broker(broker.address()).promote(GRACE).build();
    let mut scene = Scene { gateway, broker, cluster };
    scene.gateway.apply_schema();
    scene.start_gateway();
    let mut site = Site::of(scene);
    site.wait_more(1, 50);
    way.move_to("127.0.0.1:9".parse().expect("an address where nobody listens"));
    site.wait_said("no server is promoted: the way from here may be what is broken: ");
    site.wait_published(20);
    assert!(!is_open(&site, 1) && !is_open(&site, 2));
    way.move_to(site.server(0).address());
    site.wait_more(0, 50);
    site.finish(0);
    assert_eq!(site.term(0).0, "1");
}

#[test]
fn a_source_that_somebody_has_closed_is_left_alone() {
    let mut site = site(Family::MariaDb);
    site.server(0).set_read_only(true);
    site.wait_said("answers and refuses writes: somebody closed it while it ran");
    site.wait_published(20);
    assert!(!is_open(&site, 0) && !is_open(&site, 1) && !is_open(&site, 2));
    site.server(0).set_read_only(false);
    site.wait_more(0, 50);
    site.finish(0);
}

#[test]
fn replication_by_file_and_position_is_refused_with_the_reason() {
    let mut site = site(Family::MariaDb);
    for replica in [1, 2] {
        site.server(replica).execute("STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID = no; START SLAVE");
    }
    site.wait_more(1, 50);
    site.server(0).kill9();
    site.wait_said("replication by file and position, from which nobody can tell who has what, at ");
    site.wait_published(20);
    assert!(!is_open(&site, 1) && !is_open(&site, 2));
    // It follows all the same.
    site.promote(1);
    site.wait_more(1, 50);
    site.finish(1);
}

#[test]
fn a_dry_run_shows_every_gate_and_step_and_does_nothing() {
    let mut site = site(Family::MariaDb);
    let well = site.scene.gateway.command(&["db", "failover", "--dry-run"]);
    let words = String::from_utf8_lossy(&well.stdout).into_owned();
    println!("{words}");
    assert_eq!(well.status.code(), Some(1), "{}", String::from_utf8_lossy(&well.stderr));
    assert!(words.contains("nobody takes writes: shut: ") && words.contains("open for writes"), "{words}");
    site.scene.gateway.kill9();
    site.server(0).kill9();
    let json = || {
        let output = site.scene.gateway.command(&["db", "failover", "--dry-run", "--json"]);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    wait_for("a failover that would be done", DEADLINE, || json()["by_command"] == true);
    let shown = json();
    assert_eq!(
        (shown["by_itself"].as_bool(), shown["gates"].as_array().map(Vec::len)),
        (Some(true), Some(8)),
        "{shown:#}"
    );
    assert!(!is_open(&site, 1) && !is_open(&site, 2));
    site.scene.gateway.start();
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.finish(promoted);
}

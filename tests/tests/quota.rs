//! A node that sends more than its quota.

use std::time::Duration;

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};
use serde_json::Value;

const PUBLISHED: usize = 3000;
const REASON: &str = "more readings than the quota of 10 a second";

fn scene() -> Scene {
    Scene::start_with(1, |settings| settings.set("quota", "readings_per_second", 10))
}

fn flood(scene: &Scene) {
    scene.publish_lines("plants/wild", (0..PUBLISHED).map(|seq| format!("{{\"seq\": {seq}, \"t\": 20.5}}")));
}

/// Readings and dropped readings of the wild node on the source.
fn accounted(scene: &Scene) -> (usize, usize) {
    let source = &scene.cluster.servers[0];
    let taken = count(source, "readings r JOIN field.channels c USING (channel_id) WHERE c.node = 'wild'");
    let sum = "SELECT COALESCE(SUM(`count`), 0) FROM field.gaps WHERE node = 'wild' AND reason =";
    (taken, number(source, &format!("{sum} '{REASON}'")))
}

#[test]
fn what_is_beyond_the_quota_of_a_node_is_dropped_and_named_by_gaps_and_another_node_loses_nothing() {
    let scene = scene();
    flood(&scene);
    scene.publish_lines("plants/tame", (0..50).map(|seq| format!("{{\"seq\": {seq}, \"t\": 20.5}}")));
    let mut found = (0, 0);
    wait_for("every reading of the wild node as a row or in a gap", DEADLINE, || {
        found = accounted(&scene);
        found.0 + found.1 == PUBLISHED
    });
    assert!((100..400).contains(&found.0), "{found:?}: ten seconds' worth at once, and then ten a second");
    let tame = "readings r JOIN field.channels c USING (channel_id) WHERE c.node = 'tame'";
    assert_eq!(count(&scene.cluster.servers[0], tame), 50);
    scene.wait_drained();
    let status: Value = serde_json::from_slice(&scene.gateway.command(&["status", "--json"]).stdout).expect("status");
    assert_eq!(status["queue"]["over_quota"], found.1);
    let log = scene.gateway.log();
    // Once each, unless a busy machine makes the flood come in several parts.
    let over = log.matches("the node sends more readings than its quota").count();
    assert!((1..10).contains(&over), "{log}");
    assert_eq!(log.matches("the node is within its quota again").count(), over);
    assert_eq!(count(&scene.cluster.servers[0], "gaps WHERE from_time > to_time OR channel IS NOT NULL"), 0);
}

#[test]
fn a_gateway_that_stops_in_the_middle_of_a_flood_tells_what_it_dropped_and_the_broker_does_not_send_it_again() {
    let mut scene = scene();
    flood(&scene);
    scene.gateway.wait_log("the node sends more readings than its quota", DEADLINE);
    scene.gateway.restart(Duration::from_secs(20));
    scene.gateway.wait_log("connected to the source", DEADLINE);
    let mut found = (0, 0);
    wait_for("every reading of the wild node as a row or in a gap", DEADLINE, || {
        found = accounted(&scene);
        assert!(found.0 + found.1 <= PUBLISHED, "{found:?}: a dropped message came again");
        found.0 + found.1 == PUBLISHED
    });
    scene.wait_drained();
}

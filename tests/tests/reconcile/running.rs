//! Where nothing is wrong nothing is found: under load, without a gateway, and with servers away.

use std::fs;

use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count};

use crate::fault::{READINGS, drained};

#[test]
fn while_readings_come_in_nothing_is_found() {
    let scene = Scene::start();
    let mut node = Node::named("busy").rate(300.0).start(scene.broker.address());
    for run in 1..=5 {
        node.wait_acknowledged(run * 100, DEADLINE);
        let report = scene.assert_reconciled();
        assert!(report["compared"].as_u64().unwrap() > 0, "{report:#}");
    }
    node.terminate();
}

#[test]
fn without_a_running_gateway_the_queue_is_looked_into_and_left_as_it_was() {
    let mut scene = drained();
    scene.cluster.source().set_read_only(true);
    scene.gateway.wait_log("no server takes writes", DEADLINE);
    scene.publish_lines("plants/late", ["{\"seq\": 1, \"t\": 5}", "{\"seq\": 2, \"t\": 6}"]);
    scene.wait_queued(READINGS as u64 + 2);
    assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    scene.cluster.source().set_read_only(false);
    let marks = scene.gateway.state_folder().join("queue/marks.json");
    let before = fs::read(&marks).unwrap();
    for _ in 0..3 {
        let report = scene.assert_reconciled();
        assert_eq!((&report["compared"], &report["waiting"]), (&READINGS.into(), &2.into()), "{report:#}");
    }
    assert_eq!(fs::read(&marks).unwrap(), before, "no stream was begun and none was forgotten");
    scene.start_gateway();
    scene.wait_rows(0, READINGS + 2);
    assert_eq!(count(scene.cluster.source(), "streams"), 2, "one of each start of the gateway");
    scene.assert_reconciled();
}

#[test]
fn a_server_that_is_away_is_said_not_to_be_compared_and_without_any_there_is_no_answer() {
    let mut scene = drained();
    scene.cluster.servers[2].kill9();
    let report = scene.assert_reconciled();
    let roles: Vec<(String, String)> = report["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["server"].as_str().unwrap().to_owned(), line["role"].as_str().unwrap().to_owned()))
        .collect();
    let expected = scene.cluster.addresses().into_iter().zip(["source", "replica", "not compared"].map(String::from));
    assert_eq!(roles, expected.collect::<Vec<_>>());
    let text = scene.gateway.command(&["db", "reconcile"]).stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    let away = scene.cluster.servers[2].address().to_string();
    assert!(text.lines().any(|line| line.starts_with("not compared") && line.contains(&away)), "{text}");

    scene.cluster.servers[1].kill9();
    scene.cluster.servers[0].kill9();
    let answer = scene.reconcile();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(answer.status.code(), Some(69), "{complaint}");
    for address in scene.cluster.addresses() {
        assert!(complaint.contains(&format!("{address} cannot be asked")), "{complaint}");
    }
    wait_for("the gateway to go on without a server", DEADLINE, || scene.gateway.is_running());
}

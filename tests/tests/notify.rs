//! Who is told of outages and failovers.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fieldgate_tests::artifacts::installed_program;
use fieldgate_tests::mariadb::RelayLog;
use fieldgate_tests::process::{Process, wait_for};
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

const TOPIC: &str = "fieldgate/lab/events";

/// A program that writes the kind of each event into a file beside it.
fn tell(folder: &Path) -> String {
    let path = folder.join("tell");
    let told = folder.join("told");
    fs::write(&path, format!("#!/bin/sh\necho \"$1|$FIELDGATE_EVENT|$2\" >> {}\n", told.display())).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// What arrives at the topic, a line a message.
fn subscribe(scene: &mut Scene, log: &Path) -> Process {
    let mut command = Command::new(installed_program("mosquitto_sub", "mosquitto-clients"));
    let host = scene.broker.address().ip().to_string();
    command.args(["-V", "mqttv5", "-q", "1", "-i", "listener", "-h", &host, "-t", TOPIC]);
    let process = Process::spawn("mosquitto_sub", &command, log);
    scene.broker.wait_subscribed("listener", TOPIC, DEADLINE);
    process
}

#[test]
fn an_outage_its_end_and_the_failover_are_told_to_a_command_and_to_a_topic() {
    let folder = tempfile::tempdir().unwrap();
    let (told, heard) = (folder.path().join("told"), folder.path().join("heard"));
    let mut scene = Scene::start_with(2, |settings| {
        settings.set("notify", "command", tell(folder.path())).set("notify", "topic", "fieldgate/{site}/events")
    });
    let _listener = subscribe(&mut scene, &heard);
    scene.publish("plants/shed", "{\"seq\": 1, \"t\": 20.5}");
    scene.wait_drained();
    scene.cluster.servers[0].kill9();
    scene.publish("plants/shed", "{\"seq\": 2, \"t\": 20.5}");
    wait_for("the outage", DEADLINE, || lines(&told).len() == 1);
    scene.cluster.servers[1].promote(RelayLog::Apply);
    scene.wait_rows(1, 2);
    wait_for("the end and the failover", DEADLINE, || lines(&told).len() == 3);
    wait_for("three messages", DEADLINE, || lines(&heard).len() == 3);

    let promoted = scene.cluster.servers[1].address().to_string();
    let expected = [
        ("outage", "no server takes writes", "readings stay in the queue"),
        ("outage-end", promoted.as_str(), "s without a source"),
        ("failover", promoted.as_str(), "is the source in term 2"),
    ];
    for ((line, message), (kind, begin, end)) in lines(&told).iter().zip(lines(&heard)).zip(expected) {
        let text = line.strip_prefix(&format!("{kind}|{kind}|")).unwrap_or_else(|| panic!("{kind} in {line}"));
        assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
        let message: Value = serde_json::from_str(&message).unwrap();
        assert_eq!((&message["kind"], &message["text"]), (&kind.into(), &text.into()));
        assert_eq!((&message["gateway"], &message["site"]), (&"g1".into(), &"lab".into()));
        assert!(message["at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{message}");
    }
}

#[test]
fn a_promotion_by_the_gateway_is_told_as_the_failover_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let mut scene =
        Scene::start_with(2, |settings| settings.promote("1 s").set("notify", "command", tell(folder.path())));
    scene.publish("plants/shed", "{\"seq\": 1, \"t\": 20.5}");
    scene.wait_drained();
    scene.cluster.servers[0].kill9();
    wait_for("the failover", DEADLINE, || !lines(&told).is_empty());
    let failover = &lines(&told)[0];
    assert!(failover.starts_with("failover|failover|") && failover.ends_with(" is the source in term 2"), "{failover}");
}

#[test]
fn a_command_that_cannot_be_run_is_one_line_and_the_readings_go_on() {
    let mut scene = Scene::start_with(1, |settings| settings.set("notify", "command", "/nowhere/tell"));
    scene.publish("plants/shed", "{\"seq\": 1, \"t\": 20.5}");
    scene.wait_drained();
    scene.cluster.servers[0].kill9();
    scene.cluster.servers[1].promote(RelayLog::Apply);
    scene.gateway.wait_log("did not tell of the event failover: it cannot be run", DEADLINE);
    scene.publish("plants/shed", "{\"seq\": 2, \"t\": 20.5}");
    scene.wait_rows(1, 2);
    assert_eq!(scene.gateway.log().matches("did not tell of the event").count(), 1);
}

//! docs/spare.md, step by step: another machine takes a dead gateway's place, with its card, without it, and beside it.

use std::fs;
use std::path::Path;

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};
use serde_json::Value;

/// Rows a second in the test of two machines: slow enough that both deliver the same stream for a while.
const SLOWLY: u32 = 150;

/// Each of two clients of one id waits longer and longer; without that it would be several hundred in the test's time.
const MOST_CONNECTIONS: usize = 60;

/// The same configuration on another machine, with an empty card; not started.
fn another_machine(scene: &Scene) -> Gateway {
    let settings = Gateway::named("g1").servers(scene.cluster.addresses()).broker(scene.broker.address());
    settings.set("mysql", "probe_period", "200 ms").set("drain", "rows_per_second", SLOWLY).build()
}

/// A gateway killed with so many readings on its card that no database has; the server stays closed for writes.
fn killed_with(readings: u64) -> Scene {
    let mut scene = Scene::start_with(0, |settings| settings.set("drain", "rows_per_second", SLOWLY));
    publish(&scene, 0..20);
    scene.wait_rows(0, 20);
    scene.cluster.source().set_read_only(true);
    scene.gateway.wait_log("no server takes writes", DEADLINE);
    publish(&scene, 20..20 + readings);
    scene.wait_queued(20 + readings);
    scene.gateway.kill9();
    scene
}

fn publish(scene: &Scene, numbers: std::ops::Range<u64>) {
    scene.publish_lines("plants/shed", numbers.map(|seq| format!("{{\"seq\": {seq}, \"t\": {seq}.5}}")));
}

/// What a card reader does.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The auditor's answer, which must be that nothing is lost, doubled or changed.
fn reconciled(gateway: &Gateway) -> Value {
    let answer = gateway.command(&["db", "reconcile", "--json"]);
    let text = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(answer.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&answer.stderr));
    serde_json::from_slice(&answer.stdout).unwrap()
}

/// Rows of `readings`, and how many different readings they are.
fn rows(scene: &Scene) -> (usize, usize) {
    let source = scene.cluster.source();
    (count(source, "readings"), number(source, "SELECT COUNT(DISTINCT node_seq) FROM field.readings"))
}

fn events(scene: &Scene, kind: &str) -> usize {
    count(scene.cluster.source(), &format!("events WHERE kind = '{kind}'"))
}

#[test]
fn a_card_that_moves_into_a_new_machine_goes_on_with_everything_that_was_on_it() {
    let scene = killed_with(50);
    // What is published while nobody runs waits at the broker, for whoever comes with the same id.
    publish(&scene, 70..80);
    let mut new = another_machine(&scene);
    fs::rename(scene.gateway.state_folder(), new.state_folder()).unwrap();
    scene.cluster.source().set_read_only(false);
    new.start();
    scene.wait_rows(0, 80);
    new.wait_log("connected to the broker", DEADLINE);
    publish(&scene, 80..90);
    scene.wait_rows(0, 90);
    assert_eq!((rows(&scene), count(scene.cluster.source(), "streams")), ((90, 90), 2));
    let report = reconciled(&new);
    assert_eq!((&report["waiting"], &report["readings"]), (&Value::from(0), &Value::from(90)));
    assert_eq!((events(&scene, "other queue"), events(&scene, "same id")), (0, 0), "{}", new.log());
    assert_eq!(new.terminate(DEADLINE), 0);
}

#[test]
fn an_old_image_of_a_card_delivers_nothing_twice_and_says_that_a_newer_queue_is_elsewhere() {
    let mut scene = killed_with(50);
    let mut old = another_machine(&scene);
    copy(&scene.gateway.state_folder(), &old.state_folder());
    scene.cluster.source().set_read_only(false);
    scene.start_gateway();
    scene.wait_rows(0, 70);
    publish(&scene, 70..80);
    scene.wait_rows(0, 80);
    scene.gateway.kill9();

    old.start();
    old.wait_log("has another queue than before", DEADLINE);
    old.wait_log("connected to the broker", DEADLINE);
    publish(&scene, 80..90);
    scene.wait_rows(0, 90);
    assert_eq!(rows(&scene), (90, 90));
    assert_eq!(reconciled(&old)["waiting"], 0);
    assert_eq!(old.terminate(DEADLINE), 0);
}

#[test]
fn a_new_card_under_the_old_id_says_what_it_lacks_and_takes_the_old_card_in_later() {
    let scene = killed_with(50);
    scene.cluster.source().set_read_only(false);
    let mut new = another_machine(&scene);
    new.start();
    new.wait_log("has another queue than before", DEADLINE);
    wait_for("the event", DEADLINE, || events(&scene, "other queue") == 1);
    new.wait_log("connected to the broker", DEADLINE);
    publish(&scene, 70..80);
    scene.wait_rows(0, 30);
    // Nobody but the old card knows of its 50: no number below a cursor is missing.
    assert_eq!(reconciled(&new)["readings"], 30);

    let card = scene.gateway.state_folder();
    let imported = new.command(&["queue", "import", "--from", card.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&imported.stdout);
    assert!(said.contains("70 are new"), "{said}{}", String::from_utf8_lossy(&imported.stderr));
    scene.wait_rows(0, 80);
    assert_eq!(rows(&scene), (80, 80));
    assert_eq!(reconciled(&new)["waiting"], 0);
    // At its next start the queue knows all its streams.
    new.restart(DEADLINE);
    new.wait_log("connected to the source", DEADLINE);
    publish(&scene, 80..81);
    scene.wait_rows(0, 81);
    assert_eq!((events(&scene, "other queue"), events(&scene, "same id")), (1, 0), "{}", new.log());
    assert_eq!(new.terminate(DEADLINE), 0);
}

#[test]
fn two_machines_with_one_card_deliver_its_readings_once_and_both_say_so() {
    let mut scene = killed_with(600);
    let mut copied = another_machine(&scene);
    copy(&scene.gateway.state_folder(), &copied.state_folder());
    scene.gateway.start();
    copied.start();
    scene.gateway.wait_log("no server takes writes", DEADLINE);
    copied.wait_log("no server takes writes", DEADLINE);
    scene.cluster.source().set_read_only(false);
    scene.wait_rows(0, 620);
    let logs = [scene.gateway.log(), copied.log()].concat();
    let refused = logs.matches("any more; reading it again").count();
    println!("of two machines one came too late {refused} times");
    assert!(refused > 0, "both must have tried the same batch:\n{logs}");
    assert_eq!(rows(&scene), (620, 620));

    wait_for("both to tell of the other", DEADLINE * 2, || events(&scene, "same id") == 2);
    for gateway in [&scene.gateway, &copied] {
        let shown = String::from_utf8(gateway.command(&["status"]).stdout).unwrap();
        assert!(shown.contains("WARNING: two machines run as g1"), "{shown}");
        assert_eq!(reconciled(gateway)["waiting"], 0);
    }
    let connections = [scene.gateway.log(), copied.log()].concat().matches("connected to the broker").count();
    println!("they threw each other out of the broker {connections} times");
    assert!(connections < MOST_CONNECTIONS, "{connections}: both connect without end");

    // One client id at the broker: what one machine has and could not acknowledge, the other one gets too.
    publish(&scene, 620..1220);
    wait_for("every reading", DEADLINE * 2, || rows(&scene).1 == 1220);
    assert_eq!(copied.terminate(DEADLINE), 0);
    let (all, different) = rows(&scene);
    println!("of 600 readings published while both ran, {} came twice", all - different);
    let answer = scene.reconcile();
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!((&report["lost"], &report["doubled"]), (&Value::from(0), &Value::from(all - different)), "{report:#}");
}

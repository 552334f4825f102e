//! Readings that the database refuses: found one by one, kept as dead letters, and readings again once it takes them.

use std::time::Instant;

use fieldgate_tests::audit::Audit;
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};
use serde_json::Value;

/// Refuses values above 1000.
const TRIGGER: &str = "DELIMITER //\nCREATE TRIGGER field.sane BEFORE INSERT ON field.readings FOR EACH ROW \
                       IF NEW.value > 1000 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not believed'; END IF//";

/// The answer of `fieldgate db deadletters`, which must end with this exit code.
fn letters(scene: &Scene, arguments: &[&str], exit: i32) -> String {
    let answer = scene.gateway.command(&[&["db", "deadletters"], arguments].concat());
    let said = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(answer.status.code(), Some(exit), "{arguments:?}: {}{said}", String::from_utf8_lossy(&answer.stdout));
    String::from_utf8(answer.stdout).unwrap()
}

fn listed(scene: &Scene, more: &[&str]) -> Vec<Value> {
    serde_json::from_str(&letters(scene, &[&["list", "--json"], more].concat(), 0)).unwrap()
}

/// Which readings and letters there must be; every number is one of them.
fn assert_counts(scene: &Scene, readings: usize, dead_letters: usize, gaps: usize) {
    wait_for(&format!("{readings} readings and {dead_letters} dead letters"), DEADLINE, || {
        count(scene.cluster.source(), "readings") == readings
            && count(scene.cluster.source(), "dead_letters WHERE state = 'new'") == dead_letters
    });
    let report = scene.wait_drained();
    let found = ["readings", "dead_letters", "gaps"].map(|name| report[name].clone());
    assert_eq!(found, [readings, dead_letters, gaps].map(Value::from), "{report:#}");
}

#[test]
fn one_refused_reading_becomes_a_dead_letter_and_is_retried_exactly_as_it_was() {
    let scene = Scene::start_with(1, |settings| settings);
    scene.cluster.source().execute(TRIGGER);
    let line = |seq| format!("{{\"seq\": {seq}, \"t\": {}}}", if seq == 300 { 1e300 } else { 0.1 });
    scene.publish_lines("plants/shed", (1..=500).map(line));
    assert_counts(&scene, 499, 1, 0);
    let found = listed(&scene, &[]);
    assert_eq!((found.len(), &found[0]["seq"], &found[0]["origin"]), (1, &300.into(), &"shed/t".into()));
    assert!(found[0]["server_words"].as_str().unwrap().contains("not believed (error 1644)"), "{found:?}");
    assert_eq!((&found[0]["state"], &found[0]["can_be_retried"]), (&"new".into(), &true.into()));
    wait_for("the status to tell", DEADLINE, || {
        let status = scene.gateway.ask("Status").unwrap_or_default();
        status["drain"]["dead_letters"]["count"] == 1
    });
    let status = String::from_utf8(scene.gateway.command(&["status"]).stdout).unwrap();
    assert!(status.contains("1 dead letters (newest: 20") && status.contains("shed/t: not believed"), "{status}");

    letters(&scene, &["retry"], 2);
    assert!(letters(&scene, &["retry", "--all"], 1).contains("refused again: not believed"));
    assert_counts(&scene, 499, 1, 0);
    scene.cluster.source().execute("DROP TRIGGER field.sane");
    assert!(letters(&scene, &["retry", "--all"], 0).contains("1 retried, 0 left"));
    assert_counts(&scene, 500, 0, 0);
    assert!(letters(&scene, &["retry", "--all"], 0).contains("0 retried, 0 left"));
    let value = "SELECT COUNT(*) FROM field.readings WHERE seq = 300 AND value = 1e300 AND node_seq = 300";
    assert_eq!(number(scene.cluster.source(), value), 1);
    assert_eq!((listed(&scene, &[]).len(), listed(&scene, &["--all"]).len()), (0, 1));
}

#[test]
fn a_whole_kind_of_readings_refused_keeps_the_others_going_and_can_be_retried_or_dropped() {
    let scene = Scene::start_with(0, |settings| settings);
    let server = scene.cluster.source();
    server.execute("ALTER TABLE field.readings ADD CONSTRAINT no_text CHECK (value_text IS NULL)");
    let start = Instant::now();
    let log = Node::named("shed").rate(0.0).count(200).start(scene.broker.address()).finish(DEADLINE);
    let sent = start.elapsed();
    assert_counts(&scene, 600, 200, 0);
    println!(
        "800 readings of which every fourth is refused: sent in {sent:.1?}, in the database after {:.1?}",
        start.elapsed()
    );
    let found = listed(&scene, &["--limit", "7"]);
    assert_eq!(found.len(), 7);
    assert!(found[0]["server_words"].as_str().unwrap().contains("error 4025"), "{found:?}");
    let told = scene.gateway.log();
    assert_eq!(told.matches("the database refuses rows").count(), 1, "one line for a run of them");

    let (stream, seq) = (found[0]["stream"].as_str().unwrap(), found[0]["seq"].to_string());
    let password = scene.gateway.config_file().with_file_name("admin-password");
    let admin = ["--admin-user", "admin", "--admin-password-file", password.to_str().unwrap()];
    letters(&scene, &[&["drop"], &admin[..]].concat(), 2);
    let one = [&["drop", "--stream", stream, "--seq", &seq], &admin[..]].concat();
    assert!(letters(&scene, &one, 0).contains("1 dead letters dropped"));
    letters(&scene, &one, 1);
    assert_counts(&scene, 600, 199, 1);
    let dropped =
        "SELECT COUNT(*) FROM field.gaps WHERE node = 'shed' AND count = 1 AND reason LIKE '%operator dropped%'";
    assert_eq!(number(server, dropped), 1);
    assert_eq!(count(server, "events WHERE kind = 'dead letters dropped' AND count = 1"), 1);

    server.execute("ALTER TABLE field.readings DROP CONSTRAINT no_text");
    assert!(letters(&scene, &["retry", "--all"], 0).contains("199 retried, 0 left"));
    assert_counts(&scene, 799, 0, 1);
    let audit = Audit::take(server, &[log]);
    assert!(audit.lost.len() == 1 && audit.doubled.is_empty() && audit.wrong.is_empty(), "{audit}");
}

#[test]
fn what_cannot_even_be_a_dead_letter_becomes_a_gap_and_what_nothing_takes_waits() {
    let mut scene = Scene::start_with(0, |settings| settings);
    let refuse = |table: &str| {
        format!(
            "CREATE TRIGGER field.no_{table} BEFORE INSERT ON field.{table} FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no {table} here'"
        )
    };
    scene.cluster.source().execute(TRIGGER);
    scene.cluster.source().execute(&refuse("dead_letters"));
    let publish = |scene: &Scene, from: u32| {
        let line = |seq| format!("{{\"seq\": {seq}, \"t\": {}}}", if seq == from + 3 { 2000 } else { 1 });
        scene.publish_lines("plants/shed", (from..from + 10).map(line));
    };
    publish(&scene, 1);
    assert_counts(&scene, 9, 0, 1);
    let reason = scene.cluster.source().query("SELECT reason FROM field.gaps").concat().concat();
    assert_eq!(reason, "a reading could not be stored: no dead_letters here (error 1644)");

    scene.cluster.source().execute(&refuse("gaps"));
    publish(&scene, 101);
    scene.gateway.wait_log("no gaps here", DEADLINE);
    scene
        .cluster
        .source()
        .execute("DROP TRIGGER field.sane; DROP TRIGGER field.no_gaps; DROP TRIGGER field.no_dead_letters");
    assert_counts(&scene, 19, 0, 1);
    scene.publish("plants/shed", "{ no JSON");
    assert_counts(&scene, 19, 1, 1);
    let shown = letters(&scene, &["list"], 0);
    assert!(shown.contains("plants/shed: ") && shown.contains("it cannot be retried"), "{shown}");
    assert!(letters(&scene, &["retry", "--all"], 1).contains("it is no reading but a payload as it came"));
}

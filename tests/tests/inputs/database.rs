//! A database that is not as it must be: the gateway says so and what to do, collects, and drains once it is mended.

use std::fs;

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, number};

const SCHEMA: &str = "fieldgate db schema --apply";

/// Publishes `count` readings of one node.
fn publish(scene: &Scene, count: usize) {
    scene.publish_lines("plants/shed", (1..=count).map(|seq| format!("{{\"seq\": {seq}, \"t\": 1.5}}")));
}

/// Starts the gateway, which collects `count` readings and must say all these words.
fn start_and_collect(scene: &mut Scene, words: &[&str], count: usize) {
    scene.gateway.start();
    scene.wait_heard();
    publish(scene, count);
    scene.wait_queued(count as u64);
    for words in words {
        scene.gateway.wait_log(words, DEADLINE);
    }
}

/// Everything that was collected arrives, and of the trouble there was one line, not one for each try.
fn assert_drains(scene: &Scene, trouble: &str, count: usize) {
    scene.wait_rows(0, count);
    let report = scene.wait_drained();
    assert_eq!((&report["readings"], &report["gaps"]), (&count.into(), &0.into()), "{report:#}");
    let log = scene.gateway.log();
    assert_eq!(log.matches(trouble).count(), 1, "{log}");
}

#[test]
fn a_wrong_password_is_said_and_draining_begins_when_it_is_right() {
    let mut scene = Scene::prepare(0, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.source().execute("ALTER USER fieldgate@'%' IDENTIFIED BY 'another'");
    start_and_collect(&mut scene, &["Access denied", "check mysql.user and the password"], 30);
    let password = fs::read_to_string(scene.gateway.config_file().with_file_name("password")).unwrap();
    let quoted = password.replace('\'', "''");
    scene.cluster.source().execute(&format!("ALTER USER fieldgate@'%' IDENTIFIED BY '{quoted}'"));
    assert_drains(&scene, "Access denied", 30);
}

#[test]
fn a_missing_account_is_said_and_draining_begins_when_it_is_there() {
    let mut scene = Scene::prepare(0, |settings| settings);
    start_and_collect(&mut scene, &["Access denied", "check mysql.user and the password"], 30);
    scene.gateway.apply_schema();
    assert_drains(&scene, "Access denied", 30);
}

#[test]
fn a_missing_table_is_said_at_start_and_draining_begins_when_it_is_there() {
    let mut scene = Scene::prepare(1, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.source().execute("DROP TABLE field.readings");
    start_and_collect(&mut scene, &["field.readings' doesn't exist", SCHEMA], 30);
    scene.gateway.apply_schema();
    assert_drains(&scene, "field.readings' doesn't exist", 30);
}

#[test]
fn a_table_dropped_while_draining_is_said_and_draining_goes_on_when_it_is_there() {
    let mut scene = Scene::start_with(1, |settings| settings);
    scene.cluster.source().execute("DROP TABLE field.readings");
    publish(&scene, 30);
    scene.gateway.wait_log("field.readings' doesn't exist", DEADLINE);
    scene.gateway.wait_log(SCHEMA, DEADLINE);
    scene.wait_queued(30);
    scene.gateway.apply_schema();
    assert_drains(&scene, "field.readings' doesn't exist", 30);
}

#[test]
fn a_missing_database_is_said_and_draining_begins_when_it_is_there() {
    let mut scene = Scene::prepare(1, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.source().execute("DROP DATABASE field");
    start_and_collect(&mut scene, &["Unknown database 'field'", SCHEMA], 30);
    // The servers are asked several times meanwhile: that the database is missing is an answer, and no outage.
    let connections = || connections(scene.cluster.source());
    let before = connections();
    wait_for("the servers to be asked again", DEADLINE, || connections() >= before + 6);
    scene.gateway.apply_schema();
    assert_drains(&scene, "Unknown database 'field'", 30);
    assert!(!scene.gateway.log().contains("cannot be asked"), "{}", scene.gateway.log());
}

/// How many connections a server has seen.
fn connections(server: &Server) -> usize {
    number(server, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'CONNECTIONS'")
}

#[test]
fn an_account_that_may_not_insert_is_said_and_draining_begins_when_it_may() {
    let mut scene = Scene::prepare(0, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.source().execute("REVOKE INSERT ON field.* FROM fieldgate@'%'");
    start_and_collect(&mut scene, &["INSERT command denied", "`fieldgate db schema` prints the statements"], 30);
    scene.cluster.source().execute("GRANT INSERT ON field.* TO fieldgate@'%'");
    assert_drains(&scene, "INSERT command denied", 30);
}

#[test]
fn an_account_that_may_not_look_at_replication_is_said_and_draining_begins_when_it_may() {
    let mut scene = Scene::prepare(0, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.source().execute("REVOKE SLAVE MONITOR, BINLOG MONITOR ON *.* FROM fieldgate@'%'");
    start_and_collect(&mut scene, &["SLAVE MONITOR", "`fieldgate db schema` prints the statements"], 30);
    scene.cluster.source().execute("GRANT SLAVE MONITOR, BINLOG MONITOR ON *.* TO fieldgate@'%'");
    assert_drains(&scene, "SLAVE MONITOR", 30);
}

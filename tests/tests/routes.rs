//! Readings in the user's own tables, too: in the transaction of the reading, with the reading's own time.

use fieldgate_tests::mariadb::{RelayLog, Server};
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};
use fieldgate_tests::site::Site;
use serde_json::Value;

/// As in many a book: it numbers its rows itself, and fills its time itself when a row is inserted or changed.
const PLANTS: &str = "CREATE DATABASE plant_moisture; CREATE TABLE plant_moisture.plants (\
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, plant CHAR(30) NOT NULL, moisture FLOAT NOT NULL, \
    measured_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), \
    UNIQUE KEY once (plant, moisture)); GRANT INSERT ON plant_moisture.plants TO fieldgate@'%'";
const ROUTE: &str = "[[routes]]\nname = \"book\"\ntable = \"plant_moisture.plants\"\nnodes = [\"pot-*\"]\n\
    channels = [\"moisture\"]\n\
    columns = { plant = \"{node}\", moisture = \"{value}\", measured_at = \"{sampled_at}\" }\n";

/// Rows of the user's that say the same as a reading, time included.
const SAME: &str = "SELECT COUNT(*) FROM plant_moisture.plants p JOIN field.channels c ON c.node = p.plant AND c.channel = 'moisture' \
    JOIN field.readings r ON r.channel_id = c.channel_id AND r.sampled_at = p.measured_at AND r.value = p.moisture";

fn start(route: &str, tables: &str) -> Scene {
    let mut scene = Scene::prepare(0, |settings| settings.toml(route));
    scene.gateway.apply_schema();
    scene.cluster.source().execute(tables);
    scene.start_gateway();
    scene
}

fn publish(scene: &Scene, node: &str, values: impl IntoIterator<Item = u32>) {
    let line = |(seq, value): (usize, u32)| format!("{{\"seq\": {seq}, \"moisture\": {value}, \"other\": 1}}");
    scene.publish_lines(&format!("plants/{node}"), values.into_iter().enumerate().map(line));
}

fn letters(scene: &Scene, arguments: &[&str]) -> Value {
    let output = scene.gateway.command(&[&["db", "deadletters"], arguments, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).expect("letters as JSON")
}

#[test]
fn the_users_row_has_the_readings_own_time_and_what_it_refuses_is_a_dead_letter() {
    let scene = start(ROUTE, PLANTS);
    let source = scene.cluster.source();
    // 7 comes three times, and the user's table takes it once.
    publish(&scene, "pot-1", [1, 2, 7, 3, 7, 4, 7, 5]);
    publish(&scene, "tank", [1, 2, 3]);
    scene.wait_rows(0, 22);
    assert_eq!((count(source, "dead_letters"), number(source, "SELECT COUNT(*) FROM plant_moisture.plants")), (2, 6));
    assert_eq!(number(source, SAME), 6);
    let listed = letters(&scene, &["list"]);
    let words = listed[0]["server_words"].as_str().expect("words");
    assert!(words.starts_with("route book into plant_moisture.plants: Duplicate entry 'pot-1-7'"), "{words}");
    assert_eq!((&listed[0]["route"], &listed[0]["can_be_retried"]), (&"book".into(), &true.into()));
    assert_eq!(count(source, "missing"), 0, "no reading is missing");
    scene.assert_reconciled();

    let again = letters(&scene, &["retry", "--all"]);
    assert_eq!((&again["retried"], &again["left"]), (&0.into(), &2.into()), "{again:#}");
    source.execute("ALTER TABLE plant_moisture.plants DROP KEY once");
    let done = letters(&scene, &["retry", "--all"]);
    assert_eq!((&done["retried"], &done["left"]), (&2.into(), &0.into()), "{done:#}");
    assert_eq!((number(source, "SELECT COUNT(*) FROM plant_moisture.plants"), number(source, SAME)), (8, 8));
    assert_eq!(letters(&scene, &["retry", "--all"])["retried"], 0, "never twice");
    scene.assert_reconciled();
}

#[test]
fn a_table_that_is_gone_is_named_and_waited_for() {
    let mut scene = start(ROUTE, PLANTS);
    publish(&scene, "pot-1", [1, 2]);
    scene.wait_rows(0, 4);
    let source = scene.cluster.source();
    source.execute("RENAME TABLE plant_moisture.plants TO plant_moisture.away");
    publish(&scene, "pot-2", [3]);
    scene
        .gateway
        .wait_log("route book into plant_moisture.plants: Table 'plant_moisture.plants' doesn't exist", DEADLINE);
    assert!(scene.gateway.log().contains("`fieldgate check --connect` says what does not fit"));
    assert_eq!(count(scene.cluster.source(), "readings"), 4, "nothing of the batch is there");
    scene.cluster.source().execute("RENAME TABLE plant_moisture.away TO plant_moisture.plants");
    scene.wait_rows(0, 6);
    assert_eq!(number(scene.cluster.source(), SAME), 3);
    scene.assert_reconciled();
}

/// Without any unique key: nothing but the transaction keeps its rows from being lost or doubled.
const COPY: &str = "CREATE TABLE field.copy (stream BIGINT UNSIGNED, seq BIGINT UNSIGNED, who TEXT, KEY (stream, seq))";
const COPY_ROUTE: &str = "[[routes]]\ntable = \"copy\"\n\
    columns = { stream = \"{stream}\", seq = \"{seq}\", who = \"{site}/{gateway}/{node}\" }\n";

/// The copies, the distinct ones, and the readings with a copy.
fn copies(server: &Server) -> [usize; 3] {
    let distinct = "SELECT COUNT(DISTINCT stream, seq) FROM field.copy";
    let joined = "SELECT COUNT(*) FROM field.readings r JOIN field.copy c USING (stream, seq)";
    [count(server, "copy"), number(server, distinct), number(server, joined)]
}

#[test]
fn a_failover_to_a_lagging_replica_and_kills_leave_one_row_for_each_reading() {
    let mut scene = Scene::prepare(1, |settings| settings.toml(COPY_ROUTE));
    scene.gateway.apply_schema();
    scene.cluster.source().execute(COPY);
    scene.start_gateway();
    let mut site = Site::of(scene);
    site.wait_more(1, 100);
    site.server(1).stop_sql_thread();
    site.wait_more(0, 300);
    site.scene.gateway.kill9();
    site.scene.gateway.start();
    site.wait_more(0, 200);
    site.server(0).kill9();
    site.server(1).promote(RelayLog::Discard);
    site.wait_more(1, 300);
    site.finish(1);
    let readings = site.readings(1);
    assert_eq!(copies(site.server(1)), [readings; 3]);
    let named = number(site.server(1), "SELECT COUNT(*) FROM field.copy WHERE who IN ('lab/g1/shed', 'lab/g1/silo')");
    assert_eq!(named, readings, "each has the names of its site, gateway and node");
}

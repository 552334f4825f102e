//! Names, units, the node's own number and time; and what is no new reading.

use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::json;

use crate::stored::{TOPICS, assert_stored, columns, scene, stored};

#[test]
fn names_and_units_are_stored_letter_for_letter_and_told_apart() {
    let scene = scene();
    let nodes = ["Gewächshaus", "gewächshaus", "gewachshaus", "it's \"here\"", "back\\slash", "x` y; --", "温室", "🌱"];
    for node in nodes {
        scene.publish(&format!("plants/{node}/soil %'\"\\"), r#"{"value": 7.25, "unit": "µS/cm'\"\\"}"#);
        scene.publish(&format!("plants/{node}"), r#"{"a'\"`\\": {"é": [1, true]}}"#);
    }
    scene.wait_rows(0, nodes.len() * 3);
    scene.wait_drained();
    for node in nodes {
        let sent = [("soil %'\"\\", json!(7.25)), ("a'\"`\\.é.0", json!(1)), ("a'\"`\\.é.1", json!(true))];
        assert_stored(&scene, node, &sent.map(|(channel, value)| (channel.to_owned(), value)));
    }
    let units = scene.cluster.source().query("SELECT DISTINCT unit FROM field.channels WHERE unit IS NOT NULL");
    assert_eq!(units, [["µS/cm'\"\\"]]);
    let names = scene.cluster.source().query("SELECT COUNT(DISTINCT node), COUNT(*) FROM field.channels");
    assert_eq!(names, [[nodes.len().to_string(), (nodes.len() * 3).to_string()]]);
}

#[test]
fn the_nodes_own_number_and_time_are_stored_beside_each_value() {
    let scene = scene();
    let messages = [
        (r#"{"seq": -5, "time": "2026-01-02T03:04:05.678901+02:00", "t": 1}"#, "-5", "2026-01-02 01:04:05.678901"),
        (
            r#"{"seq": 9223372036854775807, "time": 1767323045, "t": 2}"#,
            "9223372036854775807",
            "2026-01-02 03:04:05.000000",
        ),
        (
            r#"{"seq": -9223372036854775808, "time": 1767323045678, "t": 3}"#,
            "-9223372036854775808",
            "2026-01-02 03:04:05.678000",
        ),
        (r#"{"seq": 0, "time": 1767323045678901, "t": 4}"#, "0", "2026-01-02 03:04:05.678901"),
        (r#"{"t": 5}"#, "NULL", "NULL"),
        (r#"{"seq": 1, "t": 6}"#, "1", "NULL"),
        (r#"{"time": 1767323045.25, "t": 7}"#, "NULL", "2026-01-02 03:04:05.250000"),
    ];
    scene.publish_lines("plants/clock", messages.map(|(message, ..)| message));
    scene.publish("plants/clock/t", r#"{"value": 8, "seq": 8, "time": "2026-12-31T23:59:59.999999Z"}"#);
    scene.wait_rows(0, messages.len() + 1);
    scene.wait_drained();
    let sql = "SELECT r.value_int, r.node_seq, r.node_time FROM field.readings r ORDER BY r.seq";
    let mut expected: Vec<[String; 3]> = (1..)
        .zip(messages)
        .map(|(value, (_, seq, time)): (u32, _)| [value.to_string(), seq.to_owned(), time.to_owned()])
        .collect();
    expected.push(["8", "8", "2026-12-31 23:59:59.999999"].map(ToOwned::to_owned));
    for server in &scene.cluster.servers {
        assert_eq!(server.query(sql), expected);
    }
}

#[test]
fn what_the_broker_has_retained_is_no_new_reading() {
    let mut scene = Scene::prepare(0, |settings| settings.topics(&TOPICS));
    scene.gateway.apply_schema();
    scene.mosquitto_pub(&["-r", "-t", "plants/old/t", "-s"], b"1.5");
    scene.start_gateway();
    scene.publish("plants/new/t", "2.5");
    scene.wait_rows(0, 1);
    // Retained for others, but new to us: it came while the gateway was listening.
    scene.mosquitto_pub(&["-r", "-t", "plants/new/t", "-s"], b"3.5");
    scene.wait_rows(0, 2);
    assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    scene.start_gateway();
    scene.publish("plants/new/t", "4.5");
    scene.wait_rows(0, 3);
    let sent = [2.5, 3.5, 4.5].map(|value| ("t".to_owned(), json!(value)));
    let mut found = stored(scene.cluster.source(), "new");
    // The streams of the two starts have no order of their own.
    found.sort();
    assert_eq!(found, sent.map(|(channel, value)| (channel, columns(&value))));
    assert_eq!(stored(scene.cluster.source(), "old"), []);
}

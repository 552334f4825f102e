//! Messages that are no readings.

use fieldgate_tests::mariadb::Row;
use fieldgate_tests::scenario::{DEADLINE, Scene, count};

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Topic, payload, and words of the reason.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("plants/a", text("hello"), "neither JSON nor a plain number"),
        ("plants/a", text("{\"t\": 1"), "neither JSON nor a plain number: EOF"),
        ("plants/a", text("NaN"), "neither JSON nor a plain number"),
        ("plants/a", text("21.5"), "the topic names no channel"),
        ("plants/a", text("{}"), "holds no value"),
        ("plants/a", text("{\"seq\": 7}"), "holds no value"),
        ("plants/a/t", text("{\"temperature\": 1}"), "no member \"value\""),
        ("plants/a/t", vec![0xff, 0xfe, 0x00, 0x80], "neither JSON nor a plain number"),
        ("plants/a/t", [b"\"".as_slice(), &[0xc3, 0x28], b"\""].concat(), "neither JSON nor a plain number"),
        ("plants/a", text(&"x".repeat(5000)), "neither JSON nor a plain number"),
        ("plants/a", text(&format!("{{\"t\": \"{}\"}}", "x".repeat(4097))), "4097 bytes, at most 4096"),
        ("plants/a/t", text("18446744073709551615"), "does not fit into 64 bits"),
        ("plants/a", text(&format!("[{}1]", "1,".repeat(4096))), "more than 4096 values"),
        ("plants/a", text(&format!("{}1{}", "[".repeat(200), "]".repeat(200))), "recursion limit"),
        ("plants/a/t", text("{\"value\": 1, \"unit\": \" C\"}"), "a unit has no white space"),
        ("plants/a", text("{\" t\": 1}"), "a channel name has no white space"),
        ("plants/a /t", text("1"), "a node name has no white space"),
        ("plants//t", text("1"), "a node name has 1 to 64 characters"),
    ]
}

#[test]
fn a_payload_that_is_no_reading_becomes_a_dead_letter_and_the_next_message_a_row() {
    let scene = Scene::start_with(1, |settings| settings.topics(&["plants/{node}", "plants/{node}/{channel}"]));
    let refused = refused();
    for (index, (topic, payload, _)) in refused.iter().enumerate() {
        scene.publish(topic, payload);
        scene.publish("plants/good", format!("{{\"seq\": {index}, \"t\": 1}}"));
    }
    scene.wait_rows(0, refused.len());
    let report = scene.wait_drained();
    assert_eq!((&report["dead_letters"], &report["readings"]), (&refused.len().into(), &refused.len().into()));
    let sql = "SELECT origin, reason, HEX(bytes), length, state FROM field.dead_letters ORDER BY seq";
    for server in &scene.cluster.servers {
        let rows: Vec<Row> = server.query(sql);
        for (row, (topic, payload, reason)) in rows.iter().zip(&refused) {
            let head = hexadecimal(&payload[..payload.len().min(4096)]);
            assert_eq!((&row[0], &row[2], &row[3]), (&(*topic).to_owned(), &head, &payload.len().to_string()));
            assert!(row[1].contains(reason), "{reason:?} in {:?}", row[1]);
            assert_eq!(row[4], "new");
        }
    }
}

#[test]
fn an_empty_message_becomes_a_dead_letter() {
    let scene = Scene::start_with(0, |settings| settings.topics(&["plants/{node}/{channel}"]));
    scene.mosquitto_pub(&["-n", "-t", "plants/a/t"], b"");
    scene.publish("plants/a/t", "1");
    scene.wait_rows(0, 1);
    let rows = scene.cluster.source().query("SELECT origin, HEX(bytes), length FROM field.dead_letters");
    assert_eq!(rows, [["plants/a/t", "", "0"]]);
    scene.assert_reconciled();
}

#[test]
fn a_message_larger_than_what_was_announced_does_not_end_the_connection() {
    let mut scene = Scene::start_with(0, |settings| settings.topics(&["plants/{node}/{channel}"]));
    let below = format!("\"{}\"", "x".repeat(250 * 1024));
    let above = format!("\"{}\"", "x".repeat(300 * 1024));
    scene.publish("plants/a/t", "1");
    scene.publish("plants/a/t", &above);
    scene.publish("plants/a/t", &below);
    scene.publish("plants/a/t", "2");
    scene.wait_rows(0, 2);
    let letters = scene.cluster.source().query("SELECT length FROM field.dead_letters");
    assert_eq!(letters, [[below.len().to_string()]], "the broker drops the larger one for us");
    let log = scene.gateway.log();
    assert!(log.matches("connected to the broker").count() == 1 && !log.contains("no connection"), "{log}");
    scene.assert_reconciled();
    assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    assert_eq!(count(scene.cluster.source(), "gaps"), 0);
}

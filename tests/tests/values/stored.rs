//! What the rows of a node hold, compared with what it sent.

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::scenario::Scene;
use serde_json::Value;

/// With the channel in the payload, and with it in the topic.
pub const TOPICS: [&str; 2] = ["plants/{node}", "plants/{node}/{channel}"];

/// What the columns `value` (its bits), `value_int`, `value_text` (in hexadecimal) and `no_data` hold.
pub type Columns = (Option<u64>, Option<i64>, Option<String>, Option<u8>);

/// A site with one replica whose gateway hears both kinds of topic.
pub fn scene() -> Scene {
    Scene::start_with(1, |settings| settings.topics(&TOPICS))
}

/// What the row of a value must hold: one column for each kind, and numbers and truth values also as a double.
pub fn columns(value: &Value) -> Columns {
    let whole = |int: i64| (Some((int as f64).to_bits()), Some(int), None, None);
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(int) => whole(int),
            None => (number.as_f64().map(bits), None, None, None),
        },
        Value::Bool(bool) => whole(i64::from(*bool)),
        Value::String(text) => (None, None, Some(hexadecimal(text)), None),
        _ => (None, None, None, Some(1)),
    }
}

/// MySQL has a negative zero, MariaDB has none; any other double is kept to the last bit.
fn bits(float: f64) -> u64 {
    if float == 0.0 { 0 } else { float.to_bits() }
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

/// Channel and columns of a node's readings, in the order in which they were written.
pub fn stored(server: &Server, node: &str) -> Vec<(String, Columns)> {
    let sql = format!(
        "SELECT c.channel, r.value, r.value_int, HEX(r.value_text), r.no_data FROM field.readings r \
         JOIN field.channels c USING (channel_id) WHERE HEX(c.node) = '{}' ORDER BY r.stream, r.seq",
        hexadecimal(node)
    );
    let some = |text: &String| (text != "NULL").then(|| text.clone());
    let columns = |row: &Vec<String>| {
        let bits = some(&row[1]).map(|text| bits(text.parse().unwrap()));
        (
            bits,
            some(&row[2]).map(|text| text.parse().unwrap()),
            some(&row[3]),
            some(&row[4]).map(|t| t.parse().unwrap()),
        )
    };
    server.query(&sql).iter().map(|row| (row[0].clone(), columns(row))).collect()
}

/// The node has exactly these readings, in this order, on every server.
pub fn assert_stored(scene: &Scene, node: &str, expected: &[(String, Value)]) {
    for server in &scene.cluster.servers {
        let found = stored(server, node);
        assert_eq!(found.len(), expected.len(), "rows of {node} on {}", server.address());
        for ((channel, found), (sent_channel, sent)) in found.iter().zip(expected) {
            assert_eq!((channel, found), (sent_channel, &columns(sent)), "sent: {sent} on {}", server.address());
        }
    }
}

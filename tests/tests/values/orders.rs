//! All kinds of values in every order, and extremes: sent, and found as they were sent. The topics of a scene must be
//! `stored::TOPICS`.

use fieldgate_tests::scenario::{Scene, count};
use serde_json::{Map, Value, json};

use crate::stored::assert_stored;

const KINDS: usize = 5;

/// A value of each kind; no two of a kind are the same.
fn value_of(kind: usize, index: usize) -> Value {
    match kind {
        0 => json!((index as f64).mul_add(0.1, 0.05)),
        1 => json!(i64::MAX - index as i64),
        2 => json!(index.is_multiple_of(2)),
        3 => json!(format!("text {index}")),
        _ => Value::Null,
    }
}

/// Every order of the kinds.
fn orders() -> Vec<Vec<usize>> {
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for _ in 0..KINDS {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            let rest: Vec<usize> = (0..KINDS).filter(|kind| !order.contains(kind)).collect();
            rest.into_iter().map(move |kind| [order.clone(), vec![kind]].concat())
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// Batches that begin with each kind and hold every order.
pub fn send_batches_that_begin_with_each_kind(scene: &Scene) {
    let mut rows = count(scene.cluster.source(), "readings");
    for first in 0..KINDS {
        let mut orders = orders();
        // A message is one unit and waits for nobody, so its first value is the first of a batch.
        orders.sort_by_key(|order| (order[0] != first, order.clone()));
        let kinds = orders.concat();
        let values: Vec<(String, Value)> =
            kinds.iter().enumerate().map(|(index, kind)| (format!("{index:03}"), value_of(*kind, index))).collect();
        let message: Map<String, Value> = values.iter().cloned().collect();
        let node = format!("first-{first}");
        scene.publish(&format!("plants/{node}"), Value::Object(message).to_string());
        rows += values.len();
        scene.wait_rows(0, rows);
        scene.wait_rows(1, rows);
        assert_stored(scene, &node, &values);
    }
    assert_eq!(scene.wait_drained()["compared"], rows);
}

/// Many messages of mixed kinds, in whatever batches they come.
pub fn send_many_mixed_messages(scene: &Scene) {
    let before = count(scene.cluster.source(), "readings");
    let mut sent = Vec::new();
    let mut lines = Vec::new();
    for (number, order) in orders().into_iter().cycle().take(480).enumerate() {
        let values: Vec<(String, Value)> = order
            .iter()
            .enumerate()
            .map(|(place, kind)| (format!("c{place}"), value_of(*kind, number * KINDS + place)))
            .collect();
        let message: Map<String, Value> = values.iter().cloned().collect();
        lines.push(Value::Object(message).to_string());
        sent.extend(values);
    }
    scene.publish_lines("plants/mixed", &lines);
    scene.wait_rows(0, before + sent.len());
    assert_eq!(scene.wait_drained()["compared"], before + sent.len());
    assert_stored(scene, "mixed", &sent);
}

/// The ends of each kind, and odd texts.
pub fn send_extremes(scene: &Scene) {
    let before = count(scene.cluster.source(), "readings");
    let floats = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -5e-324, 0.1, 0.1 + 0.2, 1e300, -1e-300, 0.0, -0.0];
    let more_floats =
        [1.0 / 3.0, 1e15, 1e16, 1e17, 123_456_789.123_456_79, 9_007_199_254_740_993.0, std::f64::consts::PI];
    let ints = [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 0, -1, (1 << 53) + 1];
    let texts = [
        String::new(),
        "x".repeat(4096),
        "\u{1f331}".repeat(1024),
        "'".to_owned(),
        "\"; DROP TABLE readings; --".to_owned(),
        "\\ \\' \\0 \\n".to_owned(),
        "\0".to_owned(),
        "a\0b".to_owned(),
        "line\nbreak\r\n\ttab\u{1a}".to_owned(),
        "NULL".to_owned(),
        " space at both ends ".to_owned(),
        "7".to_owned(),
        "A\u{308} is not \u{c4}, \u{df} is not ss, \u{feff}\u{202e}\u{200b}".to_owned(),
    ];
    let values: Vec<Value> = floats
        .iter()
        .chain(&more_floats)
        .map(|float| json!(float))
        .chain(ints.iter().map(|int| json!(int)))
        .chain(texts.iter().map(|text| json!(text)))
        .chain([json!(true), json!(false), Value::Null])
        .collect();
    let sent: Vec<(String, Value)> = values.into_iter().map(|value| ("any".to_owned(), value)).collect();
    scene.publish_lines("plants/extremes/any", sent.iter().map(|(_, value)| value.to_string()));
    scene.wait_rows(0, before + sent.len());
    scene.wait_drained();
    assert_stored(scene, "extremes", &sent);
}

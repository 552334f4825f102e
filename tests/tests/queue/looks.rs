//! What the commands show of one gateway.

use std::fs;
use std::path::Path;

use fieldgate_tests::node::Node;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

use crate::rig::{argument, contents, hold_readings, said, stopped_with_readings};

#[test]
fn a_running_gateway_shows_its_queue_and_stays_at_work() {
    let mut scene = Scene::start_with(0, |settings| settings);
    hold_readings(&mut scene);
    let lines = said(&scene.gateway, 0, &["queue", "dump"]);
    assert_eq!(lines.lines().count(), 50, "{lines}");
    let eleventh = said(&scene.gateway, 0, &["queue", "dump", "--from-seq", "11", "--limit", "1"]);
    assert!(eleventh.contains(" 11 reading shed/t 10.5 "), "{eleventh}");
    let json = said(&scene.gateway, 0, &["queue", "dump", "--json", "--limit", "1"]);
    let item: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&item["seq"], &item["data"]["value"]), (&1.into(), &0.5.into()), "{json}");
    assert!(said(&scene.gateway, 0, &["queue", "verify"]).contains("nothing is missing or damaged"));
    let stat: Value = serde_json::from_str(&said(&scene.gateway, 0, &["queue", "stat", "--json"])).unwrap();
    assert_eq!((&stat["streams"][0]["waiting"], &stat["running"]), (&50.into(), &true.into()), "{stat}");
    assert!(stat["max_bytes"].as_u64().unwrap() > stat["live_bytes"].as_u64().unwrap(), "{stat}");
}

#[test]
fn an_export_while_readings_come_and_go_is_whole() {
    let scene = Scene::start_with(0, |settings| settings.keep("0 s"));
    let mut node = Node::named("busy").rate(300.0).start(scene.broker.address());
    for run in 1..=5 {
        node.wait_acknowledged(run * 100, DEADLINE);
        let text = said(&scene.gateway, 0, &["queue", "export"]);
        let mut lines = text.lines().filter(|line| line.starts_with('{'));
        let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!((&header["gateway"], &header["site"]), (&"g1".into(), &"lab".into()));
        let trailer: Value = serde_json::from_str(lines.next_back().unwrap()).unwrap();
        assert_eq!(trailer["items"], lines.count(), "{trailer}");
        assert_eq!(trailer["missing"], Value::Array(Vec::new()), "{trailer}");
    }
    node.terminate();
}

/// Changes a byte in the body of the first frame that is found in a file of the queue's stores, in every copy of it.
fn damage_a_frame(queue: &Path) {
    let is_frame = |window: &[u8]| window == b"FGQ1";
    let files = contents(queue).into_iter();
    let found = files.filter_map(|(path, bytes)| Some((path, bytes.windows(4).position(is_frame)?, bytes)));
    let (path, at, mut bytes) = found.into_iter().next().expect("a frame in a file");
    let head = bytes[at..at + 60].to_vec();
    let copies: Vec<usize> = (0..bytes.len() - 60).filter(|at| bytes[*at..].starts_with(&head)).collect();
    copies.into_iter().for_each(|at| bytes[at + 60] ^= 0xff);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_frame_is_found_and_named_and_what_is_left_can_be_exported() {
    let scene = stopped_with_readings();
    damage_a_frame(&scene.gateway.state_folder().join("queue"));
    let found = said(&scene.gateway, 1, &["queue", "verify"]);
    assert!(found.contains("missing   stream ") && found.contains("queue export"), "{found}");
    said(&scene.gateway, 0, &["queue", "export", "--format", "cbor", "--output", "/dev/null"]);
    assert!(!fs::metadata("/dev/null").unwrap().is_file(), "a device stays one");
}

#[test]
fn a_stopped_gateway_and_its_card_show_the_same_and_a_folder_without_a_queue_is_named() {
    let scene = stopped_with_readings();
    let state = scene.gateway.state_folder();
    let here = said(&scene.gateway, 0, &["queue", "dump"]);
    assert_eq!(here.lines().count(), 50, "{here}");
    for folder in [state.clone(), state.join("queue")] {
        assert_eq!(said(&scene.gateway, 0, &["queue", "dump", "--from", argument(&folder)]), here);
        let stat = said(&scene.gateway, 0, &["queue", "stat", "--from", argument(&folder)]);
        assert!(stat.contains("1 to 50, 50 wait for the database, 0 kept"), "{stat}");
        said(&scene.gateway, 0, &["queue", "verify", "--from", argument(&folder)]);
    }
    let empty = tempfile::tempdir().unwrap();
    let refused = said(&scene.gateway, 74, &["queue", "stat", "--from", argument(empty.path())]);
    assert!(refused.contains("there is no queue in it"), "{refused}");
    let unknown = said(&scene.gateway, 1, &["queue", "export", "--stream", "00000000000000ff"]);
    assert!(unknown.contains("holds nothing of stream 00000000000000ff"), "{unknown}");
}

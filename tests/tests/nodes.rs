//! The broker and the node rig together.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;
use fieldgate_tests::payload;
use fieldgate_tests::process::{Process, wait_for};

const DEADLINE: Duration = Duration::from_secs(60);

/// A foreign client with a session that outlives its connections, writing what it receives to a file.
struct Subscriber {
    _process: Process,
    folder: tempfile::TempDir,
}

impl Subscriber {
    fn start(broker: &mut Broker, topic: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("mosquitto_sub");
        command.args(["-V", "mqttv5", "-q", "1", "-i", "subscriber", "-c", "-x", "3600", "-t", topic]);
        command.args(["-h", &broker.address().ip().to_string()]);
        let process = Process::spawn("mosquitto_sub", &command, &folder.path().join("received"));
        broker.wait_subscribed("subscriber", topic, DEADLINE);
        Self { _process: process, folder }
    }

    fn messages(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.path().join("received")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn seqs(&self) -> Vec<u64> {
        self.messages().iter().filter_map(|message| message["seq"].as_u64()).collect()
    }
}

#[test]
fn what_a_node_logs_is_what_a_subscriber_receives() {
    let mut broker = Broker::start(Limits::Large);
    let subscriber = Subscriber::start(&mut broker, "plants/n1");
    let log = Node::named("n1").rate(0.0).count(2000).start(broker.address()).finish(DEADLINE);
    assert_eq!(log.acknowledged, (1..=2000).collect::<BTreeSet<u64>>());
    assert!(log.unheard.is_empty() && log.resent.is_empty());
    wait_for("2000 messages", DEADLINE, || subscriber.seqs().len() >= 2000);
    assert_eq!(subscriber.seqs(), (1..=2000).collect::<Vec<u64>>());
    for message in subscriber.messages() {
        let (seq, time) = (message["seq"].as_u64().unwrap(), message["time"].as_str().unwrap());
        let expected: serde_json::Value = payload::message("n1", seq, 4, time).parse().unwrap();
        assert_eq!(message, expected);
        assert!(time.len() == "2026-01-02T03:04:05.000000Z".len() && time.ends_with('Z'), "{time}");
    }
}

#[test]
fn a_node_keeps_its_pace() {
    let broker = Broker::start(Limits::Default);
    let start = std::time::Instant::now();
    let log = Node::named("n1").rate(100.0).count(101).start(broker.address()).finish(DEADLINE);
    assert_eq!(log.acknowledged.len(), 101);
    assert_eq!(log.unheard.len(), 101, "nobody subscribes");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_node_survives_a_stopped_broker() {
    survives(|broker| broker.stop());
}

#[test]
fn a_node_survives_a_killed_broker() {
    survives(Broker::kill9);
}

fn survives(end: fn(&mut Broker)) {
    let mut broker = Broker::start(Limits::Large);
    let mut node = Node::named("n1").rate(2000.0).count(4000).start(broker.address());
    for messages in [500, 1500] {
        node.wait_acknowledged(messages, DEADLINE);
        end(&mut broker);
        broker.restart();
    }
    let log = node.finish(DEADLINE);
    assert_eq!(log.acknowledged, (1..=4000).collect::<BTreeSet<u64>>());
    assert!(!node.complaints().is_empty(), "the node has seen the broker go");
}

#[test]
fn a_session_outlives_a_stopped_broker() {
    let mut broker = Broker::start(Limits::Large);
    let subscriber = Subscriber::start(&mut broker, "plants/n1");
    let mut node = Node::named("n1").rate(500.0).start(broker.address());
    node.wait_acknowledged(300, DEADLINE);
    broker.restart();
    node.wait_acknowledged(900, DEADLINE);
    let log = node.terminate();
    assert!(log.unheard.is_empty(), "{:?}", log.unheard);
    let received = || subscriber.seqs().into_iter().collect::<BTreeSet<u64>>();
    wait_for("every acknowledged message", DEADLINE, || received().is_superset(&log.acknowledged));
}

#[test]
fn a_node_told_to_end_has_logged_everything_it_sent() {
    let mut broker = Broker::start(Limits::Large);
    let subscriber = Subscriber::start(&mut broker, "plants/n1");
    let mut node = Node::named("n1").rate(0.0).in_flight(5).channels(1).start(broker.address());
    node.wait_acknowledged(100, DEADLINE);
    let log = node.terminate();
    let last = *log.acknowledged.last().unwrap();
    wait_for("the last message", DEADLINE, || subscriber.seqs().contains(&last));
    assert_eq!(subscriber.seqs().len(), log.acknowledged.len());
    assert!(!Path::new(&format!("/proc/{}", node.process_id())).exists());
}

#[test]
fn a_frozen_broker_holds_a_node_up_and_no_more() {
    let mut broker = Broker::start(Limits::Large);
    let mut node = Node::named("n1").rate(0.0).start(broker.address());
    node.wait_acknowledged(100, DEADLINE);
    broker.freeze();
    // Longer than the node's patience: it reconnects.
    wait_for("the node to notice", DEADLINE, || !node.complaints().is_empty());
    let before = node.log().acknowledged.len();
    broker.thaw();
    node.wait_acknowledged(before + 100, DEADLINE);
    let log = node.terminate();
    assert!(!log.resent.is_empty());
    let last = *log.acknowledged.last().unwrap();
    assert_eq!(log.acknowledged, (1..=last).collect::<BTreeSet<u64>>());
}

#[test]
fn a_broker_with_a_password_turns_others_away() {
    let broker = Broker::start_with_password(Limits::Default, "barn", "secret");
    let publish = |password| {
        Command::new("mosquitto_pub")
            .args(["-V", "mqttv5", "-q", "1", "-t", "t", "-m", "m", "-u", "barn", "-P", password])
            .args(["-h", &broker.address().ip().to_string()])
            .status()
            .unwrap()
            .success()
    };
    assert!(publish("secret"));
    assert!(!publish("guess"));
}

//! A gateway stops being one of two while its queue has readings that both have heard.

use std::fs;
use std::path::Path;

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::node::Node;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::plain_node::PlainNode;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;

const PLAIN: &str = "plain";

/// Takes a section out of a configuration.
fn take_out(file: &Path, section: &str) {
    let text = fs::read_to_string(file).expect("the configuration");
    let begins = format!("[{section}]");
    let mut is_in_it = false;
    let keeps = |line: &&str| {
        if line.starts_with('[') {
            is_in_it = *line == begins;
        }
        !is_in_it
    };
    let kept: Vec<&str> = text.lines().filter(keeps).collect();
    assert!(kept.len() < text.lines().count(), "there is no [{section}] in {text}");
    fs::write(file, kept.join("\n")).expect("the configuration");
}

fn wait_held(gateways: &[Gateway], all: usize) {
    let holds = |gateway: &Gateway| gateway.queued() >= all as u64;
    wait_for("to hold everything", DEADLINE, || gateways.iter().all(holds));
}

/// Says "deliver" of the port, where it said "hold".
fn deliver_the_port(file: &Path) {
    let text = fs::read_to_string(file).expect("the configuration");
    let (before, port) = text.split_once("[[serial]]").expect("a port");
    assert!(port.contains("\"hold\""), "{port}");
    fs::write(file, format!("{before}[[serial]]{}", port.replacen("\"hold\"", "\"deliver\"", 1)))
        .expect("the configuration");
}

/// What both hold when `[standby]` is taken out of the second one's file, delivered by one after the other.
fn delivers_first(first: usize) {
    let mut pair = Pair::with(0).line().start();
    let mut node = Node::named("greenhouse").rate(50.0).start(pair.broker.address());
    let plain = PlainNode::start(PLAIN, 20, pair.broker.address());
    pair.wait_more_of(0, 0, 100);
    pair.cluster.servers[0].set_read_only(true);
    let before = node.log().acknowledged.len();
    node.wait_acknowledged(before + 100, DEADLINE);
    let (log, sent) = (node.terminate(), plain.finish());
    let all = log.acknowledged.len() * log.channels + usize::try_from(sent).expect("a few");
    wait_held(&pair.gateways, all);
    pair.gateways.iter_mut().for_each(|gateway| assert_eq!(gateway.terminate(DEADLINE), 0));
    take_out(&pair.gateways[1].config_file(), "standby");
    pair.cluster.servers[0].set_read_only(false);
    pair.start_gateway(first);
    pair.wait_drained(first);
    pair.start_gateway(1 - first);
    println!("{}", pair.finish(0, &[log]));
    pair.wait_plain(0, PLAIN, sent);
    assert!(pair.rows_of(0, 1 - first) < all, "it left out what the other one brought");
}

#[test]
fn what_was_held_by_a_gateway_that_is_alone_from_now_on_is_not_brought_twice() {
    delivers_first(0);
}

#[test]
fn what_a_gateway_that_is_alone_from_now_on_has_brought_is_not_brought_twice() {
    delivers_first(1);
}

#[test]
fn what_was_held_of_a_wire_that_one_alone_hears_from_now_on_is_not_brought_twice() {
    let mut pair = Pair::with(0).line().wired_node().start();
    pair.wait_more_of(0, 0, 40);
    pair.cluster.servers[0].set_read_only(true);
    let wired = pair.wired.as_mut().expect("a node on a wire");
    let before = wired.log().heard().acknowledged.len();
    wired.wait_log("to be heard", |log| log.acknowledged.len() > before + 40);
    wired.freeze();
    let log = wired.log().heard();
    let all = log.acknowledged.len() * log.channels;
    wait_held(&pair.gateways[..1], all);
    pair.gateways.iter_mut().for_each(|gateway| assert_eq!(gateway.terminate(DEADLINE), 0));
    deliver_the_port(&pair.gateways[1].config_file());
    pair.cluster.servers[0].set_read_only(false);
    pair.start_gateway(0);
    pair.wait_drained(0);
    pair.start_gateway(1);
    println!("{}", pair.finish(0, &[log]));
    assert_eq!(pair.rows_of(0, 1), 0, "it left out what the other one brought");
}

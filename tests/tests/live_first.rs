//! `drain.order = "live-first"`: after an outage what comes in now is in the database while older readings still wait, and
//! at the end every reading is there once, also when the gateway is killed in between.

use std::time::{Duration, Instant};

use fieldgate_tests::audit::{Audit, NodeLog};
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};

const CHANNELS: usize = 50;
const MESSAGES: u64 = 1200;
/// All their readings: more than the 50,000 for which a new stream begins.
const BACKLOG: usize = 60_000;
/// So slow that the backlog takes ten seconds.
const SLOW: usize = 6000;
const QUICK: usize = 30_000;
/// Longer than the backlog takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const BEGUN: &str = "a new stream begins for live readings";

/// A site whose database was away while more came in than is waited for, and takes writes again; what the node sent.
fn after_an_outage(order: &str, rows_per_second: usize) -> (Scene, NodeLog) {
    let mut scene = Scene::start_with(0, |settings| {
        settings.set("drain", "order", order).set("drain", "rows_per_second", rows_per_second)
    });
    scene.publish("plants/before", "{\"t\": 1.5}");
    scene.wait_rows(0, 1);
    scene.cluster.servers[0].set_read_only(true);
    scene.gateway.wait_log("no server takes writes", DEADLINE);
    let node = Node::named("backlog").rate(0.0).in_flight(100).channels(CHANNELS).count(MESSAGES);
    let log = node.start(scene.broker.address()).finish(PATIENCE);
    scene.wait_queued(u64::try_from(BACKLOG).unwrap() + 1);
    scene.cluster.servers[0].set_read_only(false);
    (scene, log)
}

fn readings_of(scene: &Scene, node: &str) -> usize {
    let sql = "SELECT COUNT(*) FROM field.readings JOIN field.channels USING (channel_id) WHERE node = ";
    number(scene.cluster.source(), &format!("{sql}'{node}'"))
}

/// Publishes a reading and waits for its row. How many of the backlog were there then.
fn backlog_when_there(scene: &Scene, node: &str) -> usize {
    let published = Instant::now();
    scene.publish(&format!("plants/{node}"), "{\"t\": 20.5}");
    wait_for(&format!("the reading of {node}"), PATIENCE, || readings_of(scene, node) == 1);
    let there = readings_of(scene, "backlog");
    println!("{node}: in the database after {:?}, with {there} of {BACKLOG} before it", published.elapsed());
    there
}

/// The status has the new stream, and counts over both of this run.
fn assert_shown(scene: &Scene) {
    let status = scene.gateway.ask("Status").expect("a running gateway");
    let sql = "SELECT LOWER(LPAD(HEX(stream), 16, '0')) FROM field.readings JOIN field.channels USING (channel_id) \
               WHERE node = 'live'";
    assert_eq!(status["stream"], scene.cluster.source().query(sql).concat().concat());
    assert!(status["queue"]["durable"].as_u64() > u64::try_from(BACKLOG).ok(), "{status}");
}

/// Returns when everything is there, once, and so many streams have readings.
fn finish(scene: &Scene, logs: &[NodeLog], streams: usize) {
    wait_for("the backlog in the database", PATIENCE, || readings_of(scene, "backlog") == BACKLOG);
    scene.wait_drained();
    Audit::take(scene.cluster.source(), logs).assert_clean();
    assert_eq!(count(scene.cluster.source(), "gaps WHERE last_seq > seq"), 0, "nothing was taken for lost");
    assert_eq!(number(scene.cluster.source(), "SELECT COUNT(DISTINCT stream) FROM field.readings"), streams);
}

#[test]
fn live_readings_overtake_the_backlog_and_a_kill_in_between_changes_nothing() {
    let (mut scene, backlog) = after_an_outage("live-first", SLOW);
    let mut busy = Node::named("busy").rate(50.0).start(scene.broker.address());
    scene.gateway.wait_log(BEGUN, DEADLINE);
    assert!(backlog_when_there(&scene, "live") < BACKLOG);
    assert_shown(&scene);

    scene.gateway.kill9();
    scene.start_gateway();
    assert!(backlog_when_there(&scene, "later") < BACKLOG);
    let busy = busy.terminate();
    finish(&scene, &[backlog, busy], 3);
}

#[test]
fn with_the_oldest_first_a_live_reading_comes_after_all_that_wait() {
    let (mut scene, backlog) = after_an_outage("oldest-first", QUICK);
    scene.gateway.wait_log("connected to the source", DEADLINE);
    assert_eq!(backlog_when_there(&scene, "live"), BACKLOG);
    finish(&scene, &[backlog], 1);
    assert!(!scene.gateway.log().contains(BEGUN));
}

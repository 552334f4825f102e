//! Servers that do not take writes for a while, and nobody is promoted.

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};

use crate::site::Site;

#[test]
fn a_source_that_is_read_only_for_a_while_is_waited_for() {
    let mut site = Site::start("fast");
    site.wait_more(0, 100);
    site.server(0).set_read_only(true);
    site.wait_said("no server takes writes");
    let held = site.cursors(0);
    site.wait_published(50);
    assert_eq!(site.cursors(0), held);
    site.server(0).set_read_only(false);
    site.wait_more(0, 400);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
}

#[test]
fn a_source_killed_three_times_goes_on_where_its_cursor_says() {
    let mut site = Site::start("fast");
    for _ in 0..3 {
        site.wait_more(0, 200);
        site.server(0).kill9();
        site.wait_published(10);
        site.server(0).restart(WRITABLE);
    }
    site.wait_more(0, 200);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
    assert_eq!((site.events(0, "failover"), site.events(0, "sent again")), (0, 0));
}

#[test]
fn with_all_servers_away_from_the_start_the_gateway_collects_and_everything_arrives_later() {
    let mut scene = Scene::prepare(2, |settings| settings.commit("card"));
    scene.gateway.apply_schema();
    let schema = scene.cluster.source().gtid_position();
    scene.cluster.replicas().iter().for_each(|replica| replica.wait_for_gtid(&schema));
    scene.cluster.servers.iter_mut().for_each(|server| server.kill9());
    scene.gateway.start();
    scene.wait_heard();
    let mut site = Site::of(scene);
    site.wait_said("no server takes writes");
    site.wait_published(100);
    site.server(0).restart(WRITABLE);
    site.wait_more(0, 400);
    (1..=2).for_each(|replica| site.server(replica).restart(&[]));
    site.finish(0);
    site.assert_replicas_once(0);
}

/// So many that each message is a frame of the queue, which holds 64 records.
const CHANNELS: usize = 33;
/// The newest frames, which never leave, as they hold the receipts of messages.
const KEPT_FRAMES: usize = 1024;
const MESSAGES: u64 = 1400;

#[test]
fn readings_stay_in_the_queue_until_a_replica_that_was_away_has_them() {
    let mut scene = Scene::start_with(2, |settings| settings.keep("0 s"));
    scene.cluster.servers[2].stop();
    let node = Node::named("fast").rate(0.0).channels(CHANNELS).count(MESSAGES);
    node.start(scene.broker.address()).finish(DEADLINE);
    let all = usize::try_from(MESSAGES).unwrap() * CHANNELS;
    scene.wait_rows(0, all);
    let written = scene.cluster.source().gtid_position();
    scene.cluster.servers[1].wait_for_gtid(&written);
    assert_eq!(scene.assert_reconciled()["compared"], all, "kept although the source and one replica have them");

    scene.cluster.servers[2].restart(&[]);
    scene.cluster.servers[2].wait_for_gtid(&written);
    wait_for("readings to leave the queue", DEADLINE, || {
        scene.assert_reconciled()["compared"] == KEPT_FRAMES * CHANNELS
    });
}

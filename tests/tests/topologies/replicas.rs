//! Replicas that do not count for what may leave the queue, each for a reason of its own.

use fieldgate_tests::mariadb::{Cluster, Server, WRITABLE};
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use std::time::Duration;

use crate::rig::{DEADLINE, Rig};

/// So many that each message is a frame of the queue, which holds 64 records.
const CHANNELS: usize = 33;
/// The newest frames, which never leave, as they hold the receipts of messages.
const KEPT_FRAMES: usize = 1024;
const MESSAGES: u64 = 1100;

#[test]
fn replicas_that_are_not_to_be_promoted_are_named_and_hold_nothing() {
    let cluster = odd_replicas();
    let names = cluster.addresses();
    let mut rig = Rig::of(cluster, names, |settings| settings.keep("0 s"));
    // Not before it has the tables and the account.
    let made = rig.server(0).gtid_position();
    rig.server(1).wait_for_gtid(&made);
    rig.server(1).execute("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE");
    rig.server(3).execute("CREATE DATABASE of_its_own");
    rig.wait_note(1, "does not count: it is delayed on purpose");
    rig.wait_note(2, "does not count: it leaves out databases or tables");
    rig.wait_note(3, "does not count: it has transactions that the source has not (0-4-");
    rig.wait_note(4, "does not count: it writes no binary log");

    let node = Node::named("fast").rate(0.0).channels(CHANNELS).count(MESSAGES);
    node.start(rig.scene.broker.address()).finish(DEADLINE);
    wait_for("all readings on the source", DEADLINE, || {
        rig.readings(0) == usize::try_from(MESSAGES).unwrap() * CHANNELS
    });
    wait_for("readings to leave the queue", DEADLINE, || {
        rig.scene.assert_reconciled()["compared"] == KEPT_FRAMES * CHANNELS
    });
    assert_eq!(rig.readings(1), 0, "the delayed one has nothing yet");
    let lags = || rig.shown().iter().map(|shown| shown["lag_ms"].as_u64()).collect::<Vec<_>>();
    wait_for("the lag of each", DEADLINE, || {
        matches!(lags().as_slice(), [Some(0), Some(1..), Some(0), Some(0), Some(0)])
    });
}

/// A source, a delayed replica, one that leaves out a table, one that may have transactions of its own, one without binary log.
fn odd_replicas() -> Cluster {
    let odd: [&[&str]; 5] = [
        WRITABLE,
        &[],
        &["--replicate-wild-ignore-table=field.event%"],
        &["--gtid-strict-mode=OFF"],
        &["--skip-log-bin", "--log-slave-updates=OFF"],
    ];
    let servers: Vec<Server> = odd.iter().zip(1..).map(|(arguments, id)| Server::start_with(id, arguments)).collect();
    servers[1..].iter().for_each(|replica| replica.follow(&servers[0]));
    Cluster { servers, started_in: Duration::ZERO }
}

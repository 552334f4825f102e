//! The time that the gateway writes while there is nothing to write.

use std::time::{Duration, Instant};

use fieldgate_tests::mariadb::{Cluster, Server};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::Scene;

use crate::rig::{DEADLINE, Rig};

/// What the gateway promises.
const EVERY: Duration = Duration::from_secs(10);

#[test]
fn an_idle_gateway_writes_one_small_transaction_in_ten_seconds_and_a_replica_that_lacks_it_lags() {
    let cluster = Cluster::start(1);
    let names = cluster.addresses();
    let mut rig = Rig::of(cluster, names, |settings| settings);
    rig.scene.publish("plants/shed", "{\"seq\": 1, \"t\": 20.5}");
    rig.scene.wait_rows(1, 1);
    let lag = |rig: &Rig, server: usize| rig.shown().get(server).and_then(|shown| shown["lag_ms"].as_u64());
    wait_for("no lag", DEADLINE, || [lag(&rig, 0), lag(&rig, 1)] == [Some(0), Some(0)]);

    rig.server(1).stop_sql_thread();
    let (start, first) = (next_beat(&rig.scene), transactions(rig.server(0)));
    wait_for("a lag", DEADLINE, || lag(&rig, 1) > Some(0));
    next_beat(&rig.scene);
    let (took, written) = (start.elapsed(), transactions(rig.server(0)) - first);
    println!("{written} transactions in {:.1} s", took.as_secs_f64());
    assert!(written == 1 && took + Duration::from_millis(500) >= EVERY, "{written} in {took:?}");
    wait_for("a lag of one heartbeat", DEADLINE, || lag(&rig, 1) >= Some(10_000));

    rig.server(1).start_replication();
    wait_for("no lag any more", DEADLINE, || lag(&rig, 1) == Some(0));
    assert_eq!(rig.readings(0), 1, "a heartbeat is no reading");
    assert_eq!(rig.server(0).query("SELECT MAX(last_seq) FROM field.streams"), [["1"]]);
}

/// When the source shows another time than now.
fn next_beat(scene: &Scene) -> Instant {
    let shown = || scene.cluster.source().query("SELECT MAX(updated_at) FROM field.streams");
    let before = shown();
    wait_for("a heartbeat", DEADLINE, || shown() != before);
    Instant::now()
}

/// The number of the last one in the binary log.
fn transactions(server: &Server) -> u64 {
    let position = server.gtid_position();
    position.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a position")
}

//! The database is away, or fails over, while a gateway takes over.

use std::time::{Duration, Instant};

use fieldgate_tests::forwarder::Forwarder;
use fieldgate_tests::mariadb::{Cluster, RelayLog, WRITABLE};
use fieldgate_tests::process::wait_for;

use crate::town::{NOBODY, Town, with_a_line};

/// An active gateway waits for a database for so long.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_claim_that_a_failover_loses_is_made_again_and_nothing_is_lost_or_doubled() {
    let mut town = Town::of(with_a_line(1).start());
    let replica = 1;
    town.pair.wait_more_of(replica, 0, 200);
    town.pair.cluster.servers[replica].stop_replication();
    town.pair.wait_more_of(0, 0, 200);
    town.pair.gateways[0].kill9();
    town.pair.wait_more_of(0, 1, 100);
    assert_eq!(town.pair.holder(0), ("two".to_owned(), 2));
    assert_eq!(town.pair.holder(replica), ("one".to_owned(), 1));
    town.pair.cluster.servers[0].kill9();
    town.pair.cluster.servers[replica].promote(RelayLog::Apply);
    let promoted = Instant::now();
    town.pair.wait_more_of(replica, 1, 100);
    println!("100 readings {:.2} s after the promoted server took writes", promoted.elapsed().as_secs_f64());
    assert_eq!(town.pair.holder(replica), ("two".to_owned(), 2));
    town.pair.start_gateway(0);
    town.pair.wait_roles(["standby", "active"]);
    town.wait_published(50);
    town.finish(replica);
}

#[test]
#[ignore = "soak: a database away during a takeover takes half a minute: make soak ONLY=standby"]
fn a_takeover_without_a_database_is_claimed_when_it_returns() {
    let mut town = Town::of(with_a_line(1).start());
    town.pair.wait_more_of(0, 0, 200);
    town.pair.cluster.servers[0].kill9();
    town.wait_published(50);
    town.pair.gateways[0].kill9();
    println!("active {:.2} s after the kill, without a database", town.pair.wait_role(1, "active").as_secs_f64());
    town.wait_published(50);
    town.pair.gateways[0].start();
    town.pair.wait_heard(0);
    town.pair.wait_roles(["standby", "active"]);
    town.wait_published(50);
    town.pair.cluster.servers[0].restart(WRITABLE);
    town.pair.wait_more_of(0, 1, 100);
    assert_eq!(town.pair.holder(0).0, "two");
    town.finish(0);
}

#[test]
#[ignore = "soak: a way to the database that is cut for half a minute: make soak ONLY=standby"]
fn the_turn_goes_to_the_one_that_reaches_the_database_and_nothing_is_lost_or_doubled() {
    let cluster = Cluster::start(0);
    let way = Forwarder::to(cluster.servers[0].address());
    let address = way.address().to_string();
    let pair = with_a_line(0).prepare_on(
        cluster,
        |index, settings| {
            if index == 0 { settings.servers([&address]) } else { settings }
        },
    );
    let mut town = Town::of(pair.started());
    town.pair.wait_more_of(0, 0, 100);
    way.move_to(NOBODY.parse().expect("an address"));
    let cut = Instant::now();
    wait_for("the other one to be active", PATIENCE * 2, || town.pair.role(1) == "active");
    town.pair.wait_role(0, "standby");
    let reason = town.pair.standby(1)["reason"].to_string();
    assert!(reason.contains("gives up its turn"), "{reason}");
    town.pair.wait_more_of(0, 1, 100);
    println!("{:.1} s after the way was cut the other one delivers", cut.elapsed().as_secs_f64());
    way.move_to(town.pair.cluster.servers[0].address());
    town.wait_published(50);
    town.finish(0);
    assert_eq!(town.pair.holder(0), ("two".to_owned(), 2));
}

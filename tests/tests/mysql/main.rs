//! The gateway with MySQL servers: the same promises as with MariaDB, and what is different there. Without a MySQL server
//! at hand each of these tests is left out, and says so.

#[path = "../values/orders.rs"]
mod orders;
use fieldgate_tests::site;
#[allow(dead_code, reason = "the values of the other family use all of it")]
#[path = "../values/stored.rs"]
mod stored;

mod away;
mod failover;
mod reader;
mod standby;
mod values;

use fieldgate_tests::mariadb::{Cluster, Family};

/// A source and so many replicas of MySQL.
fn mysql(replicas: usize) -> Cluster {
    let cluster = Cluster::start_of(Family::MySql, replicas, &[]);
    println!("a source and {replicas} replicas in {:.1} s", cluster.started_in.as_secs_f64());
    cluster
}

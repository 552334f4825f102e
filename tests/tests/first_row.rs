//! The main path on real parts: nodes, broker, gateway, source and replicas.

use std::time::Duration;

use fieldgate_tests::audit::Audit;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;

#[test]
fn readings_reach_the_source_and_both_replicas_once() {
    let cluster = Cluster::start(2);
    let broker = Broker::start(Limits::Default);
    let mut gateway = Gateway::named("g1").servers(cluster.addresses()).broker(broker.address()).build();
    gateway.apply_schema();
    gateway.start();
    gateway.wait_log("connected to the broker", Duration::from_secs(10));
    let mut node = Node::named("shed").rate(0.0).count(500).start(broker.address());
    let log = node.finish(Duration::from_secs(30));
    let wanted = (log.acknowledged.len() * log.channels).to_string();
    let rows = "SELECT COALESCE(SUM(last_seq), 0) FROM field.streams";
    for server in &cluster.servers {
        fieldgate_tests::process::wait_for("all rows everywhere", Duration::from_secs(20), || {
            let found = server.query(rows)[0][0].clone();
            if found != wanted {
                eprintln!("{found} of {wanted}; {}", gateway.log());
                std::thread::sleep(Duration::from_secs(3));
            }
            found == wanted
        });
    }
    for server in &cluster.servers {
        Audit::take(server, std::slice::from_ref(&log)).assert_clean();
    }
    let reconciled = gateway.command(&["db", "reconcile"]);
    println!("{}{}", String::from_utf8_lossy(&reconciled.stdout), String::from_utf8_lossy(&reconciled.stderr));
    assert!(reconciled.status.success());
    assert_eq!(gateway.terminate(Duration::from_secs(20)), 0);
    println!("{}", gateway.log());
}

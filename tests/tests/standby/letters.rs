//! What the database refused of two gateways, once it takes it.

use std::time::Duration;

use fieldgate_tests::node::Node;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::plain_node::PlainNode;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, number};

const PLAIN: &str = "plain";

/// Each of the two brings a reading that the database refuses to the other one, and has a dead letter of it.
#[test]
fn a_refused_reading_of_both_becomes_one_row_when_it_is_retried() {
    let pair = Pair::with(0).line().start();
    let server = &pair.cluster.servers[0];
    server
        .execute("ALTER TABLE field.readings ADD CONSTRAINT few CHECK (node_seq IS NULL OR node_seq NOT IN (20, 30))");
    server.execute(
        "ALTER TABLE field.readings ADD CONSTRAINT numbered CHECK (node_seq IS NOT NULL OR value_int IS NULL)",
    );
    let mut node = Node::named("greenhouse").rate(50.0).start(pair.broker.address());
    node.wait_acknowledged(60, DEADLINE);
    let log = node.terminate();
    let letters =
        |state: &str| number(server, &format!("SELECT COUNT(*) FROM field.dead_letters WHERE state = '{state}'"));
    wait_for("the letters of both", DEADLINE, || letters("new") == 4 * log.channels);
    let plain = PlainNode::each(PLAIN, Duration::from_secs(2), pair.broker.address());
    wait_for("one without a number", DEADLINE, || letters("new") > 4 * log.channels);
    assert_eq!(plain.finish(), 1);
    wait_for("those without a number", DEADLINE, || letters("new") == 4 * log.channels + 2);
    server.execute("ALTER TABLE field.readings DROP CONSTRAINT few, DROP CONSTRAINT numbered");
    let retried = pair.gateways[0].command(&["db", "deadletters", "retry", "--all"]);
    println!("{}", String::from_utf8_lossy(&retried.stdout));
    assert_eq!(retried.status.code(), Some(0), "{}", String::from_utf8_lossy(&retried.stderr));
    assert_eq!((letters("retried"), letters("left out")), (2 * log.channels + 2, 2 * log.channels));
    let password = pair.gateways[0].config_file().with_file_name("admin-password");
    let admin = ["--admin-user", "admin", "--admin-password-file", password.to_str().expect("a plain path")];
    let dropped = pair.gateways[0].command(&[&["db", "deadletters", "drop", "--all"], &admin[..]].concat());
    assert_eq!(dropped.status.code(), Some(0), "{}", String::from_utf8_lossy(&dropped.stderr));
    println!("{}", pair.finish(0, &[log]));
    assert_eq!(pair.wait_plain(0, PLAIN, 1).marked, 2);
}

//! Two real gateways, a serial line between them, a broker that both hear, and servers that replicate.

use fieldgate_tests::node::Node;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::scenario::DEADLINE;

#[test]
fn when_the_active_one_is_killed_the_other_goes_on_and_nothing_is_lost_or_doubled() {
    let mut pair = Pair::start(1);
    let mut node = Node::named("greenhouse").rate(100.0).start(pair.broker.address());
    node.wait_acknowledged(100, DEADLINE);
    pair.gateways[0].kill9();
    pair.wait_role(1, "active");
    let so_far = node.log().acknowledged.len();
    node.wait_acknowledged(so_far + 100, DEADLINE);
    let log = node.terminate();
    for sql in ["SELECT * FROM field.standby_groups", "SELECT s.gateway, p.* FROM field.standby_spans p JOIN field.streams s USING (stream)", "SELECT * FROM field.left_out", "SELECT s.gateway, s.last_seq, MIN(r.sampled_at), MAX(r.sampled_at), COUNT(*) FROM field.readings r JOIN field.streams s USING (stream) GROUP BY 1,2", "SELECT * FROM field.readings ORDER BY node_seq LIMIT 4", "SELECT at, gateway, kind, text FROM field.events"] { println!("{sql}"); for row in pair.cluster.servers[0].query(sql) { println!("   {row:?}"); } }
    let audit = pair.wait_clean(0, &[log.clone()]);
    println!("{audit}");
    pair.start_gateway(0);
    pair.wait_role(0, "standby");
    pair.wait_clean(0, &[log]);
}

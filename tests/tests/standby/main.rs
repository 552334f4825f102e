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
    let audit = pair.wait_clean(0, std::slice::from_ref(&log));
    println!("{audit}");
    pair.start_gateway(0);
    pair.wait_role(0, "standby");
    pair.wait_clean(0, &[log]);
}

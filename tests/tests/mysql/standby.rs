//! A takeover: the locks, the look by identity and the marks are the same SQL on both families.

use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::node::Node;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::scenario::DEADLINE;

#[test]
fn when_the_active_gateway_is_killed_the_other_goes_on_and_nothing_is_lost_or_doubled() {
    if !is_at_hand("a takeover with a source of MySQL") {
        return;
    }
    let mut pair = Pair::with(0).line().start_on(super::mysql(0));
    let mut node = Node::named("greenhouse").rate(100.0).start(pair.broker.address());
    node.wait_acknowledged(100, DEADLINE);
    pair.gateways[0].kill9();
    pair.wait_role(1, "active");
    node.wait_acknowledged(300, DEADLINE);
    let log = node.terminate();
    pair.wait_clean(0, std::slice::from_ref(&log));
    pair.start_gateway(0);
    pair.wait_role(0, "standby");
    pair.wait_clean(0, &[log]);
}

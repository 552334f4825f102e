//! Brokers of which the two gateways do not hear the same. The nodes have no number: nothing but time tells what the other one has.

use std::time::{Duration, Instant};

use fieldgate_tests::forwarder::Forwarder;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::plain_node::PlainNode;
use fieldgate_tests::process::wait_for;

use crate::town::{NOBODY, Town, rows_of, with_a_line};

const FAR_NODE: &str = "far";
/// Longer than a broker that nobody reaches is waited for.
const LONG: Duration = Duration::from_secs(60);

fn also(broker: impl std::fmt::Display) -> String {
    format!("[[mqtt]]\nbroker = \"mqtt://{broker}\"\ntopics = [\"plants/{{node}}\"]\n")
}

fn far_rows(town: &Town) -> usize {
    rows_of(&town.pair.cluster.servers[0], FAR_NODE)
}

/// The active one hears one of two brokers, and a span that goes on with it would say that it hears both.
#[test]
#[ignore = "soak: a broker that only one of the two reaches takes half a minute: make soak ONLY=standby"]
fn what_only_the_standby_hears_of_one_of_two_brokers_is_not_lost() {
    let far = Broker::start(Limits::Large);
    let way = Forwarder::to(far.address());
    let addresses = [way.address().to_string(), far.address().to_string()];
    let mut town =
        Town::of(with_a_line(0).prepare_with(|index, settings| settings.toml(&also(&addresses[index]))).started());
    let node = PlainNode::start(FAR_NODE, 20, far.address());
    wait_for("the far node", LONG, || far_rows(&town) > 50);
    way.move_to(NOBODY.parse().expect("an address"));
    town.let_pass(Duration::from_secs(8));
    let before = far_rows(&town);
    let begun = Instant::now();
    wait_for("rows of the far node by the standby", LONG, || far_rows(&town) > before + 20);
    println!("{:.1} s until the next rows of what only the standby hears", begun.elapsed().as_secs_f64());
    assert!(town.pair.keeps_roles(["active", "standby"], Duration::from_secs(1)));
    let sent = node.finish();
    // Its way stays cut: the other broker's kept messages never come.
    town.finish(0);
    town.pair.wait_plain(0, FAR_NODE, sent);
}

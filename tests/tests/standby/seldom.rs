//! A node without an identity that speaks seldom, while others never stop. Nothing breaks.

use std::time::Duration;

use fieldgate_tests::plain_node::PlainNode;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;

use crate::town::{rows_of, with_a_line};

const SELDOM: &str = "attic";
/// Longer than the edge of a takeover, in which nobody could tell.
const PAUSE: Duration = Duration::from_millis(2500);

#[test]
fn a_node_that_seldom_speaks_stands_once_while_nothing_breaks() {
    let mut pair = with_a_line(0).start();
    let plain = PlainNode::each(SELDOM, PAUSE, pair.broker.address());
    wait_for("a few messages", DEADLINE, || rows_of(&pair.cluster.servers[0], SELDOM) >= 3);
    let sent = plain.finish();
    let wired = pair.wired.as_mut().expect("a node on a wire");
    wired.freeze();
    let log = wired.log().heard();
    pair.finish(0, &[log]);
    let audit = pair.wait_plain(0, SELDOM, sent);
    assert!(audit.doubled.is_empty(), "stand twice: {:?}", audit.doubled);
}

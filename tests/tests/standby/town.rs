//! What speaks in every story: a node on the broker and one on a wire, both with an identity, and one without.

use std::time::Duration;

use fieldgate_tests::audit::Audit;
use fieldgate_tests::mariadb::Server;
use fieldgate_tests::node::Node;
use fieldgate_tests::pair::{Pair, PairBuilder};
use fieldgate_tests::plain_node::{PlainAudit, PlainNode};
use fieldgate_tests::scenario::{DEADLINE, count};

const PLAIN: &str = "plain";

/// Where nobody listens.
pub const NOBODY: &str = "127.0.0.1:9";

/// The rows of a node.
pub fn rows_of(server: &Server, node: &str) -> usize {
    count(server, &format!("readings r JOIN field.channels c USING (channel_id) WHERE c.node = '{node}'"))
}

/// A pair and its nodes.
#[derive(Debug)]
pub struct Town {
    // Before the broker that they publish to.
    node: Node,
    plain: Option<PlainNode>,
    /// The gateways and what is around them.
    pub pair: Pair,
}

/// A serial line between the two and a node on a wire to both.
pub fn with_a_line(replicas: usize) -> PairBuilder {
    Pair::with(replicas).line().wired_node()
}

impl Town {
    /// The nodes, added to a pair, have spoken when this returns.
    pub fn of(pair: Pair) -> Self {
        let address = pair.broker.address();
        let node = Node::named("greenhouse").rate(50.0).start(address);
        let plain = Some(PlainNode::start(PLAIN, 20, address));
        let mut town = Self { node, plain, pair };
        town.wait_published(30);
        town
    }

    /// Returns when so many more messages have been published.
    pub fn wait_published(&mut self, messages: usize) {
        let before = self.node.log().acknowledged.len();
        self.node.wait_acknowledged(before + messages, DEADLINE);
    }

    /// Returns about so long later, by the number of messages that are published in that time.
    pub fn let_pass(&mut self, span: Duration) {
        self.wait_published(usize::try_from(span.as_millis() / 20).expect("a short span"));
    }

    /// The nodes end, and both gateways come to rest.
    ///
    /// # Panics
    /// When a reading with an identity is not exactly one row, or one without is missing or stands twice without a mark.
    pub fn finish(&mut self, server: usize) -> (Audit, PlainAudit) {
        let mut logs = vec![self.node.terminate()];
        if let Some(wired) = &mut self.pair.wired {
            // It stays plugged in: what it said last is on its way.
            wired.freeze();
            logs.push(wired.log().heard());
        }
        let sent = self.plain.take().expect("a story ends once").finish();
        let audit = self.pair.finish(server, &logs);
        (audit, self.pair.wait_plain(server, PLAIN, sent))
    }
}

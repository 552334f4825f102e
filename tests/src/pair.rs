//! Two gateways of one site, with links between them, a broker that both hear, and a source with replicas.

mod builder;
mod quiet;
mod told;

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::address::Address;
use crate::crossed_line::CrossedLine;
use crate::gateway::Gateway;
use crate::mailbox::Mailbox;
use crate::mariadb::Cluster;
use crate::mosquitto::Broker;
use crate::process::wait_for;
use crate::scenario::DEADLINE;
use crate::serial_node::SerialNode;

pub use builder::{PairBuilder, SENSOR, WIRED_NODE};
pub use told::first_after;

/// The names of the two; the first one goes first.
pub const NAMES: [&str; 2] = ["one", "two"];
/// A gateway that heard nothing for so long takes over.
pub const SILENCE: Duration = Duration::from_secs(1);

/// The pair. When a test fails, dropping it shows the end of both logs.
#[derive(Debug)]
pub struct Pair {
    // Each before what it depends on: the fields are dropped in this order.
    /// The gateways, in the order of their priority.
    pub gateways: [Gateway; 2],
    /// The cable between them.
    pub line: CrossedLine,
    /// The mailbox between them, and the bus that both can ask.
    pub mailbox: Option<Mailbox>,
    /// A node on a wire that both hear.
    pub wired: Option<SerialNode>,
    /// The broker that both hear.
    pub broker: Broker,
    /// A source and its replicas.
    pub cluster: Cluster,
    _network: [Address; 2],
    /// For the ports of the wired node.
    _folder: TempDir,
}

impl Pair {
    /// What the two have; tell, then `prepare` or `start`.
    pub fn with(replicas: usize) -> PairBuilder {
        PairBuilder::new(replicas)
    }

    /// Both run, with a serial line between them: the first one is active, the second one stands by, and both hear the
    /// broker.
    pub fn start(replicas: usize) -> Self {
        Self::with(replicas).line().start()
    }

    /// Both run, once they were prepared: the first one is active, the second one stands by, and both hear the broker.
    pub fn started(mut self) -> Self {
        self.start_gateway(0);
        self.wait_role(0, "active");
        self.start_gateway(1);
        self.wait_role(1, "standby");
        self
    }

    /// Starts one of them; returns when it hears the broker and is connected to the source.
    pub fn start_gateway(&mut self, index: usize) {
        self.gateways[index].start();
        self.gateways[index].wait_log("connected to the source", DEADLINE);
        self.wait_heard(index);
    }

    /// Returns when a gateway that was started hears the broker.
    pub fn wait_heard(&mut self, index: usize) {
        let id = format!("fieldgate-{}", NAMES[index]);
        self.gateways[index].wait_log("connected to the broker", DEADLINE);
        wait_for("the gateway's subscription", DEADLINE, || self.broker.log().contains(&format!(": {id} 1 ")));
    }

    /// What a gateway says of itself; null while it does not answer.
    pub fn standby(&self, index: usize) -> Value {
        self.gateways[index].ask("Status").map_or(Value::Null, |status| status["standby"].clone())
    }

    /// The role of a gateway; empty while it does not answer.
    pub fn role(&self, index: usize) -> String {
        self.standby(index)["role"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns when a gateway has this role, with how long that took.
    pub fn wait_role(&self, index: usize, role: &str) -> Duration {
        let begun = Instant::now();
        wait_for(&format!("{} to be {role}", NAMES[index]), DEADLINE, || self.role(index) == role);
        begun.elapsed()
    }

    /// Returns when the roles of the two are these.
    pub fn wait_roles(&self, roles: [&str; 2]) {
        for (index, role) in roles.iter().enumerate() {
            self.wait_role(index, role);
        }
        assert_eq!([self.role(0), self.role(1)], roles, "a role changed while the other was waited for");
    }

    /// Returns when one is active and the other stands by, with which is active.
    pub fn wait_one_active(&self) -> usize {
        let mut roles = Default::default();
        wait_for("one active and one standby", DEADLINE, || {
            roles = [self.role(0), self.role(1)];
            roles == ["active", "standby"] || roles == ["standby", "active"]
        });
        usize::from(roles[1] == "active")
    }

    /// Which of the two is active.
    ///
    /// # Panics
    /// When not exactly one is.
    pub fn active(&self) -> usize {
        let active: Vec<usize> = (0..2).filter(|&index| self.role(index) == "active").collect();
        assert_eq!(active.len(), 1, "active are {active:?}");
        active[0]
    }
}

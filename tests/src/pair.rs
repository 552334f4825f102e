//! Two gateways of one site, with a serial line between them, a broker that both hear, and a source with replicas.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::audit::{Audit, NodeLog};
use crate::crossed_line::CrossedLine;
use crate::gateway::{Gateway, GatewayBuilder};
use crate::mariadb::Cluster;
use crate::mosquitto::{Broker, Limits};
use crate::process::wait_for;
use crate::scenario::DEADLINE;

/// The names of the two; the first one goes first.
pub const NAMES: [&str; 2] = ["one", "two"];

/// The pair. When a test fails, dropping it shows the end of both logs.
#[derive(Debug)]
pub struct Pair {
    // Each before what it depends on: the fields are dropped in this order.
    /// The gateways, in the order of their priority.
    pub gateways: [Gateway; 2],
    /// The cable between them.
    pub line: CrossedLine,
    /// The broker that both hear.
    pub broker: Broker,
    /// A source and its replicas.
    pub cluster: Cluster,
}

impl Pair {
    /// Both gateways are made and none has been started.
    pub fn prepare(replicas: usize, settings: impl Fn(usize, GatewayBuilder) -> GatewayBuilder) -> Self {
        Self::prepare_with(Cluster::start(replicas), settings)
    }

    /// The same with these servers.
    pub fn prepare_with(cluster: Cluster, settings: impl Fn(usize, GatewayBuilder) -> GatewayBuilder) -> Self {
        let (broker, line) = (Broker::start(Limits::Large), CrossedLine::new());
        let gateway = |index: usize| {
            let builder = Gateway::named(NAMES[index]).servers(cluster.addresses()).broker(broker.address());
            let standby = format!(
                "[standby]\npriority = {}\nbeat = \"200 ms\"\nsilence = \"1 s\"\nlinks = [{{ kind = \"serial\", port = \"{}\" }}]\n",
                index + 1,
                line.port(index).display()
            );
            settings(index, builder.set("mysql", "probe_period", "200 ms").toml(&standby)).build()
        };
        let gateways = [gateway(0), gateway(1)];
        gateways[0].apply_schema();
        Self { gateways, line, broker, cluster }
    }

    /// Both run: the first one is active, the second one stands by, and both hear the broker.
    pub fn start(replicas: usize) -> Self {
        Self::prepare(replicas, |_, settings| settings).started()
    }

    /// Starts both.
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
        let id = format!("fieldgate-{}", NAMES[index]);
        self.gateways[index].wait_log("connected to the broker", DEADLINE);
        wait_for("the gateway's subscription", DEADLINE, || self.broker.log().contains(&format!(": {id} 1 ")));
    }

    /// What a gateway says of itself; null while it does not answer.
    pub fn standby(&self, index: usize) -> Value {
        self.gateways[index].ask("Status").map_or(Value::Null, |status| status["standby"].clone())
    }

    /// Returns when a gateway has this role, with how long that took.
    pub fn wait_role(&self, index: usize, role: &str) -> Duration {
        let begun = Instant::now();
        wait_for(&format!("{} to be {role}", NAMES[index]), DEADLINE, || self.standby(index)["role"] == role);
        begun.elapsed()
    }

    /// Returns when the source has every reading of these nodes, once, and both gateways have dealt with all they hold.
    pub fn wait_clean(&self, server: usize, nodes: &[NodeLog]) -> Audit {
        let begun = Instant::now();
        loop {
            let audit = Audit::take(&self.cluster.servers[server], nodes);
            let is_over = begun.elapsed() > DEADLINE;
            if audit.is_clean() || is_over {
                assert!(audit.is_clean(), "{audit}");
                return audit;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if thread::panicking() {
            for (name, gateway) in NAMES.iter().zip(&self.gateways) {
                let log = gateway.log();
                let lines: Vec<&str> = log.lines().collect();
                eprintln!("--- log of {name} ---\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
            }
        }
    }
}

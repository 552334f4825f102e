//! Servers, a gateway and a node that publishes all the time.

use std::fmt::Display;
use std::time::Duration;

use fieldgate_tests::audit::{Audit, NodeLog};
use fieldgate_tests::gateway::{Gateway, GatewayBuilder};
use fieldgate_tests::mariadb::{Cluster, Server};
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{Scene, count};
use serde_json::Value;

/// Several sites run at once here, beside whatever else the machine does.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Rig {
    // Before the broker that it publishes to.
    node: Option<Node>,
    log: Vec<NodeLog>,
    pub scene: Scene,
}

impl Rig {
    /// A source with so many replicas, and a gateway that is connected to it; 40 readings a second.
    pub fn start(replicas: usize) -> Self {
        let cluster = Cluster::start(replicas);
        let servers = cluster.addresses();
        Self::of(cluster, servers, |settings| settings).with_load()
    }

    /// These servers, and a gateway that knows them by these names. The first is the source.
    pub fn of<S: Display>(
        cluster: Cluster,
        names: impl IntoIterator<Item = S>,
        settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let broker = Broker::start(Limits::Large);
        let builder = Gateway::named("g1").servers(names).broker(broker.address());
        let gateway = settings(builder.set("mysql", "probe_period", "200 ms")).build();
        let mut scene = Scene { gateway, broker, cluster };
        scene.gateway.apply_schema();
        scene.start_gateway();
        Self { node: None, log: Vec::new(), scene }
    }

    /// A node begins to publish.
    pub fn with_load(mut self) -> Self {
        self.node = Some(Node::named("shed").rate(20.0).start(self.scene.broker.address()));
        self.wait_more(0, 50);
        self
    }

    pub fn server(&mut self, index: usize) -> &mut Server {
        &mut self.scene.cluster.servers[index]
    }

    pub fn address(&self, index: usize) -> String {
        self.scene.cluster.servers[index].address().to_string()
    }

    pub fn readings(&self, server: usize) -> usize {
        count(&self.scene.cluster.servers[server], "readings")
    }

    /// Returns when a server has at least so many more readings than now.
    pub fn wait_more(&self, server: usize, readings: usize) {
        let enough = self.readings(server) + readings;
        wait_for(&format!("{enough} readings on server {server}"), DEADLINE, || self.readings(server) >= enough);
    }

    /// Returns when the node has had so many more messages acknowledged: the gateway has had that much time to write them.
    pub fn wait_published(&mut self, messages: usize) {
        let node = self.node.as_mut().expect("a node publishes");
        let before = node.log().acknowledged.len();
        node.wait_acknowledged(before + messages, DEADLINE);
    }

    /// Returns when the gateway's log says this.
    pub fn wait_said(&mut self, words: &str) {
        self.scene.gateway.wait_log(words, DEADLINE);
    }

    /// What `status --servers` shows of each server.
    pub fn shown(&self) -> Vec<Value> {
        let status = self.scene.gateway.ask("Status").unwrap_or_default();
        status["servers"].as_array().cloned().unwrap_or_default()
    }

    /// Returns when the note of a server contains this.
    pub fn wait_note(&self, server: usize, words: &str) {
        let note = || self.shown().get(server).map(|shown| shown["note"].to_string()).unwrap_or_default();
        wait_for(&format!("{words:?} beside server {server}"), DEADLINE, || note().contains(words));
    }

    /// Ends the node; panics unless everything that it published is on the source, once, and the auditor agrees.
    pub fn finish(&mut self, source: usize) {
        self.log.extend(self.node.take().map(|mut node| node.terminate()));
        let server = &self.scene.cluster.servers[source];
        wait_for("every reading on the source", DEADLINE, || Audit::take(server, &self.log).lost.is_empty());
        wait_for("an empty queue", DEADLINE, || self.scene.assert_reconciled()["waiting"] == 0);
        self.assert_once(source);
    }

    /// Returns when a replica has everything of the source, once.
    pub fn assert_replica_once(&self, replica: usize, source: usize) {
        let servers = &self.scene.cluster.servers;
        servers[replica].wait_for_gtid(&servers[source].gtid_position());
        self.assert_once(replica);
    }

    fn assert_once(&self, server: usize) {
        Audit::take(&self.scene.cluster.servers[server], &self.log).assert_clean();
    }
}

/// Nothing is left to apply, and nothing more comes.
pub fn stop_when_applied(replica: &Server) {
    replica.stop_io_thread();
    let received = replica.replication_status("Gtid_IO_Pos").expect("a replica");
    replica.wait_for_gtid(&received);
    replica.stop_replication();
}

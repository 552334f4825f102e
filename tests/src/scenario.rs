//! A whole site for a test: servers, a broker and a gateway that is connected to both, and what tests wait for.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::artifacts::installed_program;
use crate::gateway::{Gateway, GatewayBuilder};
use crate::mariadb::{Cluster, Server};
use crate::mosquitto::{Broker, Limits};
use crate::process::wait_for;

/// Nothing that a test waits for takes longer on a busy small machine.
pub const DEADLINE: Duration = Duration::from_secs(20);
const LOG_LINES_SHOWN: usize = 60;

/// A site. When a test fails, dropping it shows the end of the gateway's log.
#[derive(Debug)]
pub struct Scene {
    // Each before what it depends on: the fields are dropped in this order.
    /// The gateway.
    pub gateway: Gateway,
    /// The broker that it hears.
    pub broker: Broker,
    /// The servers that it writes to: a source and its replicas.
    pub cluster: Cluster,
}

impl Scene {
    /// A source with two replicas, a broker, and a gateway that is connected to source and broker.
    pub fn start() -> Self {
        Self::start_with(2, |settings| settings)
    }

    /// The same with so many replicas and more settings for the gateway.
    pub fn start_with(replicas: usize, settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        Self::start_at(Cluster::start(replicas), settings)
    }

    /// Servers without our tables, a broker, and a gateway that has not been started.
    pub fn prepare(replicas: usize, settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        Self::prepare_with(Cluster::start(replicas), settings)
    }

    /// Like `start_with`, with these servers.
    pub fn start_at(cluster: Cluster, settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let mut scene = Self::prepare_with(cluster, settings);
        scene.gateway.apply_schema();
        scene.start_gateway();
        scene
    }

    /// The same with servers that run already.
    pub fn prepare_with(cluster: Cluster, settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let broker = Broker::start(Limits::Large);
        let builder = Gateway::named("g1").servers(cluster.addresses()).broker(broker.address());
        let gateway = settings(builder.set("mysql", "probe_period", "200 ms")).build();
        Self { gateway, broker, cluster }
    }

    /// Starts the gateway; returns when it is connected to broker and source.
    pub fn start_gateway(&mut self) {
        self.gateway.start();
        self.gateway.wait_log("connected to the source", DEADLINE);
        self.wait_heard();
    }

    /// Returns when the gateway hears its broker: what is published from then on reaches it.
    pub fn wait_heard(&mut self) {
        self.gateway.wait_log("connected to the broker", DEADLINE);
        let id = "fieldgate-g1";
        wait_for("the gateway's subscription", DEADLINE, || self.broker.log().contains(&format!(": {id} 1 ")));
    }

    /// Returns when the server has exactly so many readings; more can never become fewer, so they fail at once.
    pub fn wait_rows(&self, server: usize, readings: usize) {
        let server = &self.cluster.servers[server];
        let mut found = 0;
        let complete = || {
            found = count(server, "readings");
            assert!(found <= readings, "{found} readings instead of {readings} on {}", server.address());
            found == readings
        };
        wait_for(&format!("{readings} readings on {}", server.address()), DEADLINE, complete);
    }

    /// Returns when the source (the server that takes writes) has all that the queue has, and every replica what the
    /// source has; the auditor's answer then.
    pub fn wait_drained(&self) -> Value {
        let start = Instant::now();
        let report = loop {
            let answer = self.reconcile();
            let report: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
            if answer.status.code() == Some(0) && report["waiting"] == 0 {
                break report;
            }
            let complaint = String::from_utf8_lossy(&answer.stderr);
            assert!(start.elapsed() < DEADLINE, "the queue does not become drained:\n{report:#}\n{complaint}");
        };
        let written = self.cluster.source().gtid_position();
        self.cluster.replicas().iter().for_each(|replica| replica.wait_for_gtid(&written));
        report
    }

    /// Returns when the running gateway has given at least so many numbers, over all its streams: what it collects
    /// while no database can be asked.
    pub fn wait_queued(&self, numbers: u64) {
        wait_for(&format!("{numbers} numbers in the queue"), DEADLINE, || self.gateway.queued() >= numbers);
    }

    /// `fieldgate db reconcile --json`.
    pub fn reconcile(&self) -> Output {
        self.gateway.command(&["db", "reconcile", "--json"])
    }

    /// The auditor's answer. Panics unless nothing is lost, doubled or changed.
    pub fn assert_reconciled(&self) -> Value {
        let answer = self.reconcile();
        let text = String::from_utf8_lossy(&answer.stdout);
        let complaint = String::from_utf8_lossy(&answer.stderr);
        assert_eq!(answer.status.code(), Some(0), "reconcile found something:\n{text}{complaint}");
        serde_json::from_slice(&answer.stdout).expect("reconcile's JSON")
    }

    /// Publishes one message with QoS 1; returns when the broker has it.
    pub fn publish(&self, topic: &str, payload: impl AsRef<[u8]>) {
        self.mosquitto_pub(&["-s", "-t", topic], payload.as_ref());
    }

    /// Publishes each line as a message, in this order, with QoS 1; returns when the broker has them all.
    pub fn publish_lines<L: AsRef<str>>(&self, topic: &str, lines: impl IntoIterator<Item = L>) {
        let text: String = lines.into_iter().map(|line| format!("{}\n", line.as_ref())).collect();
        self.mosquitto_pub(&["-l", "-t", topic], text.as_bytes());
    }

    /// `mosquitto_pub` with these arguments and this input.
    pub fn mosquitto_pub(&self, arguments: &[&str], input: &[u8]) {
        let mut command = Command::new(installed_program("mosquitto_pub", "mosquitto-clients"));
        command.args(["-V", "mqttv5", "-q", "1", "-h", &self.broker.address().ip().to_string()]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("mosquitto_pub can be run");
        child.stdin.take().expect("its input").write_all(input).expect("mosquitto_pub reads its input");
        let status = child.wait().expect("mosquitto_pub ends");
        assert!(status.success(), "mosquitto_pub {arguments:?}: {status}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.gateway.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
            eprintln!("the gateway's log since its last start ends with:\n{end}");
        }
    }
}

/// The rows of one of our tables.
pub fn count(server: &Server, table: &str) -> usize {
    number(server, &format!("SELECT COUNT(*) FROM field.{table}"))
}

/// The single number of an answer.
pub fn number(server: &Server, sql: &str) -> usize {
    let answer = server.query(sql).concat().concat();
    answer.parse().unwrap_or_else(|_| panic!("{answer:?} is no number; asked: {sql}"))
}

/// The oldest stream on this server, as its number in SQL.
pub fn first_stream(server: &Server) -> String {
    server.query("SELECT stream FROM field.streams ORDER BY started_at, stream LIMIT 1").concat().concat()
}

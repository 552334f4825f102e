//! The node rig: the program `node` of this package, as its own process.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::artifacts::built_program;
use crate::audit::NodeLog;
use crate::process::{Process, wait_for};

/// How a node is to send; see `node --help`.
#[derive(Debug, Clone)]
pub struct NodeBuilder {
    name: String,
    rate: f64,
    in_flight: u16,
    channels: usize,
    count: u64,
}

impl NodeBuilder {
    /// Messages a second; 0 is as fast as the broker acknowledges. 10 unless told.
    pub fn rate(mut self, per_second: f64) -> Self {
        self.rate = per_second;
        self
    }

    /// At most so many messages on their way, 1 to 65535; 20 unless told.
    pub fn in_flight(mut self, messages: u16) -> Self {
        self.in_flight = messages;
        self
    }

    /// Values in a message; 4 unless told.
    pub fn channels(mut self, channels: usize) -> Self {
        self.channels = channels;
        self
    }

    /// Messages in all; 0 is without end. 0 unless told.
    pub fn count(mut self, messages: u64) -> Self {
        self.count = messages;
        self
    }

    /// Starts the node; it connects as soon as there is a broker.
    pub fn start(self, broker: impl Into<SocketAddr>) -> Node {
        let folder = tempfile::tempdir().expect("a folder for the node");
        let mut command = Command::new(built_program("node", "fieldgate-tests", "FIELDGATE_NODE_BIN"));
        for (option, value) in [
            ("--broker", broker.into().to_string()),
            ("--name", self.name.clone()),
            ("--rate", self.rate.to_string()),
            ("--in-flight", self.in_flight.to_string()),
            ("--channels", self.channels.to_string()),
            ("--count", self.count.to_string()),
        ] {
            command.args([option, &value]);
        }
        command.arg("--log").arg(folder.path().join("acknowledged"));
        let process = Process::spawn(&format!("node {}", self.name), &command, &folder.path().join("output"));
        let mut node = Node { process, folder, name: self.name };
        // Its log has its first line when this returns, so that it can be read from then on.
        node.wait_acknowledged(0, Duration::from_secs(10));
        node
    }
}

/// A running node. Dropping it kills it and removes its log.
#[derive(Debug)]
pub struct Node {
    process: Process,
    folder: TempDir,
    name: String,
}

impl Node {
    /// A node of this name, which is also its MQTT client id: one of a name on a broker.
    pub fn named(name: &str) -> NodeBuilder {
        NodeBuilder { name: name.to_owned(), rate: 10.0, in_flight: 20, channels: 4, count: 0 }
    }

    /// The topic it publishes to.
    pub fn topic(&self) -> String {
        format!("plants/{}", self.name)
    }

    /// The process id of the node.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What the node has logged; up to 100 ms behind while it runs.
    pub fn log(&self) -> NodeLog {
        NodeLog::read(&self.log_file()).unwrap_or_else(|e| panic!("node {}: {e}", self.name))
    }

    /// What the node complains about: connections that failed.
    pub fn complaints(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }

    /// Returns when the broker has acknowledged at least so many messages.
    pub fn wait_acknowledged(&mut self, messages: usize, deadline: Duration) {
        let what = format!("{messages} acknowledged messages of node {}", self.name);
        let (file, process) = (self.log_file(), &mut self.process);
        wait_for(&what, deadline, || {
            let enough = NodeLog::read(&file).is_ok_and(|log| log.acknowledged.len() >= messages);
            if !enough {
                process.assert_running();
            }
            enough
        });
    }

    /// Returns when a node with a `count` has ended by itself, every message acknowledged.
    pub fn finish(&mut self, deadline: Duration) -> NodeLog {
        let status = self.process.wait(deadline);
        assert!(status.success(), "node {} failed ({status}):\n{}", self.name, self.process.log_end());
        self.log()
    }

    /// SIGTERM: it waits up to 5 s for what is on its way, and ends.
    pub fn terminate(&mut self) -> NodeLog {
        let status = self.process.stop(Duration::from_secs(15));
        assert!(status.is_some_and(|status| status.success()), "node {}:\n{}", self.name, self.process.log_end());
        self.log()
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// SIGSTOP.
    pub fn freeze(&mut self) {
        self.process.freeze();
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.process.thaw();
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("acknowledged")
    }
}

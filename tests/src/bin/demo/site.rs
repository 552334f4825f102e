//! The site of the demo: three database servers, a broker, nodes of every kind, a gateway.

use std::time::Duration;

use fieldgate_tests::audit::NodeLog;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;
use fieldgate_tests::serial_node::SerialNode;
use tempfile::TempDir;

/// The node of the I2C bus, its channels, and the bus; it is simulated, and asked five times a second.
pub const I2C_NODE: &str = "loft";
pub const I2C_CHANNELS: [&str; 3] = ["temperature", "pressure", "humidity"];
const I2C: &str = r#"[[i2c]]
bus = "/dev/i2c-1"
nodes = [{ name = "loft", part = "bme280", address = 0x76, every = "200 ms" }]
"#;

/// The serial node.
pub const SERIAL_NODE: &str = "mill";
const SERIAL_LINES_A_SECOND: f64 = 20.0;
const SERIAL_CHANNELS: usize = 4;
/// What the gateway logs when it has the port open.
pub const HEARS_SERIAL_NODE: &str = "listening to the serial port";

/// Rows of nodes that keep a log: all numbers that the cursors have passed, without gaps and without the I2C node's rows.
const ROWS: &str = "SELECT (SELECT COALESCE(SUM(last_seq), 0) FROM field.streams) \
    - (SELECT COALESCE(SUM(last_seq - seq + 1), 0) FROM field.gaps) \
    - (SELECT COUNT(*) FROM field.readings r JOIN field.channels c USING (channel_id) WHERE c.node = 'loft')";

/// Everything that runs. Dropping it ends and removes everything.
pub struct Site {
    /// The nodes that run now; they go first.
    pub nodes: Vec<Node>,
    /// What nodes that have ended were told by the broker.
    pub logs: Vec<NodeLog>,
    /// The node on a wire; it runs from before the gateway's start.
    pub serial: SerialNode,
    /// The gateway.
    pub gateway: Gateway,
    /// The broker.
    pub broker: Broker,
    /// db1, db2 and db3: the source and two replicas.
    pub cluster: Cluster,
    /// Where the serial port is.
    _ports: TempDir,
}

impl Site {
    /// Starts servers, broker and gateway, and makes the tables. With `grace` the gateway promotes by itself.
    pub fn start(grace: Option<&str>) -> Self {
        println!(
            "starting a MariaDB source and two replicas, a broker and a gateway, all private to this demo, with a node on"
        );
        println!("a serial port (a pseudo-terminal) and one on a simulated I2C bus");
        let cluster = Cluster::start(2);
        let broker = Broker::start(Limits::Default);
        let ports = tempfile::tempdir().expect("a folder for the serial port");
        let port = ports.path().join("usb-mill-port0");
        let serial = SerialNode::start(SERIAL_NODE, &port, SERIAL_LINES_A_SECOND, SERIAL_CHANNELS);
        let gateway = Gateway::named("demo").servers(cluster.addresses()).broker(broker.address()).commit("card");
        let gateway = grace.into_iter().fold(gateway, |gateway, grace| gateway.promote(grace));
        let mut gateway = gateway.serial(&port, SERIAL_NODE).toml(I2C).simulated().build();
        gateway.apply_schema();
        gateway.start();
        gateway.wait_log("connected to the source", Duration::from_secs(20));
        gateway.wait_log("connected to the broker", Duration::from_secs(20));
        gateway.wait_log(HEARS_SERIAL_NODE, Duration::from_secs(20));
        Self { nodes: Vec::new(), logs: Vec::new(), serial, gateway, broker, cluster, _ports: ports }
    }

    /// Starts a node that sends `rate` messages a second with so many values each.
    pub fn start_node(&mut self, name: &str, rate: f64, channels: usize) {
        let node = Node::named(name).rate(rate).channels(channels).start(self.broker.address());
        self.nodes.push(node);
    }

    /// Ends the running nodes at the broker; each waits for the broker's last acknowledgement.
    pub fn end_nodes(&mut self) {
        for mut node in self.nodes.drain(..) {
            self.logs.push(node.terminate());
        }
    }

    /// The logs of all nodes that keep one: what must be rows.
    pub fn owed(&self) -> Vec<NodeLog> {
        let running = self.nodes.iter().map(Node::log);
        running.chain(self.logs.iter().cloned()).chain([self.serial.log().heard()]).collect()
    }

    /// Readings that the broker has acknowledged to the nodes so far, and those written to the open serial port.
    pub fn sent(&self) -> usize {
        self.owed().iter().map(|log| log.acknowledged.len() * log.channels).sum()
    }

    /// How many rows of them a server has; none while it does not answer.
    pub fn rows(&self, server: usize) -> Option<usize> {
        let answer = self.cluster.servers[server].try_query(ROWS);
        answer.ok()?.first()?.first()?.parse().ok()
    }

    /// Where to look while it is left running.
    pub fn describe(&self) {
        println!("\nleft running until Ctrl-C:");
        println!("  broker         mqtt://{}", self.broker.address());
        for (index, address) in self.cluster.addresses().iter().enumerate() {
            println!("  db{}            {address}, user admin, password admin, database field", index + 1);
        }
        println!("  configuration  {}", self.gateway.config_file().display());
        println!("  state          {}", self.gateway.state_folder().display());
    }
}

//! The site of the demo: three database servers, a broker, a gateway.

use std::time::Duration;

use fieldgate_tests::audit::NodeLog;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Cluster;
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::node::Node;

/// Everything that runs. Dropping it ends and removes everything.
pub struct Site {
    /// The nodes that run now; they go first.
    pub nodes: Vec<Node>,
    /// What nodes that have ended were told by the broker.
    pub logs: Vec<NodeLog>,
    /// The gateway.
    pub gateway: Gateway,
    /// The broker.
    pub broker: Broker,
    /// db1, db2 and db3: the source and two replicas.
    pub cluster: Cluster,
}

impl Site {
    /// Starts servers, broker and gateway, and makes the tables.
    pub fn start() -> Self {
        println!("starting a MariaDB source and two replicas, a broker and a gateway, all private to this demo");
        let cluster = Cluster::start(2);
        let broker = Broker::start(Limits::Default);
        let mut gateway =
            Gateway::named("demo").servers(cluster.addresses()).broker(broker.address()).commit("card").build();
        gateway.apply_schema();
        gateway.start();
        gateway.wait_log("connected to the source", Duration::from_secs(20));
        gateway.wait_log("connected to the broker", Duration::from_secs(20));
        Self { nodes: Vec::new(), logs: Vec::new(), gateway, broker, cluster }
    }

    /// Starts a node that sends `rate` messages a second with so many values each.
    pub fn start_node(&mut self, name: &str, rate: f64, channels: usize) {
        let node = Node::named(name).rate(rate).channels(channels).start(self.broker.address());
        self.nodes.push(node);
    }

    /// Ends the running nodes; each waits for the broker's last acknowledgement.
    pub fn end_nodes(&mut self) {
        for mut node in self.nodes.drain(..) {
            self.logs.push(node.terminate());
        }
    }

    /// Readings that the broker has acknowledged to the nodes so far.
    pub fn sent(&self) -> usize {
        let running = self.nodes.iter().map(Node::log);
        running.chain(self.logs.iter().cloned()).map(|log| log.acknowledged.len() * log.channels).sum()
    }

    /// How far a server has come: the sum of its cursors; none while it does not answer.
    pub fn rows(&self, server: usize) -> Option<usize> {
        let answer = self.cluster.servers[server].try_query("SELECT COALESCE(SUM(last_seq), 0) FROM field.streams");
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

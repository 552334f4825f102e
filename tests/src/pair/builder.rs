//! What the two gateways are made with.

use std::path::Path;

use crate::address::Address;
use crate::crossed_line::CrossedLine;
use crate::gateway::{Gateway, GatewayBuilder};
use crate::mailbox::{ADDRESS, I2cSide, Mailbox, Target};
use crate::mariadb::Cluster;
use crate::mosquitto::{Broker, Limits};
use crate::serial_node::SerialNode;

use super::{NAMES, Pair};

/// The sensor on the bus that both can ask and only one may.
pub const SENSOR: u16 = 0x23;
/// The node on a wire that both hear.
pub const WIRED_NODE: &str = "mill";

const UDP_PORT: u16 = 7420;
const LINES_PER_SECOND: f64 = 20.0;

/// Links and nodes of a pair; nothing of it is there unless told.
#[derive(Debug, Clone, Copy)]
pub struct PairBuilder {
    replicas: usize,
    has_line: bool,
    has_mailbox: bool,
    has_witness: bool,
    has_sensor: bool,
    has_wired_node: bool,
}

/// A chip that always measures the same.
struct Sensor;

impl Target for Sensor {
    fn write(&mut self, _bytes: &[u8]) {}

    fn read(&mut self, into: &mut [u8]) {
        into.fill(42);
    }
}

impl PairBuilder {
    pub(super) fn new(replicas: usize) -> Self {
        let (has_line, has_mailbox, has_witness, has_sensor, has_wired_node) = (false, false, false, false, false);
        Self { replicas, has_line, has_mailbox, has_witness, has_sensor, has_wired_node }
    }

    /// A serial line between the two.
    pub fn line(self) -> Self {
        Self { has_line: true, ..self }
    }

    /// A mailbox between the two.
    pub fn mailbox(self) -> Self {
        Self { has_mailbox: true, ..self }
    }

    /// The network between the two, as a witness.
    pub fn witness(self) -> Self {
        Self { has_witness: true, ..self }
    }

    /// A sensor that both reach and only the active one asks, each 100 ms.
    pub fn sensor(self) -> Self {
        Self { has_sensor: true, ..self }
    }

    /// A node on a wire to both, which numbers its lines.
    pub fn wired_node(self) -> Self {
        Self { has_wired_node: true, ..self }
    }

    /// Both gateways are made and none has been started.
    pub fn prepare(self) -> Pair {
        self.prepare_with(|_, settings| settings)
    }

    /// The same with more settings for each of the two.
    pub fn prepare_with(self, settings: impl Fn(usize, GatewayBuilder) -> GatewayBuilder) -> Pair {
        self.prepare_on(Cluster::start(self.replicas), settings)
    }

    /// The same with these servers.
    pub fn prepare_on(self, cluster: Cluster, settings: impl Fn(usize, GatewayBuilder) -> GatewayBuilder) -> Pair {
        let (broker, line) = (Broker::start(Limits::Large), CrossedLine::new());
        let folder = tempfile::tempdir().expect("a folder for ports");
        let network = [Address::claim(), Address::claim()];
        let mailbox = (self.has_mailbox || self.has_sensor).then(Mailbox::start);
        if let Some(mailbox) = &mailbox {
            mailbox.add(SENSOR, Box::new(Sensor));
        }
        let ports = NAMES.map(|name| folder.path().join(name));
        let wired = self.has_wired_node.then(|| {
            SerialNode::start_between(WIRED_NODE, &[ports[0].as_path(), ports[1].as_path()], LINES_PER_SECOND, 2)
        });
        let gateway = |index: usize| {
            let builder = Gateway::named(NAMES[index]).servers(cluster.addresses()).broker(broker.address());
            let side = mailbox.as_ref().map(|mailbox| [mailbox.side_a(), mailbox.side_b()][index]);
            let builder = side.iter().fold(builder, |builder, side| builder.environment(side.environment()));
            let text = self.standby(index, &line, side, &network) + &self.sources(&ports[index], side);
            settings(index, builder.set("mysql", "probe_period", "200 ms").toml(&text)).build()
        };
        let gateways = [gateway(0), gateway(1)];
        gateways[0].apply_schema();
        Pair { gateways, line, mailbox, wired, broker, cluster, _network: network, _folder: folder }
    }

    /// Both run: the first one is active, the second one stands by, and both hear the broker.
    pub fn start(self) -> Pair {
        self.start_with(|_, settings| settings)
    }

    /// The same with more settings for each of the two.
    pub fn start_with(self, settings: impl Fn(usize, GatewayBuilder) -> GatewayBuilder) -> Pair {
        self.prepare_with(settings).started()
    }

    /// Both run with these servers.
    pub fn start_on(self, cluster: Cluster) -> Pair {
        self.prepare_on(cluster, |_, settings| settings).started()
    }

    fn standby(self, index: usize, line: &CrossedLine, side: Option<&I2cSide>, network: &[Address; 2]) -> String {
        let mut links = Vec::new();
        if self.has_line {
            links.push(format!("{{ kind = \"serial\", port = \"{}\" }}", line.port(index).display()));
        }
        if let Some(side) = side.filter(|_| self.has_mailbox) {
            let bus = side.device().display();
            links.push(format!("{{ kind = \"i2c-mailbox\", bus = \"{bus}\", address = {ADDRESS} }}"));
        }
        if self.has_witness {
            let [listen, peer] = [index, 1 - index].map(|index| network[index].port(UDP_PORT));
            links.push(format!("{{ kind = \"udp\", listen = \"{listen}\", peer = \"{peer}\" }}"));
        }
        let (priority, links) = (index + 1, links.join(", "));
        format!("[standby]\npriority = {priority}\nbeat = \"200 ms\"\nsilence = \"1 s\"\nlinks = [{links}]\n")
    }

    fn sources(self, port: &Path, side: Option<&I2cSide>) -> String {
        let mut text = String::new();
        if let Some(side) = side.filter(|_| self.has_sensor) {
            let asked = "part = \"register\", every = \"100 ms\", register = 1, channel = \"light\"";
            let bus = side.device().display();
            text += &format!("[[i2c]]\nbus = \"{bus}\"\nwhile_standby = \"off\"\n");
            text += &format!("nodes = [{{ name = \"window\", address = {SENSOR}, {asked} }}]\n");
        }
        if self.has_wired_node {
            let port = port.display();
            text += &format!("[[serial]]\nport = \"{port}\"\nnode = \"{WIRED_NODE}\"\nwhile_standby = \"hold\"\n");
        }
        text
    }
}

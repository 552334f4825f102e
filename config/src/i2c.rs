//! `[[i2c]]`: the buses whose nodes are asked for readings.

mod part;
mod quantity;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::node::NodeId;
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{absolute_path, count, duration, parsed};
use crate::while_standby::{self, WhileStandby};

pub use part::{Micro, MicroFormat, Part};
pub use quantity::{ByteOrder, Field, Quantity};

const MAX_NODES: usize = 64;
const DEFAULT_EVERY: Duration = Duration::from_secs(10);
const SHORTEST_EVERY: Duration = Duration::from_millis(100);
const LONGEST_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The addresses that the I2C specification leaves to nodes, and 0x03 to 0x07 that some take all the same.
const ADDRESSES: std::ops::RangeInclusive<usize> = 0x03..=0x77;

/// One bus and the nodes asked there.
#[derive(Debug, Clone, PartialEq)]
pub struct I2c {
    /// The bus's device, a path from the root such as `/dev/i2c-1`.
    pub bus: PathBuf,
    /// The nodes, 1 to 64, no two with one address.
    pub nodes: Vec<I2cNode>,
    /// What it does while this gateway is on standby. Without `[standby]` always deliver.
    pub while_standby: WhileStandby,
}

/// One node of a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct I2cNode {
    /// Its name.
    pub name: NodeId,
    /// Its address without the bit for reading or writing, 0x03 to 0x77.
    pub address: u16,
    /// How often it is asked, 100 ms to 1 day. Default: 10 s.
    pub every: Duration,
    /// What it is, and so how it is asked.
    pub part: Part,
}

/// Reads one entry.
pub(crate) fn read(section: &mut Section<'_, '_>, with_standby: bool) -> Option<I2c> {
    let bus = section.required("bus", "\"/dev/i2c-1\"", absolute_path);
    let while_standby = while_standby::of_wire(section, with_standby);
    let example = "[{ name = \"shed\", part = \"bme280\", address = 0x76 }]";
    section.demand("nodes", &format!("add nodes = {example}"));
    let nodes = section.tables("nodes", &format!("write nodes = {example}"), 1..=MAX_NODES, |_, node| read_node(node));
    one_node_an_address(section, &nodes);
    Some(I2c { bus: bus?, nodes: nodes.into_iter().collect::<Option<_>>()?, while_standby: while_standby? })
}

fn read_node(section: &mut Section<'_, '_>) -> Option<I2cNode> {
    let name = section.required("name", "\"shed\"", parsed(NodeId::new));
    let address = section.required("address", "0x76", |value| {
        count(value, ADDRESSES, "write the node's address, between 0x03 and 0x77")
    });
    let every = section.or("every", DEFAULT_EVERY, duration(SHORTEST_EVERY..=LONGEST_EVERY));
    let part = part::read(section);
    Some(I2cNode { name: name?, address: u16::try_from(address?).ok()?, every, part: part? })
}

fn one_node_an_address(section: &mut Section<'_, '_>, nodes: &[Option<I2cNode>]) {
    let mut first = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let Some(node) = node else { continue };
        let earlier = *first.entry(node.address).or_insert(index);
        if earlier < index {
            let what = format!("is 0x{:02x}, as in nodes[{earlier}]", node.address);
            let error = ValueError::new(what, "two nodes of one bus cannot have one address; correct one of the two");
            section.add(&format!("nodes[{index}].address"), error);
        }
    }
}

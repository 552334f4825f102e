//! `[standby]`: this gateway is one of two of its site.

mod link;

use std::time::Duration;

use crate::i2c::I2c;
use crate::problem::ValueError;
use crate::section::Section;
use crate::serial::Serial;
use crate::values::{count, duration, truth};

pub use link::Link;

const MAX_LINKS: usize = 8;
const LOWEST_PRIORITY: usize = 8;
const DEFAULT_BEAT: Duration = Duration::from_secs(1);
const SHORTEST_BEAT: Duration = Duration::from_millis(100);
const LONGEST_BEAT: Duration = Duration::from_secs(10);
const DEFAULT_SILENCE: Duration = Duration::from_secs(3);
const SHORTEST_SILENCE: Duration = Duration::from_millis(300);
const LONGEST_SILENCE: Duration = Duration::from_secs(600);

/// How the two gateways of a site hear each other, and which goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    /// Which of two that wait becomes active; 1 to 8, 1 goes first. Of two with the same, their ids decide.
    pub priority: u8,
    /// How often this gateway says that it lives; 100 ms to 10 s. Default: 1 s.
    pub beat: Duration,
    /// How long the other one must not have been heard until this one takes over; 300 ms to 10 min, and at least two and a half
    /// beats, so that one lost beat is no silence. Default: 3 s.
    pub silence: Duration,
    /// Whether this gateway asks for its turn back when it has the better priority and has heard the other one for a minute.
    /// Default: false.
    pub preempt: bool,
    /// The ways on which they hear each other; 1 to 8, no two over one device, at least one of them over a wire.
    pub links: Vec<Link>,
}

/// Reads the section, or none where the file has none. The outer one is none when it cannot be read.
pub(crate) fn read(root: &mut Section<'_, '_>) -> Option<Option<Standby>> {
    match root.value("standby") {
        None => Some(None),
        Some(_) => root.section("standby", read_standby).flatten().map(Some),
    }
}

fn read_standby(section: &mut Section<'_, '_>) -> Option<Standby> {
    let priority = section.required("priority", "1", |value| {
        count(value, 1..=LOWEST_PRIORITY, "write a whole number between 1 and 8, 1 for the gateway that goes first")
    });
    let beat = section.or("beat", DEFAULT_BEAT, duration(SHORTEST_BEAT..=LONGEST_BEAT));
    let silence = section.or("silence", DEFAULT_SILENCE, duration(SHORTEST_SILENCE..=LONGEST_SILENCE));
    longer_than_one_lost_beat(section, beat, silence);
    let preempt = section.or("preempt", false, truth);
    let links = links(section);
    Some(Standby { priority: u8::try_from(priority?).ok()?, beat, silence, preempt, links: links? })
}

fn longer_than_one_lost_beat(section: &mut Section<'_, '_>, beat: Duration, silence: Duration) {
    if silence * 2 < beat * 5 {
        let key = if section.has("silence") { "silence" } else { "beat" };
        let what = format!("makes silence ({silence:?}) shorter than two and a half beats ({beat:?})");
        section.add(key, ValueError::new(what, "write a longer silence or a shorter beat"));
    }
}

fn links(section: &mut Section<'_, '_>) -> Option<Vec<Link>> {
    let example = "[{ kind = \"serial\", port = \"/dev/ttyAMA0\" }]";
    section.demand("links", &format!("add links = {example}"));
    let links = section.tables("links", &format!("write links = {example}"), 1..=MAX_LINKS, |_, it| link::read(it));
    section.distinct("links", &links, Link::device);
    let links: Vec<Link> = links.into_iter().collect::<Option<_>>()?;
    if !links.is_empty() && links.iter().all(Link::is_witness) {
        let what = "is \"udp\" only, and a dead switch looks like a dead gateway";
        section.add("links", ValueError::new(what, "add a link over a wire"));
    }
    Some(links)
}

/// A port has one reader, and an address of a bus one device.
pub(crate) fn apart_from_nodes(root: &mut Section<'_, '_>, standby: &Standby, serial: &[Serial], i2c: &[I2c]) {
    for (index, link) in standby.links.iter().enumerate() {
        let taken = match link {
            Link::Serial { port, .. } => port_of_a_node(serial, port).map(|node| ("port", node)),
            Link::Mailbox { bus, address } | Link::TargetBus { bus, address } => {
                address_of_a_node(i2c, bus, *address).map(|node| ("address", node))
            }
            Link::TargetFile { .. } | Link::Udp { .. } => None,
        };
        if let Some((key, node)) = taken {
            let error = ValueError::new(format!("is that of {node} too"), "write another for one of the two");
            root.add(&format!("standby.links[{index}].{key}"), error);
        }
    }
}

fn port_of_a_node(serial: &[Serial], port: &std::path::Path) -> Option<String> {
    let index = serial.iter().position(|entry| entry.port == port)?;
    Some(format!("serial[{index}]"))
}

fn address_of_a_node(i2c: &[I2c], bus: &std::path::Path, address: u16) -> Option<String> {
    let index = i2c.iter().position(|entry| entry.bus == bus)?;
    let node = i2c.get(index)?.nodes.iter().position(|node| node.address == address)?;
    Some(format!("i2c[{index}].nodes[{node}]"))
}

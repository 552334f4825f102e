//! One way on which two gateways hear each other, and the keys that belong to each kind.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::address::PeerAddress;
use crate::problem::ValueError;
use crate::section::Section;
use crate::serial::{DEFAULT_BAUD, baud, port};
use crate::values::{absolute_path, choice, count, parsed};

const MAILBOX_ADDRESS: u16 = 8;
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), PeerAddress::DEFAULT_PORT);
/// The addresses that the I2C specification leaves to nodes.
const ADDRESSES: std::ops::RangeInclusive<usize> = 0x08..=0x77;

/// One way on which the two hear each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A microcontroller between the two that keeps the last message of each side, with its age.
    Mailbox {
        /// The bus's device, a path from the root such as `/dev/i2c-1`.
        bus: PathBuf,
        /// The mailbox's address there, 0x08 to 0x77. Default: 0x08.
        address: u16,
    },
    /// A serial line, crossed.
    Serial {
        /// Absolute path of the port, best one below `/dev/serial/by-id` or `by-path`; at most 4096 bytes.
        port: PathBuf,
        /// Bits a second, the same at both ends; 50 to 4,000,000. Default: 115,200.
        baud: u32,
    },
    /// An I2C bus on which this machine is the target: the kernel's `slave-24c02` keeps what the other one writes.
    TargetFile {
        /// Absolute path of the target's memory, `/sys/bus/i2c/devices/1-1064/slave-eeprom`.
        file: PathBuf,
    },
    /// An I2C bus on which the other gateway is the target, and this one the only controller.
    TargetBus {
        /// The bus's device, a path from the root such as `/dev/i2c-1`.
        bus: PathBuf,
        /// The other gateway's address there, 0x08 to 0x77.
        address: u16,
    },
    /// The network. It says who lives, never who does not.
    Udp {
        /// Where this gateway listens. Default: 0.0.0.0:7420.
        listen: SocketAddr,
        /// The other gateway.
        peer: PeerAddress,
    },
}

impl Link {
    /// Whether it only ever says that the other one lives: its silence means nothing.
    pub fn is_witness(&self) -> bool {
        matches!(self, Self::Udp { .. })
    }

    /// The I2C bus that it needs, if any.
    pub fn bus(&self) -> Option<&Path> {
        match self {
            Self::Mailbox { bus, .. } | Self::TargetBus { bus, .. } => Some(bus),
            Self::Serial { .. } | Self::TargetFile { .. } | Self::Udp { .. } => None,
        }
    }

    /// The serial port that it needs, if any.
    pub fn port(&self) -> Option<&Path> {
        if let Self::Serial { port, .. } = self { Some(port) } else { None }
    }

    /// What only one link can use.
    pub(super) fn device(&self) -> String {
        match self {
            Self::Mailbox { bus, address } | Self::TargetBus { bus, address } => {
                format!("{} 0x{address:02x}", bus.display())
            }
            Self::Serial { port, .. } => port.display().to_string(),
            Self::TargetFile { file } => file.display().to_string(),
            Self::Udp { listen, .. } => listen.to_string(),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Mailbox,
    Serial,
    Target,
    Udp,
}

const KINDS: [(&str, Kind); 4] =
    [("i2c-mailbox", Kind::Mailbox), ("serial", Kind::Serial), ("i2c-target", Kind::Target), ("udp", Kind::Udp)];
/// Each key, and the kinds that have it.
const KEYS: [(&str, &[Kind]); 7] = [
    ("bus", &[Kind::Mailbox, Kind::Target]),
    ("address", &[Kind::Mailbox, Kind::Target]),
    ("port", &[Kind::Serial]),
    ("baud", &[Kind::Serial]),
    ("file", &[Kind::Target]),
    ("listen", &[Kind::Udp]),
    ("peer", &[Kind::Udp]),
];

/// Reads one entry. Without a valid kind its other keys are not judged.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<Link> {
    let kind = section.required("kind", "\"serial\"", choice(&KINDS));
    for (key, kinds) in KEYS {
        belongs(section, key, kinds, kind);
    }
    match kind? {
        Kind::Mailbox => {
            let bus = section.required("bus", "\"/dev/i2c-1\"", absolute_path);
            Some(Link::Mailbox { address: section.or("address", MAILBOX_ADDRESS, address), bus: bus? })
        }
        Kind::Serial => {
            let port = section.required("port", "\"/dev/ttyAMA0\"", port);
            Some(Link::Serial { baud: section.or("baud", DEFAULT_BAUD, baud), port: port? })
        }
        Kind::Target => target(section),
        Kind::Udp => {
            let listen = section.or("listen", DEFAULT_LISTEN, parsed(listen));
            let peer = section.required("peer", "\"barn-2:7420\"", parsed(PeerAddress::parse))?;
            Some(Link::Udp { listen, peer })
        }
    }
}

fn belongs(section: &mut Section<'_, '_>, key: &'static str, kinds: &[Kind], kind: Option<Kind>) {
    let is_there = section.value(key).is_some();
    if is_there && kind.is_some_and(|kind| !kinds.contains(&kind)) {
        let of = |name: &&(&str, Kind)| kinds.contains(&name.1);
        let names: Vec<String> = KINDS.iter().filter(of).map(|(word, _)| format!("{word:?}")).collect();
        let names = names.join(" or ");
        section.add(key, ValueError::new(format!("is only for kind = {names}"), "remove it"));
    }
}

/// The gateway that is the target has a file, the other one a bus.
fn target(section: &mut Section<'_, '_>) -> Option<Link> {
    let file = section.optional("file", absolute_path);
    if section.has("file") {
        for key in ["bus", "address"].into_iter().filter(|key| section.has(key)).collect::<Vec<_>>() {
            let what = "is given beside file, which says that this gateway is the target";
            section.add(key, ValueError::new(what, "remove it, or remove file where the other one is the target"));
        }
        return Some(Link::TargetFile { file: file? });
    }
    let remedy = "add bus = \"/dev/i2c-1\" and address = 0x64, or file where this gateway is the target";
    let bus = section.demand("bus", remedy).then(|| section.optional("bus", absolute_path)).flatten();
    let address = section.required("address", "0x64", address);
    Some(Link::TargetBus { bus: bus?, address: address? })
}

fn address(value: &toml::de::DeValue<'_>) -> Result<u16, ValueError> {
    let remedy = "write an address between 0x08 and 0x77";
    let found = count(value, ADDRESSES, remedy)?;
    u16::try_from(found).map_err(|_| ValueError::new("is too large", remedy))
}

fn listen(text: &str) -> Result<SocketAddr, ValueError> {
    let remedy = "write an address of this machine and a port, as in \"0.0.0.0:7420\"";
    let found: SocketAddr = text.parse().map_err(|_| ValueError::new(format!("is {text:?}"), remedy))?;
    if found.port() == 0 {
        return Err(ValueError::new(format!("is {text:?}, and the other gateway could not know the port"), remedy));
    }
    Ok(found)
}

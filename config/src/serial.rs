//! `[[serial]]`: the ports at which a node speaks in lines.

mod format;

use std::path::PathBuf;

use toml::de::DeValue;

use crate::node::NodeId;
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{absolute_path, choice, count, parsed, size_bytes};
use crate::while_standby::{self, WhileStandby};

pub use format::{Column, LineFormat};

/// The kernel's limit for a path, in bytes.
const MAX_PORT_BYTES: usize = 4096;
pub(crate) const DEFAULT_BAUD: u32 = 115_200;
const DEFAULT_MAX_FRAME_BYTES: u64 = 4 << 10;
const LEAST_MAX_FRAME_BYTES: u64 = 16;
const MOST_MAX_FRAME_BYTES: u64 = 64 << 10;

/// One serial port and the node behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    /// Absolute path of the port, best one below `/dev/serial/by-id` or `by-path`; at most 4096 bytes.
    pub port: PathBuf,
    /// Whose readings they are.
    pub node: NodeId,
    /// How a line becomes readings. Default: JSON lines.
    pub format: LineFormat,
    /// Bits a second; 50 to 4,000,000. Default: 115,200.
    pub baud: u32,
    /// The check bit of each byte. Default: none.
    pub parity: Parity,
    /// The pause after each byte. Default: one bit.
    pub stop_bits: StopBits,
    /// The longest line that is taken, in bytes without its end; 16 B to 64 KiB. Default: 4 KiB.
    pub max_frame_bytes: usize,
    /// What it does while this gateway is on standby. Without `[standby]` always deliver.
    pub while_standby: WhileStandby,
}

/// The check bit of each byte on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// No check bit.
    None,
    /// It makes the number of ones even.
    Even,
    /// It makes the number of ones odd.
    Odd,
}

/// The pause after each byte on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopBits {
    /// As long as one bit.
    One,
    /// As long as two bits.
    Two,
}

pub(crate) fn read(section: &mut Section<'_, '_>, with_standby: bool) -> Option<Serial> {
    let port = section.required("port", "\"/dev/serial/by-id/...\"", port);
    let node = section.required("node", "\"silo\"", parsed(NodeId::new));
    let format = format::read(section);
    let parities = [("none", Parity::None), ("even", Parity::Even), ("odd", Parity::Odd)];
    let frame = size_bytes(LEAST_MAX_FRAME_BYTES..=MOST_MAX_FRAME_BYTES);
    let while_standby = while_standby::of_wire(section, with_standby);
    let max_frame_bytes = section.or("max_frame", DEFAULT_MAX_FRAME_BYTES, frame);
    Some(Serial {
        baud: section.or("baud", DEFAULT_BAUD, baud),
        parity: section.or("parity", Parity::None, choice(&parities)),
        stop_bits: section.or("stop_bits", StopBits::One, stop_bits),
        max_frame_bytes: usize::try_from(max_frame_bytes).ok()?,
        port: port?,
        node: node?,
        format: format?,
        while_standby: while_standby?,
    })
}

pub(crate) fn port(value: &DeValue<'_>) -> Result<PathBuf, ValueError> {
    let path = absolute_path(value)?;
    let bytes = path.as_os_str().len();
    if bytes > MAX_PORT_BYTES {
        return Err(ValueError::new(format!("has {bytes} bytes"), format!("write at most {MAX_PORT_BYTES}")));
    }
    Ok(path)
}

pub(crate) fn baud(value: &DeValue<'_>) -> Result<u32, ValueError> {
    let remedy = "write a whole number between 50 and 4000000, without quotes";
    let found = count(value, 50..=4_000_000, remedy)?;
    u32::try_from(found).map_err(|_| ValueError::new("is too large", remedy))
}

fn stop_bits(value: &DeValue<'_>) -> Result<StopBits, ValueError> {
    match count(value, 1..=2, "write 1 or 2, without quotes")? {
        1 => Ok(StopBits::One),
        _ => Ok(StopBits::Two),
    }
}

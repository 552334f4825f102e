//! Readings as a gateway gets them, in the form that the queue keeps.

use config::{Channel, NodeId, Unit};
use queue::{Kind, Record};
use sensors::{ClockQuality, Reading, Stamp, Value};

/// So many different channels: a small site.
const CHANNELS: u64 = 16;
/// A second of 2026, microseconds since 1970.
const FIRST_US: i64 = 1_790_000_000_000_000;

/// So many encoded readings, each a millisecond after the other.
pub fn encoded(count: usize) -> Vec<Vec<u8>> {
    encoded_all().take(count).collect()
}

/// As many as are taken.
pub fn encoded_all() -> impl Iterator<Item = Vec<u8>> {
    (0..).map(|index| reading(index).to_bytes().expect("a reading can be encoded"))
}

/// One as a record.
pub fn record(body: &[u8]) -> Record {
    Record { kind: Kind::READING, body: body.to_vec() }
}

fn reading(index: u64) -> Reading {
    let name = format!("temperature-{}", index % CHANNELS);
    Reading {
        node: NodeId::new("greenhouse-1").expect("a name"),
        channel: Channel::new(&name).expect("a name"),
        unit: Some(Unit::new("°C").expect("a unit")),
        value: Ok(Value::Float(20.0 + (index % 997) as f64 / 7.0)),
        raw: None,
        stamp: stamp(index),
        node_seq: i64::try_from(index).ok(),
        node_time_us: None,
    }
}

fn stamp(index: u64) -> Stamp {
    Stamp {
        boot: 0x1234_5678_9abc_def0_1234_5678_9abc_def0,
        boottime_us: 1_000_000 + index * 1000,
        wall_us: FIRST_US + i64::try_from(index).unwrap_or(0) * 1000,
        quality: ClockQuality::Synced,
        error_us: Some(1500),
    }
}

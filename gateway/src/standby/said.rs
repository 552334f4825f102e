//! What a gateway of two says of itself to the other one, through the database: what both must agree on, and every source that
//! the other one may have too. No password, and no address of a broker.

mod part;

use config::{Column, Config, I2c, LineFormat, Mqtt, Serial, Standby, WhileStandby};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// All that one gateway says, as it stands in `standby_members.said`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// 1 goes first.
    pub priority: u8,
    /// A beat this often, milliseconds.
    pub beat_ms: u64,
    /// No beat for so long is a silence, milliseconds.
    pub silence_ms: u64,
    /// Every source that is not `deliver`.
    pub sources: Vec<SaidSource>,
}

/// One node, or one topic of a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidSource {
    /// What it is, such as `the node silo`; no two of one gateway with the same.
    pub hears: String,
    /// The section it is configured in: `mqtt`, `serial` or `i2c`.
    pub kind: String,
    /// `hold` or `off`.
    pub while_standby: String,
    /// What else must be the same on both, by its name in the configuration.
    pub details: BTreeMap<String, String>,
}

impl Said {
    /// What the gateway of this configuration says, which has this `[standby]`.
    #[must_use]
    pub fn of(config: &Config, standby: &Standby) -> Self {
        let mqtt = config.mqtt.iter().filter(|entry| entry.while_standby.is_shared()).flat_map(of_broker);
        let serial = config.serial.iter().filter(|entry| entry.while_standby.is_shared()).map(of_port);
        let i2c = config.i2c.iter().filter(|entry| entry.while_standby.is_shared()).flat_map(of_bus);
        Self {
            priority: standby.priority,
            beat_ms: milliseconds(standby.beat),
            silence_ms: milliseconds(standby.silence),
            sources: numbered(mqtt.chain(serial).chain(i2c)),
        }
    }

    /// The sources by what they hear.
    #[must_use]
    pub fn by_what_they_hear(&self) -> BTreeMap<&str, &SaidSource> {
        self.sources.iter().map(|source| (source.hears.as_str(), source)).collect()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The same topic at a second broker is another source.
fn numbered(sources: impl Iterator<Item = SaidSource>) -> Vec<SaidSource> {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let number = |mut source: SaidSource| {
        let times = met.entry(source.hears.clone()).or_default();
        *times += 1;
        if *times > 1 {
            source.hears = format!("{} ({times})", source.hears);
        }
        source
    };
    sources.map(number).collect()
}

fn of_broker(mqtt: &Mqtt) -> impl Iterator<Item = SaidSource> {
    let mut details = vec![("sequence", mqtt.sequence.to_string()), ("time", mqtt.time.to_string())];
    details.extend(mqtt.node.iter().map(|node| ("node", node.to_string())));
    let source = move |hears| said("mqtt", hears, mqtt.while_standby, details.clone());
    mqtt.topics.iter().map(move |topic| source(format!("the topic {topic}")))
}

fn of_port(serial: &Serial) -> SaidSource {
    let hears = format!("the node {}", serial.node);
    said("serial", hears, serial.while_standby, vec![("format", format_words(&serial.format))])
}

fn of_bus(bus: &I2c) -> impl Iterator<Item = SaidSource> {
    bus.nodes.iter().map(|node| {
        let details = vec![
            ("part", part::words(&node.part)),
            ("address", format!("0x{:02x}", node.address)),
            ("every", format!("{:?}", node.every)),
        ];
        said("i2c", format!("the node {}", node.name), bus.while_standby, details)
    })
}

fn said(kind: &str, hears: String, while_standby: WhileStandby, details: Vec<(&str, String)>) -> SaidSource {
    let while_standby = match while_standby {
        WhileStandby::Hold => "hold",
        WhileStandby::Deliver => "deliver",
        WhileStandby::Off => "off",
    };
    let details = details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    SaidSource { hears, kind: kind.to_owned(), while_standby: while_standby.to_owned(), details }
}

fn format_words(format: &LineFormat) -> String {
    match format {
        LineFormat::JsonLines => "json-lines".to_owned(),
        LineFormat::Csv { columns, delimiter } => {
            let columns: Vec<&str> = columns.iter().map(column_word).collect();
            format!("csv of {} between {:?}", columns.join(", "), char::from(*delimiter))
        }
        LineFormat::Number { channel } => format!("number of {channel}"),
    }
}

fn column_word(column: &Column) -> &str {
    match column {
        Column::Skipped => "-",
        Column::Sequence => "seq",
        Column::Time => "time",
        Column::Channel(channel) => channel.as_str(),
    }
}

#[cfg(test)]
mod tests;

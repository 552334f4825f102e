//! `[notify]`: who is told of outages, failovers and a full queue.

use std::path::PathBuf;

use crate::address::BrokerAddress;
use crate::gateway::Gateway;
use crate::mqtt::Mqtt;
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{absolute_path, parsed};

const MAX_TOPIC_BYTES: usize = 1024;
const SITE: &str = "{site}";

/// Where events go. Nobody is told unless there is a command or a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notify {
    /// Absolute path of a program that is run for each event. Default: none.
    pub command: Option<PathBuf>,
    /// Where each event is published. Default: nowhere.
    pub topic: Option<NotifyTopic>,
}

/// A topic at one of the configured brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyTopic {
    /// The topic itself, 1 to 1024 bytes: the site's name stands in it already.
    pub name: String,
    /// Which of the `[[mqtt]]` entries has the broker and the account.
    pub mqtt: usize,
}

/// The section as it is written.
pub(crate) struct Written {
    command: Option<PathBuf>,
    topic: Option<String>,
    broker: Option<BrokerAddress>,
}

pub(crate) fn read(section: &mut Section<'_, '_>) -> Written {
    let command = section.optional("command", absolute_path);
    let topic = section.optional("topic", parsed(read_topic));
    let broker = section.optional("broker", parsed(BrokerAddress::parse));
    if section.has("broker") && !section.has("topic") {
        let error = ValueError::new("is given without topic", "add topic = \"fieldgate/{site}/events\" or remove it");
        section.add("broker", error);
    }
    Written { command, topic, broker }
}

fn read_topic(text: &str) -> Result<String, ValueError> {
    let rest = text.replace(SITE, "");
    if text.is_empty() || text.len() > MAX_TOPIC_BYTES {
        return Err(ValueError::new(format!("has {} bytes", text.len()), format!("write 1 to {MAX_TOPIC_BYTES}")));
    }
    if text.starts_with('$') || rest.chars().any(|letter| letter.is_control() || "+#{}".contains(letter)) {
        let what = format!("is {text:?}, not a topic to publish to");
        return Err(ValueError::new(what, "write one without + # $ at its beginning, and no braces but {site}"));
    }
    Ok(text.to_owned())
}

/// Finds the broker, and the name of the site in the topic. What cannot be is a problem of `root`.
pub(crate) fn place(root: &mut Section<'_, '_>, written: Written, gateway: &Gateway, brokers: &[Mqtt]) -> Notify {
    let name = written.topic.map(|topic| topic.replace(SITE, gateway.site.as_str()));
    let topic = name.and_then(|name| {
        let found = broker(written.broker.as_ref(), brokers).and_then(|mqtt| not_heard(&name, mqtt, brokers));
        match found {
            Ok(mqtt) => Some(NotifyTopic { name, mqtt }),
            Err((key, error)) => {
                root.add(key, error);
                None
            }
        }
    });
    Notify { command: written.command, topic }
}

type Found = Result<usize, (&'static str, ValueError)>;

fn broker(wanted: Option<&BrokerAddress>, brokers: &[Mqtt]) -> Found {
    match wanted {
        None if brokers.is_empty() => {
            Err(("notify.topic", ValueError::new("needs a broker", "add an [[mqtt]] section, or use command")))
        }
        None => Ok(0),
        Some(wanted) => brokers.iter().position(|mqtt| mqtt.broker == *wanted).ok_or_else(|| {
            let what = format!("is \"{wanted}\", which no [[mqtt]] section has");
            ("notify.broker", ValueError::new(what, "write the broker of one of them as it stands there"))
        }),
    }
}

/// What we publish must not come back to us as a reading.
fn not_heard(name: &str, mqtt: usize, brokers: &[Mqtt]) -> Found {
    let Some(address) = brokers.get(mqtt).map(|entry| &entry.broker) else { return Ok(mqtt) };
    let mut there = brokers.iter().enumerate().filter(|(_, entry)| entry.broker == *address);
    match there.find(|(_, entry)| entry.topics.iter().any(|pattern| pattern.matches(name).is_some())) {
        None => Ok(mqtt),
        Some((index, _)) => {
            let what = format!("is {name:?}, which the topics of mqtt[{index}] cover");
            Err(("notify.topic", ValueError::new(what, "write one that no node's pattern covers")))
        }
    }
}

//! `[[mqtt]]`: the brokers whose messages are readings.

use std::path::PathBuf;

use crate::address::BrokerAddress;
use crate::node::{GatewayId, NodeId};
use crate::pointer::JsonPointer;
use crate::problem::ValueError;
use crate::section::Section;
use crate::topic::TopicPattern;
use crate::values::{absolute_path, parsed, text};
use crate::while_standby::{self, WhileStandby};

const MAX_TOPICS: usize = 64;
const MAX_CLIENT_ID_CHARS: usize = 128;
const MAX_USER_CHARS: usize = 128;

/// One broker and the topics heard there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mqtt {
    /// Where the broker is.
    pub broker: BrokerAddress,
    /// The name of our session at the broker, 1 to 128 characters. Default: `fieldgate-` and the gateway's id, then `-2`,
    /// `-3` for further entries.
    pub client_id: String,
    /// Name of the account: 1 to 128 characters.
    pub user: Option<String>,
    /// Absolute path of the file with the password; this crate does not read it. Only with `user`.
    pub password_file: Option<PathBuf>,
    /// What is heard; 1 to 64, no two with the same filter.
    pub topics: Vec<TopicPattern>,
    /// Whose readings they are where the topic does not say so; there whenever a pattern lacks `{node}`.
    pub node: Option<NodeId>,
    /// Where a payload has the node's own sequence number. Default: `/seq`.
    pub sequence: JsonPointer,
    /// Where a payload has the node's own time. Default: `/time`.
    pub time: JsonPointer,
    /// What it does while this gateway is on standby; never off. Default: hold; without `[standby]` always deliver.
    pub while_standby: WhileStandby,
}

/// Reads the entry at `index`; without a gateway id there is a problem already, and no entry.
pub(crate) fn read(
    section: &mut Section<'_, '_>,
    index: usize,
    gateway: Option<&GatewayId>,
    with_standby: bool,
) -> Option<Mqtt> {
    let broker = section.required("broker", "\"mqtt://localhost\"", parsed(BrokerAddress::parse));
    let client_id = section.optional("client_id", text(MAX_CLIENT_ID_CHARS));
    let topics = section.list("topics", "[\"plants/{node}/{channel}\"]", 1..=MAX_TOPICS, parsed(TopicPattern::parse));
    section.distinct("topics", &topics, TopicPattern::filter);
    let node = section.optional("node", parsed(NodeId::new));
    if !section.has("node") {
        demand_node(section, &topics);
    }
    let (user, password_file) = account(section);
    Some(Mqtt {
        user,
        password_file,
        node,
        sequence: section.or("sequence", JsonPointer::to_key("seq"), parsed(JsonPointer::parse)),
        time: section.or("time", JsonPointer::to_key("time"), parsed(JsonPointer::parse)),
        while_standby: while_standby::of_broker(section, with_standby),
        broker: broker?,
        topics: topics.into_iter().collect::<Option<_>>()?,
        client_id: client_id.or_else(|| Some(default_client_id(gateway?, index)))?,
    })
}

fn account(section: &mut Section<'_, '_>) -> (Option<String>, Option<PathBuf>) {
    let user = section.optional("user", text(MAX_USER_CHARS));
    let password_file = section.optional("password_file", absolute_path);
    if section.has("password_file") && !section.has("user") {
        section.add("password_file", ValueError::new("is given without user", "add user = \"...\" or remove it"));
    }
    (user, password_file)
}

fn demand_node(section: &mut Section<'_, '_>, topics: &[Option<TopicPattern>]) {
    for (index, topic) in topics.iter().enumerate() {
        if topic.as_ref().is_some_and(|topic| !topic.names_node()) {
            let error = ValueError::new("does not say which node it is", "use {node} in it, or add node = \"...\"");
            section.add(&format!("topics[{index}]"), error);
        }
    }
}

fn default_client_id(gateway: &GatewayId, index: usize) -> String {
    match index {
        0 => format!("fieldgate-{gateway}"),
        _ => format!("fieldgate-{gateway}-{}", index + 1),
    }
}

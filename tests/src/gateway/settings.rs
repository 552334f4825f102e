//! The configuration of a gateway under test.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddrV4;
use std::path::Path;

use serde_json::{Value, json};

use super::Gateway;
use crate::mariadb::REPLICATION;

/// The section that is there once `GatewayBuilder::promote` has been called.
const PROMOTE: &str = "mysql.promote";

/// Tables and keys of `fieldgate.toml`, put together step by step.
#[derive(Debug, Clone)]
pub struct GatewayBuilder {
    sections: BTreeMap<String, BTreeMap<String, Value>>,
    mqtt: Option<SocketAddrV4>,
    topics: Vec<String>,
    more: String,
    pub(super) simulated: bool,
    pub(super) environment: Vec<(String, String)>,
}

impl GatewayBuilder {
    pub(super) fn new(id: &str) -> Self {
        let (sections, mqtt) = (BTreeMap::new(), None);
        let topics = vec!["plants/{node}".to_owned()];
        Self { sections, mqtt, topics, more: String::new(), simulated: false, environment: Vec::new() }
            .set("gateway", "id", id)
            .set("gateway", "site", "lab")
            .set("mysql", "database", "field")
            .set("mysql", "user", "fieldgate")
            .commit("fast")
    }

    /// `key = value` in the table `[section]`; a later one of the same key wins. Strings, numbers, bools and arrays of
    /// them.
    pub fn set(mut self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        self.sections.entry(section.to_owned()).or_default().insert(key.to_owned(), value.into());
        self
    }

    /// The database servers, as `host:port`.
    pub fn servers<S: Display>(self, servers: impl IntoIterator<Item = S>) -> Self {
        let servers: Vec<String> = servers.into_iter().map(|server| server.to_string()).collect();
        self.set("mysql", "servers", servers)
    }

    /// The broker to subscribe at.
    pub fn broker(mut self, address: SocketAddrV4) -> Self {
        self.mqtt = Some(address);
        self
    }

    /// The topics to subscribe to; `plants/{node}`, where the nodes of the rigs publish, unless told.
    pub fn topics(mut self, topics: &[&str]) -> Self {
        self.topics = topics.iter().map(ToString::to_string).collect();
        self
    }

    /// How long readings stay in the queue after delivery, such as `1 day`.
    pub fn keep(self, duration: &str) -> Self {
        self.set("queue", "keep", duration)
    }

    /// `card` or `fast`; `fast` unless told.
    pub fn commit(self, mode: &str) -> Self {
        self.set("queue", "commit", mode)
    }

    /// It promotes by itself when no server has taken writes for so long, such as `2 s`, however long the last failover is ago.
    /// `apply_schema` makes the accounts for it. With `failover = "follow"` set afterwards it promotes on command only.
    pub fn promote(self, grace: &str) -> Self {
        self.set("mysql", "failover", "promote")
            .set(PROMOTE, "user", "fieldgate_promote")
            .set(PROMOTE, "grace", grace)
            .set(PROMOTE, "cooldown", "0s")
            .set(PROMOTE, "replication_user", REPLICATION)
    }

    /// A serial port with a node that sends JSON lines.
    pub fn serial(self, port: &Path, node: &str) -> Self {
        let keys = [("port", json!(port)), ("node", json!(node))];
        self.toml(&table("[[serial]]", &keys.map(|(key, value)| (key.to_owned(), value)).into()))
    }

    /// Its I2C buses are simulated: `fieldgate run --simulate`.
    pub fn simulated(mut self) -> Self {
        self.simulated = true;
        self
    }

    /// TOML text at the end of the file, for whole tables such as `[[i2c]]`.
    pub fn toml(mut self, text: &str) -> Self {
        self.more.push_str(text);
        self.more.push('\n');
        self
    }

    /// Variables that its process starts with, such as those of a simulated bus. Libraries to load come one after the other.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            match self.environment.iter_mut().find(|(known, _)| *known == name && name == "LD_PRELOAD") {
                Some((_, libraries)) => *libraries += &format!(":{value}"),
                None => self.environment.push((name, value)),
            }
        }
        self
    }

    /// Writes the configuration into a new folder; the gateway is not started yet.
    pub fn build(self) -> Gateway {
        Gateway::create(self)
    }

    pub(super) fn to_toml(&self, folder: &Path) -> String {
        let path = |name: &str| folder.join(name).display().to_string();
        let mut settings =
            self.clone().set("gateway", "state_dir", path("state")).set("mysql", "password_file", path("password"));
        if settings.sections.contains_key(PROMOTE) {
            settings = settings.set(PROMOTE, "password_file", path("promote-password")).set(
                PROMOTE,
                "replication_password_file",
                path("replication-password"),
            );
        }
        let mut text = String::new();
        for (section, keys) in &settings.sections {
            text += &table(&format!("[{section}]"), keys);
        }
        if let Some(broker) = settings.mqtt {
            let keys = [("broker", json!(format!("mqtt://{broker}"))), ("topics", json!(settings.topics))];
            text += &table("[[mqtt]]", &keys.map(|(key, value)| (key.to_owned(), value)).into());
        }
        text + &settings.more
    }
}

/// Strings, numbers, bools and arrays look the same in JSON and in TOML.
fn table(header: &str, keys: &BTreeMap<String, Value>) -> String {
    let lines: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("{header}\n{}\n", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_what_was_told() {
        let text = GatewayBuilder::new("g1")
            .servers(["127.1.1.1:3306", "127.1.1.2:3306"])
            .broker("127.1.1.3:1883".parse().unwrap())
            .keep("1 day")
            .commit("card")
            .set("mysql", "keep_until_replicas", 1)
            .promote("2 s")
            .serial(Path::new("/dev/ttyUSB0"), "mill")
            .toml("[status]\nlisten = \"127.1.1.4:9464\"")
            .to_toml(Path::new("/f"));
        let expected = r#"[gateway]
id = "g1"
site = "lab"
state_dir = "/f/state"

[mysql]
database = "field"
failover = "promote"
keep_until_replicas = 1
password_file = "/f/password"
servers = ["127.1.1.1:3306","127.1.1.2:3306"]
user = "fieldgate"

[mysql.promote]
cooldown = "0s"
grace = "2 s"
password_file = "/f/promote-password"
replication_password_file = "/f/replication-password"
replication_user = "repl"
user = "fieldgate_promote"

[queue]
commit = "card"
keep = "1 day"

[[mqtt]]
broker = "mqtt://127.1.1.3:1883"
topics = ["plants/{node}"]

[[serial]]
node = "mill"
port = "/dev/ttyUSB0"


[status]
listen = "127.1.1.4:9464"
"#;
        assert_eq!(text, expected);
    }
}

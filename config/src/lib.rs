//! fieldgate's configuration: one TOML file as checked, plain values.
//!
//! [`Config::load`] reads one file and does no other I/O: not a password file, not a host name. It gives a whole [`Config`]
//! or everything that is wrong with the file at once, each [`Problem`] with its line, its key and what to do.

mod address;
mod check;
mod gateway;
mod human;
mod lines;
mod load;
mod mqtt;
mod mysql;
mod node;
mod pointer;
mod problem;
mod queue;
mod report;
mod section;
mod topic;
mod values;

pub use address::{BrokerAddress, ServerAddress};
pub use gateway::Gateway;
pub use mqtt::Mqtt;
pub use mysql::{Failover, KeepUntil, Mysql};
pub use node::{Channel, GatewayId, NameError, NodeId, Site, Unit};
pub use pointer::JsonPointer;
pub use problem::{ConfigError, Problem, ValueError};
pub use queue::{Commit, Queue};
pub use topic::{TopicMatch, TopicPattern};

/// A configuration without problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[mysql]`.
    pub mysql: Mysql,
    /// `[queue]`.
    pub queue: Queue,
    /// `[[mqtt]]`, in the order of the file; at least one.
    pub mqtt: Vec<Mqtt>,
    lines: lines::Lines,
}

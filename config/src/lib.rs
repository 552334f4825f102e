//! fieldgate's configuration: one TOML file as checked, plain values.
//!
//! [`Config::load`] reads one file and does no other I/O: not a password file, not a host name. It gives a whole [`Config`]
//! or everything that is wrong with the file at once, each [`Problem`] with its line, its key and what to do.

mod address;
mod check;
mod drain;
mod gateway;
mod human;
mod i2c;
mod led;
mod lines;
mod load;
mod mqtt;
mod mysql;
mod node;
mod notify;
mod pointer;
mod problem;
mod promote;
mod queue;
mod quota;
mod report;
mod route;
mod section;
mod serial;
mod standby;
mod topic;
mod values;
mod while_standby;

pub use address::{BrokerAddress, PeerAddress, ServerAddress};
pub use drain::{Drain, Order};
pub use gateway::Gateway;
pub use i2c::{ByteOrder, Field, I2c, I2cNode, Micro, MicroFormat, Part, Quantity};
pub use led::Led;
pub use mqtt::Mqtt;
pub use mysql::{Failover, KeepUntil, Mysql, Tls};
pub use node::{Channel, GatewayId, NameError, NodeId, Site, Unit};
pub use notify::{Notify, NotifyTopic};
pub use pointer::JsonPointer;
pub use problem::{ConfigError, Problem, ValueError};
pub use promote::{Promote, Replication as ReplicationAccount};
pub use queue::{Commit, Queue, WhenFull};
pub use quota::Quota;
pub use route::{ColumnName, NamePattern, Part as TextPart, Quoted, Route, Source as Property, TableName, Template};
pub use serial::{Column, LineFormat, Parity, Serial, StopBits};
pub use standby::{Link, Standby};
pub use topic::{TopicMatch, TopicPattern};
pub use while_standby::WhileStandby;

/// A configuration without problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[gateway]`.
    pub gateway: Gateway,
    /// `[mysql]`.
    pub mysql: Mysql,
    /// `[queue]`.
    pub queue: Queue,
    /// `[drain]`.
    pub drain: Drain,
    /// `[quota]`.
    pub quota: Quota,
    /// `[notify]`.
    pub notify: Notify,
    /// `[led]`; none where the file has no such section.
    pub led: Option<Led>,
    /// `[[mqtt]]`, in the order of the file.
    pub mqtt: Vec<Mqtt>,
    /// `[[serial]]`, in the order of the file. There is at least one source of any kind.
    pub serial: Vec<Serial>,
    /// `[[i2c]]`, in the order of the file.
    pub i2c: Vec<I2c>,
    /// `[standby]`; none where this gateway is alone.
    pub standby: Option<Standby>,
    /// `[[routes]]`, in the order of the file; no two of one name.
    pub routes: Vec<Route>,
    lines: lines::Lines,
}

//! `[mysql]`: the database servers, and when a reading is safe in them.

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::address::ServerAddress;
use crate::problem::ValueError;
use crate::promote::{self, Promote};
use crate::section::Section;
use crate::values::{absolute_path, choice, count, duration, parsed, text};

/// Where Debian keeps the roots that the whole machine trusts.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const MAX_SERVERS: usize = 16;
const MAX_DATABASE_CHARS: usize = 64;
pub(crate) const MAX_USER_CHARS: usize = 80;
const SHORTEST: Duration = Duration::from_millis(100);
const MINUTE: Duration = Duration::from_secs(60);
const LONGEST_QUERY: Duration = Duration::from_secs(300);

/// The database that the readings go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mysql {
    /// The source and its replicas in any order; 1 to 16, all different.
    pub servers: Vec<ServerAddress>,
    /// Name of the database: 1 to 64 letters, digits, `_`, `$` or `-`.
    pub database: String,
    /// Name of the account: 1 to 80 characters.
    pub user: String,
    /// Absolute path of the file with the password; this crate does not read it.
    pub password_file: Option<PathBuf>,
    /// How connections to the servers are protected. Default: not at all.
    pub tls: Tls,
    /// What to do when the source is gone. Default: follow.
    pub failover: Failover,
    /// `[mysql.promote]`; always there when `failover` is promote.
    pub promote: Option<Promote>,
    /// How many replicas must have a reading before it may leave the queue. Default: all.
    pub keep_until_replicas: KeepUntil,
    /// How often every server is asked for its state; 100 ms to 60 s. Default: 1 s.
    pub probe_period: Duration,
    /// How long a connection may take to open; 100 ms to 60 s. Default: 2 s.
    pub connect_timeout: Duration,
    /// How long a statement may take; 100 ms to 300 s. Default: 5 s.
    pub query_timeout: Duration,
}

/// How connections to the servers are protected. There is nothing between the two: encryption without verifying the server
/// keeps nobody out who can stand between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain TCP.
    Off,
    /// TLS 1.2 or 1.3, to a server whose certificate is for the configured host and signed by one of these roots.
    Verify {
        /// Absolute path of a PEM file with the roots; this crate does not read it. Default: those of the system.
        ca_file: PathBuf,
    },
}

/// What to do when the source is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failover {
    /// Somebody else promotes a replica; fieldgate finds it and goes on there.
    Follow,
    /// fieldgate promotes a replica itself.
    Promote,
}

/// How many replicas must have a reading before it may leave the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepUntil {
    /// Every replica, also one that does not answer.
    All,
    /// The most advanced so many; less than the number of servers.
    Count(usize),
}

const FAILOVERS: &[(&str, Failover)] = &[("follow", Failover::Follow), ("promote", Failover::Promote)];

pub(crate) fn read(section: &mut Section<'_, '_>) -> Option<Mysql> {
    let servers = section.list("servers", "[\"db1\"]", 1..=MAX_SERVERS, parsed(ServerAddress::parse));
    section.distinct("servers", &servers, ToString::to_string);
    let most_replicas = servers.len().clamp(1, MAX_SERVERS) - 1;
    let database = section.required("database", "\"field\"", parsed(database));
    let user = section.required("user", "\"fieldgate\"", text(MAX_USER_CHARS));
    let failover = section.or("failover", Failover::Follow, choice(FAILOVERS));
    let promote = promote::read(section, failover)?;
    Some(Mysql {
        password_file: section.optional("password_file", absolute_path),
        tls: tls(section),
        failover,
        promote,
        keep_until_replicas: section.or("keep_until_replicas", KeepUntil::All, keep_until(most_replicas)),
        probe_period: section.or("probe_period", Duration::from_secs(1), duration(SHORTEST..=MINUTE)),
        connect_timeout: section.or("connect_timeout", Duration::from_secs(2), duration(SHORTEST..=MINUTE)),
        query_timeout: section.or("query_timeout", Duration::from_secs(5), duration(SHORTEST..=LONGEST_QUERY)),
        servers: servers.into_iter().collect::<Option<_>>()?,
        database: database?,
        user: user?,
    })
}

/// Only names that need no thought about quoting, case or encoding.
fn database(name: &str) -> Result<String, ValueError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_$-".contains(c));
    if plain && (1..=MAX_DATABASE_CHARS).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    let remedy = format!("write 1 to {MAX_DATABASE_CHARS} letters (a to z), digits, _, $ or -");
    Err(ValueError::new(format!("is {name:?}, not a name for a database"), remedy))
}

fn tls(section: &mut Section<'_, '_>) -> Tls {
    let verify = section.or("tls", false, choice(&[("off", false), ("verify", true)]));
    let ca_file = section.optional("ca_file", absolute_path);
    if ca_file.is_some() && !section.has("tls") {
        let remedy = "add tls = \"verify\", or remove ca_file";
        section.add("ca_file", ValueError::new("is given, but without tls no certificate is looked at", remedy));
    }
    if verify { Tls::Verify { ca_file: ca_file.unwrap_or_else(|| SYSTEM_ROOTS.into()) } } else { Tls::Off }
}

fn keep_until(most_replicas: usize) -> impl Fn(&DeValue<'_>) -> Result<KeepUntil, ValueError> {
    let remedy =
        format!("write \"all\" or a whole number between 0 and {most_replicas}, one less than there are servers");
    move |value| match value {
        DeValue::String(word) if word == "all" => Ok(KeepUntil::All),
        DeValue::String(word) => Err(ValueError::new(format!("is {word:?}"), &*remedy)),
        number => count(number, 0..=most_replicas, &remedy).map(KeepUntil::Count),
    }
}

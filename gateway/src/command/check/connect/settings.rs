//! What is wrong with the settings of one server. Pure.

use super::facts::{Finding, ServerFacts};

/// What a server is at the moment, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// It takes writes.
    pub is_source: bool,
    /// It follows another server.
    pub is_replica: bool,
    /// There is more than one server.
    pub has_others: bool,
}

/// Versions below these lack a statement or a right that fieldgate uses.
const OLDEST_MARIADB: (u16, u16, u16) = (10, 5, 9);
const OLDEST_MYSQL: (u16, u16, u16) = (8, 0, 26);

/// Every setting that fits badly.
pub fn findings(facts: &ServerFacts, place: Place) -> Vec<Finding> {
    let mut found: Vec<Finding> = [version(facts), flush(facts), server_time(facts)].into_iter().flatten().collect();
    if place.has_others {
        let rules = [sync_binlog(facts), binary_log(facts), row_format(facts), relays(facts), starts(facts, place)];
        found.extend(rules.into_iter().flatten());
    }
    if place.is_replica {
        found.extend(relay_log(facts));
    }
    found
}

fn version(facts: &ServerFacts) -> Option<Finding> {
    let (family, oldest) = if facts.is_mariadb { ("MariaDB", OLDEST_MARIADB) } else { ("MySQL", OLDEST_MYSQL) };
    let (major, minor, patch) = oldest;
    let what = format!("is {family} {}, and fieldgate needs {major}.{minor}.{patch} or newer", facts.version);
    (facts.version_numbers() < oldest).then(|| Finding::problem(&facts.name, what, "upgrade the server"))
}

fn flush(facts: &ServerFacts) -> Option<Finding> {
    let found = facts.variable("innodb_flush_log_at_trx_commit");
    let what = format!(
        "innodb_flush_log_at_trx_commit is {found}: a power cut takes commits back, and the cursor with them, which the replicas may have"
    );
    let mend = "SET GLOBAL innodb_flush_log_at_trx_commit = 1; and the same in its configuration";
    (!found.is_empty() && found != "1").then(|| Finding::problem(&facts.name, what, mend))
}

fn sync_binlog(facts: &ServerFacts) -> Option<Finding> {
    let found = facts.variable("sync_binlog");
    let what = format!("sync_binlog is {found}: after a power cut its replicas may have what it has forgotten itself");
    let mend = "SET GLOBAL sync_binlog = 1; and the same in its configuration";
    (!found.is_empty() && found != "1" && !facts.is_off("log_bin")).then(|| Finding::problem(&facts.name, what, mend))
}

fn binary_log(facts: &ServerFacts) -> Option<Finding> {
    let what = "keeps no binary log (log_bin is OFF), so no other server can follow it, now or after a failover";
    let mend = "put log_bin = binlog into its configuration and restart it";
    facts.is_off("log_bin").then(|| Finding::warning(&facts.name, what, mend))
}

fn row_format(facts: &ServerFacts) -> Option<Finding> {
    let found = facts.variable("binlog_format");
    let what = format!("binlog_format is {found}: replicas run statements again instead of copying rows");
    let mend = "SET GLOBAL binlog_format = 'ROW'; and the same in its configuration";
    (!found.is_empty() && found != "ROW").then(|| Finding::warning(&facts.name, what, mend))
}

/// Named differently in the two families.
fn relays(facts: &ServerFacts) -> Option<Finding> {
    let name = ["log_replica_updates", "log_slave_updates"].into_iter().find(|name| facts.is_off(name))?;
    if facts.is_off("log_bin") {
        return None;
    }
    let what =
        format!("{name} is OFF: once it is the source, other replicas cannot get from it what it received as one");
    let mend = format!("put {name} = ON into its configuration and restart it");
    Some(Finding::warning(&facts.name, what, mend))
}

fn relay_log(facts: &ServerFacts) -> Option<Finding> {
    let what = "relay_log_recovery is OFF: after a power cut it may go on from a damaged relay log";
    let mend = "put relay_log_recovery = ON into its configuration and restart it";
    facts.is_off("relay_log_recovery").then(|| Finding::problem(&facts.name, what, mend))
}

/// Every server should start read-only from its own configuration: a source that comes back after a failover would
/// otherwise be a second one.
fn starts(facts: &ServerFacts, place: Place) -> Option<Finding> {
    let read_only = facts.variables.get("read_only")?;
    let is_from_statement = read_only.is_from_statement?;
    let mend = "put read_only = ON into its configuration";
    match (facts.is_off("read_only"), is_from_statement) {
        (true, false) => {
            let what =
                "starts open for writes: after a failover it would come back as a second server that takes writes";
            let opened =
                if place.is_source { "; SET GLOBAL read_only = OFF opens the one that is the source" } else { "" };
            Some(Finding::warning(&facts.name, what, format!("{mend}{opened}")))
        }
        (false, true) => {
            let what = "is read-only by a statement, perhaps not after its next start";
            Some(Finding::warning(&facts.name, what, mend))
        }
        _ => None,
    }
}

/// Our rows carry our own clock; the server's is in its log, its certificates' dates and in columns that fill themselves.
fn server_time(facts: &ServerFacts) -> Option<Finding> {
    const TOLERATED_US: u64 = 2_000_000;
    let off_us = facts.clock_ahead_us;
    let direction = if off_us < 0 { "behind" } else { "ahead of" };
    let seconds = off_us.unsigned_abs() / 1_000_000;
    let what = format!(
        "its clock is {seconds} s {direction} this machine's: readings keep their own time, columns that fill themselves do not"
    );
    (off_us.unsigned_abs() > TOLERATED_US).then(|| {
        Finding::warning(&facts.name, what, "let both machines take the time from NTP; `timedatectl` shows it")
    })
}

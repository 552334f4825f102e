//! What a promotion needs of one server's replication. Pure.
//!
//! Its accounts are among all others in `rights`. That it keeps a binary log, puts into it what it receives, and starts
//! read-only are rules for every site: `settings`.

use super::facts::{Finding, ServerFacts};
use crate::topology::{Facts, Replication};
use config::Config;

/// For so long at most a replica may hold a source for alive that is frozen.
const MOST_NET_TIMEOUT_S: u64 = 10;

/// Everything that would be missed; nothing without `[mysql.promote]`. `state` is what the choice of the source knows of
/// the server.
pub fn findings(facts: &ServerFacts, state: Option<&Facts>, config: &Config) -> Vec<Finding> {
    if config.mysql.promote.is_none() || config.mysql.servers.len() < 2 {
        return Vec::new();
    }
    let channels = state.map(|state| state.replication.as_slice()).unwrap_or_default();
    let by_position = channels.iter().filter_map(|channel| by_position(facts, channel));
    by_position.chain(gtid_mode(facts)).chain(net_timeout(facts, channels)).collect()
}

/// MariaDB always has GTIDs.
fn gtid_mode(facts: &ServerFacts) -> Option<Finding> {
    let mode = facts.variable("gtid_mode");
    let what = format!("gtid_mode is {mode}: without GTIDs nobody can tell which server has received most");
    let mend = "put gtid_mode = ON and enforce_gtid_consistency = ON into the configuration of every server and restart \
                them, or switch it on step by step as MySQL's manual says";
    (!facts.is_mariadb && mode != "ON").then(|| Finding::problem(&facts.name, what, mend))
}

fn by_position(facts: &ServerFacts, channel: &Replication) -> Option<Finding> {
    let what = format!(
        "follows {} by file and position, from which nobody can tell which server has received most",
        channel.upstream
    );
    let mend = change(
        facts,
        channel,
        if facts.is_mariadb { "MASTER_USE_GTID = slave_pos" } else { "SOURCE_AUTO_POSITION = 1" },
    );
    (!channel.by_gtid).then(|| Finding::problem(&facts.name, what, mend))
}

/// The period of the signs of life was set when replication was, and a longer one than the timeout breaks the connection.
fn net_timeout(facts: &ServerFacts, channels: &[Replication]) -> Option<Finding> {
    const NAMES: [&str; 2] = ["replica_net_timeout", "slave_net_timeout"];
    let (name, seconds) = NAMES.into_iter().find_map(|name| Some((name, facts.number(name)?)))?;
    let what = format!(
        "{name} is {seconds}: for so many seconds a replica holds a frozen source for alive, and the promotion waits"
    );
    let mut mend = format!("SET GLOBAL {name} = 4");
    let period = if facts.is_mariadb { "MASTER_HEARTBEAT_PERIOD = 2" } else { "SOURCE_HEARTBEAT_PERIOD = 2" };
    for channel in channels {
        mend += &format!("; {}", change(facts, channel, period));
    }
    mend += "; and the same in its configuration";
    (seconds > MOST_NET_TIMEOUT_S).then(|| Finding::warning(&facts.name, what, mend))
}

/// Changes how a server follows another.
fn change(facts: &ServerFacts, channel: &Replication, how: &str) -> String {
    let name = &channel.channel;
    match (facts.is_mariadb, name.is_empty()) {
        (true, true) => format!("STOP SLAVE; CHANGE MASTER TO {how}; START SLAVE"),
        (true, false) => format!("STOP SLAVE '{name}'; CHANGE MASTER '{name}' TO {how}; START SLAVE '{name}'"),
        (false, true) => format!("STOP REPLICA; CHANGE REPLICATION SOURCE TO {how}; START REPLICA"),
        (false, false) => format!(
            "STOP REPLICA FOR CHANNEL '{name}'; CHANGE REPLICATION SOURCE TO {how} FOR CHANNEL '{name}'; \
             START REPLICA FOR CHANNEL '{name}'"
        ),
    }
}

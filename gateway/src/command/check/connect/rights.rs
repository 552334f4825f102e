//! What the account may do, and must not. Pure.

use super::facts::{Finding, ServerFacts};
use config::Config;

const NEEDED_ON_TABLES: [&str; 3] = ["SELECT", "INSERT", "UPDATE"];
/// With these an account writes to a server that is read-only, which is what keeps two sources apart.
const BYPASS_MARIADB: [&str; 2] = ["SUPER", "READ_ONLY ADMIN"];
const BYPASS_MYSQL: [&str; 2] = ["SUPER", "CONNECTION_ADMIN"];

/// Every right that is missing or too much.
pub fn findings(facts: &ServerFacts, config: &Config) -> Vec<Finding> {
    let mut found = missing(facts, config);
    let bypass = if facts.is_mariadb { BYPASS_MARIADB } else { BYPASS_MYSQL };
    let held: Vec<&str> = bypass.into_iter().filter(|right| has(facts, right)).collect();
    if !held.is_empty() {
        let what =
            format!("the account {} may write although a server is read-only ({})", facts.account, held.join(", "));
        let mend = format!("REVOKE {} ON *.* FROM {}", held.join(", "), facts.account);
        found.push(Finding::problem(&facts.name, what, mend));
    }
    found
}

fn missing(facts: &ServerFacts, config: &Config) -> Vec<Finding> {
    if facts.has_roles {
        return Vec::new();
    }
    let on_tables = |right: &&str| has(facts, right) || facts.database_rights.contains(*right);
    let tables: Vec<&str> = NEEDED_ON_TABLES.into_iter().filter(|right| !on_tables(right)).collect();
    let monitor: &[&str] =
        if facts.is_mariadb { &["SLAVE MONITOR", "BINLOG MONITOR"] } else { &["REPLICATION CLIENT"] };
    let monitor: Vec<&str> = monitor.iter().copied().filter(|right| !has(facts, right)).collect();
    let database = format!("`{}`.*", config.mysql.database.replace('_', "\\_"));
    [(tables, database.as_str()), (monitor, "*.*")]
        .into_iter()
        .filter(|(rights, _)| !rights.is_empty())
        .map(|(rights, place)| {
            let rights = rights.join(", ");
            let what = format!("the account {} lacks {rights} on {place}", facts.account);
            Finding::problem(&facts.name, what, format!("GRANT {rights} ON {place} TO {}", facts.account))
        })
        .collect()
}

/// MariaDB writes the same right with a space or an underscore, by version.
fn has(facts: &ServerFacts, right: &str) -> bool {
    let plain = |text: &str| text.replace('_', " ");
    facts.global_rights.iter().any(|held| plain(held) == plain(right))
}

//! What the accounts may do, and must not. Pure.

use super::facts::{Finding, Login, Rights, ServerFacts};
use config::{Config, Promote};

/// Where rights are needed.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// On everything.
    Server,
    /// On all tables of our database.
    Database,
    /// On this table of ours.
    Table(&'static str),
}

/// Rights that an account needs in one place.
type Needed<'a> = (&'a [&'a str], Place);

const OWN_MARIADB: &[Needed<'_>] =
    &[(&["SELECT", "INSERT", "UPDATE"], Place::Database), (&["SLAVE MONITOR", "BINLOG MONITOR"], Place::Server)];
const OWN_MYSQL: &[Needed<'_>] =
    &[(&["SELECT", "INSERT", "UPDATE"], Place::Database), (&["REPLICATION CLIENT"], Place::Server)];
/// Each was tried on real servers: without it a statement of a promotion is refused. Only CONNECTION ADMIN is there to be
/// let in where all connections are taken; at MySQL the term is also written with it while the server is read-only.
const PROMOTION_MARIADB: &[Needed<'_>] = &[
    (&["REPLICATION SLAVE ADMIN", "READ_ONLY ADMIN", "RELOAD", "SLAVE MONITOR", "CONNECTION ADMIN"], Place::Server),
    (&["SELECT"], Place::Database),
    (&["INSERT", "UPDATE"], Place::Table("server_term")),
    (&["INSERT"], Place::Table("events")),
];
const PROMOTION_MYSQL: &[Needed<'_>] = &[
    (
        &["REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN", "RELOAD", "REPLICATION CLIENT"],
        Place::Server,
    ),
    (&["SELECT"], Place::Database),
    (&["INSERT", "UPDATE"], Place::Table("server_term")),
    (&["INSERT"], Place::Table("events")),
];
const REPLICATION: &[Needed<'_>] = &[(&["REPLICATION SLAVE"], Place::Server)];
/// With these an account writes to a server that is read-only, which is what keeps two sources apart.
const BYPASS_MARIADB: [&str; 2] = ["SUPER", "READ_ONLY ADMIN"];
const BYPASS_MYSQL: [&str; 2] = ["SUPER", "CONNECTION_ADMIN"];
/// With these it does what only the account of `[mysql.promote]` is there for.
const PROMOTES_MARIADB: [&str; 3] = ["REPLICATION SLAVE ADMIN", "CONNECTION ADMIN", "RELOAD"];
const PROMOTES_MYSQL: [&str; 3] = ["REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "RELOAD"];

/// Everything that is wrong with the accounts at one server.
pub fn findings(facts: &ServerFacts, config: &Config) -> Vec<Finding> {
    let needed = if facts.is_mariadb { OWN_MARIADB } else { OWN_MYSQL };
    let mut found = missing(facts, (&facts.account, &facts.rights), config, needed);
    let bypass = if facts.is_mariadb { BYPASS_MARIADB } else { BYPASS_MYSQL };
    let words = "may write although a server is read-only";
    found.extend(too_much(facts, &bypass, words, Finding::problem));
    if let Some(promote) = &config.mysql.promote {
        let promotes = if facts.is_mariadb { PROMOTES_MARIADB } else { PROMOTES_MYSQL };
        let words = "may do what only the account of [mysql.promote] is there for";
        found.extend(too_much(facts, &promotes, words, Finding::warning));
        found.extend(promotion_account(facts, config, promote));
        found.extend(replication_account(facts, config, promote));
    }
    found
}

/// Of what was found at each server, and whether it takes writes. Accounts replicate: what the source has too is mended
/// there. Elsewhere it is mended past the binary log, or that server would have a transaction that the source lacks.
pub fn where_to_mend(found: Vec<(bool, Vec<Finding>)>) -> Vec<Finding> {
    let (source, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(is_source, _)| *is_source);
    let mut all: Vec<Finding> = source.into_iter().flat_map(|(_, found)| found).collect();
    let mut others: Vec<Finding> = others.into_iter().flat_map(|(_, found)| found).collect();
    others.retain(|finding| !all.iter().any(|at_source| at_source.mend == finding.mend));
    for finding in &mut others {
        if ["GRANT ", "REVOKE "].iter().any(|word| finding.mend.starts_with(word)) {
            finding.mend.insert_str(0, "SET sql_log_bin = 0; ");
        }
    }
    all.extend(others);
    all
}

/// An account that is the gateway's own is told of elsewhere, and must not get these rights.
fn promotion_account(facts: &ServerFacts, config: &Config, promote: &Promote) -> Vec<Finding> {
    let needed = if facts.is_mariadb { PROMOTION_MARIADB } else { PROMOTION_MYSQL };
    match &facts.promotion {
        _ if promote.user == config.mysql.user => Vec::new(),
        Some(Ok(Login { account, rights })) => missing(facts, (account, rights), config, needed),
        Some(Err(trouble)) => {
            let what = format!("the account {} that promotes cannot log in: {trouble}", promote.user);
            let mend = "check mysql.promote.user and its password; `fieldgate db schema` prints the SQL that makes it";
            vec![Finding::problem(&facts.name, what, mend)]
        }
        None => Vec::new(),
    }
}

/// Replicas log in with it, this machine need not: so where it cannot, that may be as it should.
fn replication_account(facts: &ServerFacts, config: &Config, promote: &Promote) -> Vec<Finding> {
    let user = promote.replication.as_ref().map(|replication| replication.user.as_str()).unwrap_or_default();
    match &facts.replication {
        Some(Ok(Login { account, rights })) => missing(facts, (account, rights), config, REPLICATION),
        Some(Err(trouble)) => {
            let what = format!("the account {user} that replicas log in with cannot log in from here: {trouble}");
            let mend = "check mysql.promote.replication_user and its password; `fieldgate db schema` prints the SQL that \
                        makes it. If it is for the servers' own addresses only, all may be well";
            vec![Finding::warning(&facts.name, what, mend)]
        }
        None => Vec::new(),
    }
}

fn too_much(
    facts: &ServerFacts,
    rights: &[&str],
    words: &str,
    finding: impl FnOnce(&str, String, String) -> Finding,
) -> Option<Finding> {
    let held: Vec<&str> = rights.iter().copied().filter(|right| has(&facts.rights, right, Place::Server)).collect();
    let held = Some(held.join(", ")).filter(|held| !held.is_empty())?;
    let what = format!("the account {} {words} ({held})", facts.account);
    Some(finding(&facts.name, what, format!("REVOKE {held} ON *.* FROM {}", facts.account)))
}

/// Every right that an account lacks, with the SQL that gives it.
fn missing(
    facts: &ServerFacts,
    (account, rights): (&str, &Rights),
    config: &Config,
    needed: &[Needed<'_>],
) -> Vec<Finding> {
    if rights.has_roles {
        return Vec::new();
    }
    let lacking = |(wanted, place): &Needed<'_>| {
        let lacking: Vec<&str> = wanted.iter().copied().filter(|right| !has(rights, right, *place)).collect();
        let (lacking, place) = (lacking.join(", "), on(&config.mysql.database, *place));
        let what = format!("the account {account} lacks {lacking} on {place}");
        let finding = Finding::problem(&facts.name, what, format!("GRANT {lacking} ON {place} TO {account}"));
        (!lacking.is_empty()).then_some(finding)
    };
    needed.iter().filter_map(lacking).collect()
}

/// In GRANT an underscore stands for any letter unless it is escaped, where it grants on a whole database.
fn on(database: &str, place: Place) -> String {
    match place {
        Place::Server => "*.*".to_owned(),
        Place::Database => format!("`{}`.*", database.replace('_', "\\_")),
        Place::Table(table) => format!("`{database}`.{table}"),
    }
}

/// MariaDB writes the same right with a space or an underscore, by version.
fn has(rights: &Rights, right: &str, place: Place) -> bool {
    let plain = |text: &str| text.replace('_', " ");
    let is_global = rights.global.iter().any(|held| plain(held) == plain(right));
    let on_database = || rights.database.contains(right);
    let on_table = |table| rights.tables.get(table).is_some_and(|held| held.contains(right));
    is_global
        || match place {
            Place::Server => false,
            Place::Database => on_database(),
            Place::Table(table) => on_database() || on_table(table),
        }
}

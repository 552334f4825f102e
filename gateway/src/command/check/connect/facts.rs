//! What a server says of itself, as far as `check --connect` asks. Plain values.

use crate::database::Version;
use std::collections::{BTreeMap, BTreeSet};

/// One server's settings, rights and tables.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// As configured.
    pub name: String,
    /// MariaDB, else MySQL.
    pub is_mariadb: bool,
    /// As it tells it, such as `10.11.6-MariaDB-log`.
    pub version: String,
    /// Who we are there, as `'user'@'host'`.
    pub account: String,
    /// Global variables by their names in small letters.
    pub variables: BTreeMap<String, Variable>,
    /// How far its clock is ahead of ours, microseconds; half of the time that asking took is its error.
    pub clock_ahead_us: i64,
    /// What this account may do.
    pub rights: Rights,
    /// The account that promotes, or why it cannot log in; none where none is configured.
    pub promotion: Option<Result<Login, String>>,
    /// The account that replicas log in with, or why it cannot; none where none is configured.
    pub replication: Option<Result<Login, String>>,
    /// How many replicas are connected to it, where it tells.
    pub replicas_connected: Option<u64>,
    /// The tables of our database and of the routes, as `database.table`.
    pub tables: BTreeMap<String, Table>,
    /// The version of our tables; none without them.
    pub schema_version: Option<u64>,
}

/// What an account may do.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    /// On everything.
    pub global: BTreeSet<String>,
    /// On our database.
    pub database: BTreeSet<String>,
    /// On single tables of our database, by their names.
    pub tables: BTreeMap<String, BTreeSet<String>>,
    /// It has rights through roles too, so that one that is not listed may be there all the same.
    pub has_roles: bool,
}

/// An account that has logged in.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// Who it is there, as `'user'@'host'`.
    pub account: String,
    /// What it may do.
    pub rights: Rights,
}

/// A global variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// It was set by a statement, so the next start may bring another value. None where the server does not tell.
    pub is_from_statement: Option<bool>,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Such as `InnoDB`.
    pub engine: String,
    /// Its columns by their names in small letters: names of columns are compared without regard to case.
    pub columns: BTreeMap<String, Column>,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Such as `varchar`.
    pub data_type: String,
    /// It takes NULL.
    pub is_nullable: bool,
    /// It has a default of its own, or numbers itself.
    pub has_default: bool,
    /// It takes the server's time when a row is inserted or changed.
    pub takes_server_time: bool,
    /// The server computes it.
    pub is_generated: bool,
}

impl ServerFacts {
    /// The text of a variable; empty where the server has no such variable.
    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map(|variable| variable.value.as_str()).unwrap_or_default()
    }

    /// The variable is there and off.
    pub fn is_off(&self, name: &str) -> bool {
        matches!(self.variable(name), "OFF" | "0")
    }

    /// The variable as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.variable(name).parse().ok()
    }

    /// Major, minor and patch version.
    pub fn version_numbers(&self) -> (u16, u16, u16) {
        Version::parse(&self.version).map_or((0, 0, 0), |version| version.numbers)
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Delivery or its promise does not hold like this.
    Problem,
    /// It works now; there is a day on which it will matter.
    Warning,
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// The server, as configured; empty when it concerns all of them.
    pub server: String,
    /// What is wrong and what comes of it.
    pub what: String,
    /// SQL for that server, or what else to do.
    pub mend: String,
}

impl Finding {
    /// Delivery or its promise does not hold like this.
    pub fn problem(server: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { weight: Weight::Problem, server: server.to_owned(), what: what.into(), mend: mend.into() }
    }

    /// It works now; there is a day on which it will matter.
    pub fn warning(server: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::problem(server, what, mend) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        let of =
            |version: &str| ServerFacts { version: version.to_owned(), ..ServerFacts::default() }.version_numbers();
        assert_eq!(of("10.11.6-MariaDB-0+deb12u1-log"), (10, 11, 6));
        assert_eq!(of("5.5.5-10.5.9-MariaDB"), (10, 5, 9));
        assert_eq!(of("9.7.0"), (9, 7, 0));
        assert_eq!(of(""), (0, 0, 0));
    }
}

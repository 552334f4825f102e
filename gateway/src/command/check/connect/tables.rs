//! What is wrong with our tables and with those of the routes. Pure.

use super::facts::{Column, Finding, ServerFacts, Table};
use crate::drain::rows::READING_COLUMNS;
use crate::drain::write::{DEAD_LETTER_COLUMNS, GAP_COLUMNS};
use config::{Config, Property, Route, Template};

/// The version of the tables that this program writes.
const SCHEMA_VERSION: u64 = 1;
/// Ours, as `fieldgate db schema` makes them.
const OURS: [&str; 12] = [
    "schema_version",
    "streams",
    "channels",
    "readings",
    "gaps",
    "dead_letters",
    "events",
    "server_term",
    "standby_groups",
    "standby_spans",
    "left_out",
    "standby_members",
];
/// Ours too, and nothing is lost without it.
const TURNS: &str = "reader_turn";

/// What is written into those that a drain fills.
const WRITTEN: [(&str, &[&str]); 3] =
    [("readings", READING_COLUMNS), ("gaps", GAP_COLUMNS), ("dead_letters", DEAD_LETTER_COLUMNS)];

/// Everything that keeps rows from being written to the source.
pub fn findings(facts: &ServerFacts, config: &Config) -> Vec<Finding> {
    let mut found = ours(facts, &config.mysql.database);
    for (index, route) in config.routes.iter().enumerate() {
        let database = route.table.database.as_deref().unwrap_or(&config.mysql.database);
        let full = format!("{database}.{}", route.table.table);
        let route =
            Asked { server: &facts.name, account: &facts.account, key: format!("routes[{index}]"), full, route };
        found.extend(route.findings(facts.tables.get(&route.full)));
    }
    found
}

fn ours(facts: &ServerFacts, database: &str) -> Vec<Finding> {
    const MEND: &str = "fieldgate db schema --apply --admin-user NAME";
    let table = |name: &str| facts.tables.get(&format!("{database}.{name}"));
    let missing: Vec<&str> = OURS.into_iter().filter(|name| table(name).is_none()).collect();
    if !missing.is_empty() {
        let what =
            format!("the database {database} lacks the tables {}, or the account may not see them", missing.join(", "));
        return vec![Finding::problem(&facts.name, what, MEND)];
    }
    let mut found = Vec::new();
    if table(TURNS).is_none() {
        let what = format!(
            "the database {database} lacks the table {TURNS}, made since: `db reader` tells turns by the clock, and not over all \
             who ask"
        );
        found.push(Finding::warning(&facts.name, what, MEND));
    }
    if facts.schema_version != Some(SCHEMA_VERSION) {
        let there = facts.schema_version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
        let what = format!("the tables are of version {there}, and this fieldgate writes version {SCHEMA_VERSION}");
        found.push(Finding::problem(&facts.name, what, MEND));
    }
    for (name, columns) in WRITTEN {
        let has = |column: &&&str| table(name).is_some_and(|table| table.columns.contains_key(**column));
        let lacking: Vec<&str> = columns.iter().filter(|column| !has(column)).copied().collect();
        if !lacking.is_empty() {
            let what = format!("the table {database}.{name} lacks the columns {}", lacking.join(", "));
            found.push(Finding::problem(&facts.name, what, MEND));
        }
    }
    let plain = OURS.into_iter().filter(|name| table(name).is_some_and(|table| !is_transactional(table)));
    found.extend(plain.map(|name| no_transactions(&facts.name, &format!("{database}.{name}"))));
    found
}

fn is_transactional(table: &Table) -> bool {
    ["InnoDB", "ROCKSDB", "NDBCLUSTER", "ndbcluster"].contains(&table.engine.as_str())
}

fn no_transactions(server: &str, table: &str) -> Finding {
    let what = format!(
        "the table {table} has no transactions: what was written stays when the transaction fails, and is doubled"
    );
    let quoted = table.split('.').map(|part| format!("`{part}`")).collect::<Vec<_>>().join(".");
    Finding::problem(server, what, format!("ALTER TABLE {quoted} ENGINE = InnoDB"))
}

/// A route on its way through the rules.
struct Asked<'a> {
    server: &'a str,
    account: &'a str,
    key: String,
    full: String,
    route: &'a Route,
}

impl Asked<'_> {
    fn findings(&self, table: Option<&Table>) -> Vec<Finding> {
        let Some(table) = table else {
            let what = format!("{}: there is no table {}, or the account may not see it", self.key, self.full);
            let quoted = config::Quoted::quoted(&self.route.table);
            let mend = format!("create it, then GRANT INSERT ON {quoted} TO {}", self.account);
            return vec![Finding::problem(self.server, what, mend)];
        };
        let mut found: Vec<Finding> =
            self.named().flat_map(|(name, template)| self.column(name, template, table)).collect();
        found.extend(table.columns.iter().filter_map(|(name, column)| self.unnamed(name, column)));
        if !is_transactional(table) {
            found.push(no_transactions(self.server, &self.full));
        }
        found
    }

    fn named(&self) -> impl Iterator<Item = (&str, &Template)> {
        self.route.columns.iter().map(|(name, template)| (name.as_str(), template))
    }

    /// A column that the route fills.
    fn column(&self, name: &str, template: &Template, table: &Table) -> Option<Finding> {
        let key = format!("{}.columns.{name}", self.key);
        let Some(column) = table.columns.get(&name.to_lowercase()) else {
            let what = format!("{key}: {} has no such column", self.full);
            let known: Vec<&str> = table.columns.keys().map(String::as_str).collect();
            return Some(Finding::problem(self.server, what, format!("use one of {}", known.join(", "))));
        };
        if column.is_generated {
            let what = format!("{key}: the server computes this column itself");
            return Some(Finding::problem(self.server, what, "remove it from the route"));
        }
        let misfit = misfit(template, column)?;
        let what =
            format!("{key}: gives {misfit} to a column of the type {}, which refuses most of it", column.data_type);
        Some(Finding::problem(self.server, what, "give it another property, or change the type of the column"))
    }

    /// A column that the route leaves to its default.
    fn unnamed(&self, name: &str, column: &Column) -> Option<Finding> {
        if self.named().any(|(named, _)| named.to_lowercase() == name) || column.is_generated {
            return None;
        }
        let mend = |value: &str| format!("add {name} = \"{value}\" to {}.columns", self.key);
        if column.takes_server_time {
            let what = format!(
                "{}: the column {name} of {} would take the time at which the row arrives, not the reading's own",
                self.key, self.full
            );
            return Some(Finding::problem(self.server, what, mend("{sampled_at}")));
        }
        let what = format!("{}: the column {name} of {} needs a value and has no default", self.key, self.full);
        let is_needed = !column.is_nullable && !column.has_default;
        is_needed.then(|| Finding::problem(self.server, what, mend("...")))
    }
}

/// What the template gives, when a column of this type refuses it in strict mode.
fn misfit(template: &Template, column: &Column) -> Option<&'static str> {
    const NUMBERS: [&str; 10] =
        ["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year", "bit"];
    const TIMES: [&str; 3] = ["datetime", "timestamp", "date"];
    let kind = column.data_type.as_str();
    let (is_number, is_time) = (NUMBERS.contains(&kind), TIMES.contains(&kind));
    let given = match template {
        Template::Number(_) => "a number",
        Template::Text(_) => "text",
        Template::Property(Property::SampledAt | Property::NodeTime) => "a time",
        Template::Property(
            Property::Site
            | Property::Gateway
            | Property::Node
            | Property::Channel
            | Property::Unit
            | Property::ValueText,
        ) => "text",
        Template::Property(_) => "a number",
    };
    let fits = match given {
        "a time" => !is_number,
        // Text of digits fits a number, and text that is a time fits one: only names and units surely do not.
        "text" => !(is_number || is_time) || matches!(template, Template::Text(_)),
        _ => !is_time,
    };
    (!fits).then_some(given)
}

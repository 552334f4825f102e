//! `[[routes]]`: readings that also become rows of the user's own tables.

mod template;

use std::fmt;

pub use template::{Part, Quoted, Source, Template};

use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{parsed, text};

const MAX_NAME_CHARS: usize = 64;
const MAX_PATTERNS: usize = 64;
const MAX_PATTERN_CHARS: usize = 128;
const MAX_COLUMNS: usize = 64;

/// One table of the user's, and which readings become rows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What it is called in messages and in `dead_letters`: 1 to 64 characters. Default: the table as it is written.
    pub name: String,
    /// The table.
    pub table: TableName,
    /// Which nodes; one of 1 to 64 patterns must match. Default: all.
    pub nodes: Vec<NamePattern>,
    /// Which channels; one of 1 to 64 patterns must match. Default: all.
    pub channels: Vec<NamePattern>,
    /// The columns that are written, 1 to 64; the others keep their defaults.
    pub columns: Vec<(ColumnName, Template)>,
}

impl Route {
    /// Whether readings of this channel take this route.
    #[must_use]
    pub fn takes(&self, node: &str, channel: &str) -> bool {
        let one_of = |patterns: &[NamePattern], name| patterns.iter().any(|pattern| pattern.matches(name));
        one_of(&self.nodes, node) && one_of(&self.channels, channel)
    }
}

/// A table, perhaps of another database on the same server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The database; none for the one of `[mysql]`.
    pub database: Option<String>,
    /// The table.
    pub table: String,
}

impl TableName {
    fn parse(text: &str) -> Result<Self, ValueError> {
        let (database, table) = text.split_once('.').map_or((None, text), |(database, table)| (Some(database), table));
        if !database.into_iter().chain([table]).all(is_plain_name) {
            let what = format!("is {text:?}, not a table");
            return Err(ValueError::new(
                what,
                "write TABLE or DATABASE.TABLE with letters (a to z), digits, _, $ or -",
            ));
        }
        Ok(Self { database: database.map(str::to_owned), table: table.to_owned() })
    }
}

/// As it is written in SQL: every part in back-quotes.
impl Quoted for TableName {
    fn quoted(&self) -> String {
        let parts = self.database.iter().chain([&self.table]);
        parts.map(|part| format!("`{part}`")).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(database) = &self.database {
            write!(f, "{database}.")?;
        }
        f.write_str(&self.table)
    }
}

/// A column of the user's table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnName(String);

impl ColumnName {
    fn parse(text: &str) -> Result<Self, ValueError> {
        if (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && !text.contains(|c: char| c.is_control() || c == '`')
        {
            return Ok(Self(text.to_owned()));
        }
        let remedy = format!("write a column's name of 1 to {MAX_NAME_CHARS} characters, without back-quotes");
        Err(ValueError::new("is not the name of a column", remedy))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Quoted for ColumnName {
    fn quoted(&self) -> String {
        format!("`{}`", self.0)
    }
}

/// A name in which `*` stands for any number of characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamePattern(String);

impl NamePattern {
    fn any() -> Vec<Self> {
        vec![Self("*".to_owned())]
    }

    /// Whether `name` is one that the pattern stands for.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// Only names that need no thought about quoting, case or encoding.
fn is_plain_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_$-".contains(c));
    plain && (1..=MAX_NAME_CHARS).contains(&name.len())
}

pub(crate) fn read(section: &mut Section<'_, '_>) -> Option<Route> {
    let table = section.required("table", "\"plant_moisture.plants\"", parsed(TableName::parse));
    let name = section.optional("name", text(MAX_NAME_CHARS));
    let nodes = patterns(section, "nodes");
    let channels = patterns(section, "channels");
    let columns = columns(section);
    let table = table?;
    let name = name.unwrap_or_else(|| table.to_string().chars().take(MAX_NAME_CHARS).collect());
    Some(Route { name, nodes: nodes?, channels: channels?, columns: columns?, table })
}

fn patterns(section: &mut Section<'_, '_>, key: &'static str) -> Option<Vec<NamePattern>> {
    if section.value(key).is_none() {
        return Some(NamePattern::any());
    }
    let read = text(MAX_PATTERN_CHARS);
    let texts = section.list(key, "[\"plant-*\"]", 1..=MAX_PATTERNS, read);
    texts.into_iter().map(|text| text.map(NamePattern)).collect()
}

fn columns(section: &mut Section<'_, '_>) -> Option<Vec<(ColumnName, Template)>> {
    let example = "{ plant = \"{node}\", moisture = \"{value}\", measured_at = \"{sampled_at}\" }";
    section.demand("columns", &format!("add columns = {example}"));
    let entries = section
        .map("columns", example, 1..=MAX_COLUMNS, |name, value| Ok((ColumnName::parse(name)?, Template::read(value)?)));
    entries.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_number_of_characters() {
        let matches = |pattern: &str, name: &str| NamePattern(pattern.to_owned()).matches(name);
        for (pattern, name) in [("*", ""), ("*", "a"), ("plant-*", "plant-1"), ("*-b", "a-b"), ("a*b*c", "a-b-b-c")] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("plant", "plant-1"), ("plant-*", "plan"), ("a*a", "a"), ("a*b*c", "acb"), ("", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_table_may_name_its_database() {
        let table = TableName::parse("plant_moisture.plants").unwrap();
        assert_eq!(
            (table.quoted().as_str(), table.to_string().as_str()),
            ("`plant_moisture`.`plants`", "plant_moisture.plants")
        );
        assert_eq!(TableName::parse("plants").unwrap().database, None);
        for wrong in ["", ".", "a.b.c", "a b", "a`", "a."] {
            assert!(TableName::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}

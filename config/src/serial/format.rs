//! How the lines of a serial node become readings, and the keys that belong to each format.

use crate::node::Channel;
use crate::problem::ValueError;
use crate::section::Section;
use crate::values::{choice, parsed};

const MAX_COLUMNS: usize = 256;
/// The characters of numbers and of quoted text, which would tear fields apart.
const NO_DELIMITERS: &str = "+-.\"";

/// What one line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFormat {
    /// A JSON object; each of its members is a channel.
    JsonLines,
    /// Fields between delimiters.
    Csv {
        /// What each field is, from left to right; 1 to 256, at least one of them a channel, none named twice.
        columns: Vec<Column>,
        /// What stands between two fields: a tabulator, a space or an ASCII punctuation character that numbers lack.
        delimiter: u8,
    },
    /// One number.
    Number {
        /// What it measures.
        channel: Channel,
    },
}

/// What one field of a CSV line is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Nothing of interest; written as `-`.
    Skipped,
    /// The node's own number of the line; written as `seq`.
    Sequence,
    /// The node's own time; written as `time`.
    Time,
    /// A value of this channel.
    Channel(Channel),
}

#[derive(Clone, Copy, PartialEq)]
enum Name {
    JsonLines,
    Csv,
    Number,
}

const NAMES: [(&str, Name); 3] = [("json-lines", Name::JsonLines), ("csv", Name::Csv), ("number", Name::Number)];

/// Reads `format` and the keys that only some formats have. Without a valid format those are not judged.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<LineFormat> {
    let chosen = section.optional("format", choice(&NAMES));
    let chosen = if section.has("format") { chosen } else { Some(Name::JsonLines) };
    for (key, format) in [("columns", Name::Csv), ("delimiter", Name::Csv), ("channel", Name::Number)] {
        belongs(section, key, format, chosen);
    }
    match chosen? {
        Name::JsonLines => Some(LineFormat::JsonLines),
        Name::Csv => csv(section),
        Name::Number => {
            let channel = section.required("channel", "\"level\"", parsed(Channel::new))?;
            Some(LineFormat::Number { channel })
        }
    }
}

fn belongs(section: &mut Section<'_, '_>, key: &'static str, format: Name, chosen: Option<Name>) {
    let is_there = section.value(key).is_some();
    if is_there && chosen.is_some_and(|chosen| chosen != format) {
        let name = NAMES.iter().find(|(_, name)| *name == format).map_or("", |(word, _)| word);
        let what = format!("is only for format = {name:?}");
        section.add(key, ValueError::new(what, format!("remove it, or write format = {name:?}")));
    }
}

fn csv(section: &mut Section<'_, '_>) -> Option<LineFormat> {
    let columns = section.list("columns", "[\"temperature\", \"humidity\"]", 1..=MAX_COLUMNS, parsed(column));
    let named: Vec<_> = columns.iter().map(|column| column.clone().filter(|it| *it != Column::Skipped)).collect();
    section.distinct("columns", &named, Clone::clone);
    let delimiter = section.or("delimiter", b',', parsed(delimiter));
    let columns = columns.into_iter().collect::<Option<Vec<_>>>()?;
    if !columns.is_empty() && !columns.iter().any(|column| matches!(column, Column::Channel(_))) {
        let remedy = "name a channel besides \"-\", \"seq\" and \"time\"";
        section.add("columns", ValueError::new("has no channel", remedy));
    }
    Some(LineFormat::Csv { columns, delimiter })
}

fn column(text: &str) -> Result<Column, ValueError> {
    match text {
        "-" => Ok(Column::Skipped),
        "seq" => Ok(Column::Sequence),
        "time" => Ok(Column::Time),
        channel => Ok(Column::Channel(Channel::new(channel)?)),
    }
}

fn delimiter(text: &str) -> Result<u8, ValueError> {
    let stands_between = |c: char| "\t ".contains(c) || (c.is_ascii_punctuation() && !NO_DELIMITERS.contains(c));
    match text.as_bytes() {
        [one] if stands_between(char::from(*one)) => Ok(*one),
        _ => Err(ValueError::new(format!("is {text:?}"), "write one character such as \",\", \";\" or \"\\t\"")),
    }
}

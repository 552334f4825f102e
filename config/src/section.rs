//! Walks one table of the file key by key, and reports everything that is wrong.

mod list;

use toml::de::{DeTable, DeValue};

use crate::lines::join;
use crate::problem::ValueError;
use crate::report::Report;
use crate::values::not_a;

/// How alike a wrong key and a right one must be for a "did you mean", from 0 to 1.
const ALIKE: f64 = 0.8;

/// One table of the file; an absent one reads like an empty one.
pub(crate) struct Section<'d, 'r> {
    path: String,
    table: Option<&'d DeTable<'d>>,
    known: Vec<&'static str>,
    later: Vec<&'static str>,
    report: &'r mut Report,
}

impl<'d, 'r> Section<'d, 'r> {
    /// Reads a whole document with `read`.
    pub fn document<T>(
        table: &'d DeTable<'d>,
        report: &'r mut Report,
        read: impl FnOnce(&mut Section<'d, '_>) -> T,
    ) -> T {
        Section { path: String::new(), table: Some(table), known: Vec::new(), later: Vec::new(), report }.walk(read)
    }

    fn walk<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let result = read(&mut self);
        self.report_unknown_keys();
        result
    }

    fn enter<T>(
        &mut self,
        path: String,
        table: Option<&'d DeTable<'d>>,
        read: impl FnOnce(&mut Section<'d, '_>) -> T,
    ) -> T {
        Section { path, table, known: Vec::new(), later: Vec::new(), report: self.report }.walk(read)
    }

    /// A key that may be absent. `read` judges its value.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&DeValue<'_>) -> Result<T, ValueError>,
    ) -> Option<T> {
        let value = self.value(key)?;
        read(value).map_err(|error| self.add(key, error)).ok()
    }

    /// A key with a default. A wrong value gives the default too: the report already has the problem.
    pub fn or<T>(&mut self, key: &'static str, default: T, read: impl Fn(&DeValue<'_>) -> Result<T, ValueError>) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// A key that must be there; `example` is a value as it stands in a file.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl Fn(&DeValue<'_>) -> Result<T, ValueError>,
    ) -> Option<T> {
        self.demand(key, &format!("add {key} = {example}"));
        self.optional(key, read)
    }

    /// A `[table]` inside this one. None when it is something else; absent, it is read as an empty one.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'d, '_>) -> T) -> Option<T> {
        let table = match self.value(key) {
            None => None,
            Some(DeValue::Table(table)) => Some(table),
            Some(other) => {
                self.add(key, not_a("section", other, &format!("write it once, as [{key}]")));
                return None;
            }
        };
        Some(self.enter(join(&self.path, key), table, read))
    }

    /// Reports `key` when it is absent; true when it is there.
    pub fn demand(&mut self, key: &'static str, remedy: &str) -> bool {
        let there = self.value(key).is_some();
        if !there {
            self.report.add_missing(&join(&self.path, key), ValueError::new("is missing", remedy));
        }
        there
    }

    /// Reports `key` as agreed on but not built yet, when it is there.
    pub fn not_in_this_version(&mut self, key: &'static str) {
        self.later.push(key);
        if self.has(key) {
            self.add(key, ValueError::not_in_this_version("remove it"));
        }
    }

    /// Makes `key` one that is not called unknown, without accepting it: whoever asks has reported it, or cannot judge it.
    pub fn ignore(&mut self, key: &'static str) {
        self.later.push(key);
    }

    /// True when the file has `key` here.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Reports a problem of `key` in this table, or of an entry (`servers[1]`).
    pub fn add(&mut self, key: &str, error: ValueError) {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        self.report.add(&path, error);
    }

    /// The value of `key`; asking makes it one of the accepted keys.
    pub fn value(&mut self, key: &'static str) -> Option<&'d DeValue<'d>> {
        if !self.known.contains(&key) {
            self.known.push(key);
            self.report.ask(&join(&self.path, key));
        }
        Some(self.table?.get(key)?.get_ref())
    }

    fn report_unknown_keys(&mut self) {
        for (key, _) in self.table.into_iter().flatten() {
            let key = key.get_ref().as_ref();
            if !self.known.contains(&key) && !self.later.contains(&key) {
                let error = ValueError::new("is not a key that fieldgate knows", self.advice(key));
                self.report.add(&join(&self.path, key), error);
            }
        }
    }

    fn advice(&self, wrong: &str) -> String {
        let likeness = |key: &str| strsim::jaro_winkler(wrong, key);
        let best = self.known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match best.filter(|key| likeness(key) >= ALIKE) {
            Some(key) => format!("did you mean {key}?"),
            None => format!("remove it; known here: {}", self.known.join(", ")),
        }
    }
}

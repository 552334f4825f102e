//! Lists of values and lists of tables, each entry judged by itself.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::Section;
use crate::lines::join;
use crate::problem::ValueError;
use crate::values::not_a;

impl<'d> Section<'d, '_> {
    /// A list that must be there. Each wrong entry is a problem of its own, and None in its place.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        example: &str,
        count: RangeInclusive<usize>,
        read: impl Fn(&DeValue<'_>) -> Result<T, ValueError>,
    ) -> Vec<Option<T>> {
        self.demand(key, &format!("add {key} = {example}"));
        let entries = self.entries(key, &format!("write a list: {key} = {example}"));
        self.check_count(key, entries.as_ref().map(Vec::len), count);
        let entries = entries.unwrap_or_default().into_iter().enumerate();
        entries
            .map(|(index, entry)| read(entry).map_err(|error| self.add(&format!("{key}[{index}]"), error)).ok())
            .collect()
    }

    /// Reports each entry of a list that means the same as an earlier one; `meaning` is what they are compared by.
    pub fn distinct<T, M: Ord>(&mut self, key: &str, entries: &[Option<T>], meaning: impl Fn(&T) -> M) {
        let mut first = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let Some(meaning) = entry.as_ref().map(&meaning) else {
                continue;
            };
            let earlier = *first.entry(meaning).or_insert(index);
            if earlier < index {
                let what = format!("means the same as {key}[{earlier}]");
                self.add(&format!("{key}[{index}]"), ValueError::new(what, "remove one of the two"));
            }
        }
    }

    /// Every `[[table]]` of this name, read with its index. Each wrong one is a problem of its own, and None in its place.
    pub fn sections<T>(
        &mut self,
        key: &'static str,
        count: RangeInclusive<usize>,
        read: impl FnMut(usize, &mut Section<'d, '_>) -> Option<T>,
    ) -> Vec<Option<T>> {
        self.tables(key, &format!("write [[{key}]] with two brackets, once for each"), count, read)
    }

    /// The same for tables that are usually written as `{ key = value }`; `remedy` says how.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        remedy: &str,
        count: RangeInclusive<usize>,
        mut read: impl FnMut(usize, &mut Section<'d, '_>) -> Option<T>,
    ) -> Vec<Option<T>> {
        let entries = self.entries(key, remedy);
        self.check_count(key, entries.as_ref().map(Vec::len), count);
        let mut found = Vec::new();
        for (index, entry) in entries.unwrap_or_default().into_iter().enumerate() {
            let DeValue::Table(table) = entry else {
                self.add(&format!("{key}[{index}]"), not_a("section", entry, remedy));
                found.push(None);
                continue;
            };
            let path = format!("{}[{index}]", join(&self.path, key));
            found.push(self.enter(path, Some(table), |section| read(index, section)));
        }
        found
    }

    /// A table whose keys the file's author chooses. Each wrong entry is a problem of its own, and None in its place.
    pub fn map<T>(
        &mut self,
        key: &'static str,
        example: &str,
        count: RangeInclusive<usize>,
        read: impl Fn(&str, &DeValue<'_>) -> Result<T, ValueError>,
    ) -> Vec<Option<T>> {
        let entries = match self.value(key) {
            None => return vec![None],
            Some(DeValue::Table(entries)) => entries,
            Some(other) => {
                self.add(key, not_a("table", other, &format!("write {key} = {example}")));
                return vec![None];
            }
        };
        self.check_count(key, Some(entries.len()), count);
        let mut found = Vec::new();
        for (name, value) in entries {
            let path = join(key, name.get_ref());
            self.report.ask(&join(&join(&self.path, key), name.get_ref()));
            found.push(read(name.get_ref(), value.get_ref()).map_err(|error| self.add(&path, error)).ok());
        }
        found
    }

    /// Reports the first of these lists as missing when none of them has an entry.
    pub fn demand_entry(&mut self, keys: &[&'static str], remedy: &str) {
        let is_empty = |key: &&str| match self.table.and_then(|table| table.get(*key)).map(|value| value.get_ref()) {
            None => true,
            Some(DeValue::Array(entries)) => entries.is_empty(),
            Some(_) => false,
        };
        if keys.iter().all(is_empty) {
            let first = keys.first().copied().unwrap_or_default();
            self.report.add_missing(&join(&self.path, first), ValueError::new("is missing", remedy));
        }
    }

    fn check_count(&mut self, key: &str, found: Option<usize>, allowed: RangeInclusive<usize>) {
        if let Some(found) = found.filter(|found| !allowed.contains(found)) {
            let remedy = format!("give between {} and {}", allowed.start(), allowed.end());
            self.add(key, ValueError::new(format!("has {found} entries"), remedy));
        }
    }

    fn entries(&mut self, key: &'static str, remedy: &str) -> Option<Vec<&'d DeValue<'d>>> {
        match self.value(key)? {
            DeValue::Array(entries) => Some(entries.iter().map(|entry| entry.get_ref()).collect()),
            other => {
                self.add(key, not_a("list", other, remedy));
                None
            }
        }
    }
}

//! Where each key of the file stands.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// No accepted key lies deeper; what does is reported at the line of its parent.
const DEEPEST: usize = 6;

/// Line of each key and list entry, by path (`mysql.servers[1]`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// Lines of everything in `document`, which was parsed from `text`.
    pub fn of(text: &str, document: &DeTable<'_>) -> Self {
        let mut lines = Self::default();
        lines.add_table(text, "", document, DEEPEST);
        lines
    }

    /// The line of `path`, or of the nearest thing around it that stands in the file, or 1.
    pub fn line(&self, path: &str) -> usize {
        let mut nearest = path;
        loop {
            if let Some(line) = self.0.get(nearest) {
                return *line;
            }
            match nearest.rfind(['.', '[']) {
                Some(end) => nearest = &nearest[..end],
                None => return 1,
            }
        }
    }

    fn add_table(&mut self, text: &str, path: &str, table: &DeTable<'_>, depth: usize) {
        for (key, value) in table {
            let path = join(path, key.get_ref());
            self.0.insert(path.clone(), line_at(text, key.span().start));
            self.add_inside(text, &path, value.get_ref(), depth);
        }
    }

    fn add_inside(&mut self, text: &str, path: &str, value: &DeValue<'_>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match value {
            DeValue::Table(table) => self.add_table(text, path, table, depth),
            DeValue::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.0.insert(path.clone(), line_at(text, entry.span().start));
                    self.add_inside(text, &path, entry.get_ref(), depth);
                }
            }
            _ => {}
        }
    }
}

/// The line, counted from 1, in which the byte at `offset` lies.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The path of `key` inside `parent`; a key that needs quotes in TOML has them here too, and stays on one line.
pub(crate) fn join(parent: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if parent.is_empty() { key } else { format!("{parent}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        Lines::of(text, DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn keys_entries_and_tables_have_their_lines() {
        let lines = lines("[a]\r\nlist = [\n  1,\n  2,\n]\n[[b]]\nx = 1\n[[b]]\n\"odd.key\" = 1\n");
        let expected = [("a", 1), ("a.list", 2), ("a.list[1]", 4), ("b[0].x", 7), ("b[1]", 8), ("b[1].\"odd.key\"", 9)];
        for (path, line) in expected {
            assert_eq!(lines.line(path), line, "{path}");
        }
    }

    #[test]
    fn what_is_missing_is_reported_where_it_should_stand() {
        let lines = lines("\n[a]\nlist = []\n");
        assert_eq!(lines.line("a.list[3].name"), 3);
        assert_eq!(lines.line("a.user"), 2);
        assert_eq!(lines.line("mysql"), 1);
    }
}

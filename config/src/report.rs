//! What reading one file has brought to light.

use std::collections::BTreeSet;

use crate::lines::Lines;
use crate::problem::{Problem, ValueError};

/// Everything found out while one file is read.
pub(crate) struct Report {
    pub lines: Lines,
    pub problems: Vec<Problem>,
    /// Lines that are no TOML; what the parser made of them is not judged again.
    broken: BTreeSet<usize>,
    /// Every key that was asked for, with `[]` for any entry of a list. These are the accepted keys.
    asked: BTreeSet<String>,
}

impl Report {
    pub fn new(lines: Lines, syntax: Vec<Problem>) -> Self {
        let broken = syntax.iter().map(|problem| problem.line).collect();
        Self { lines, problems: syntax, broken, asked: BTreeSet::new() }
    }

    pub fn add(&mut self, path: &str, error: ValueError) {
        let line = self.lines.line(path);
        if !self.broken.contains(&line) {
            self.problems.push(Problem { path: path.to_owned(), line, what: error.what, remedy: error.remedy });
        }
    }

    /// Nothing can be called missing while a line of the file cannot be read: it may be the very line.
    pub fn add_missing(&mut self, path: &str, error: ValueError) {
        if self.broken.is_empty() {
            self.add(path, error);
        }
    }

    /// Notes that `path` is a key of this version.
    pub fn ask(&mut self, path: &str) {
        let parts = path.split('[').map(|part| part.split_once(']').map_or(part, |(_, after)| after));
        self.asked.insert(parts.collect::<Vec<_>>().join("[]"));
    }

    #[cfg(test)]
    pub fn accepted_keys(&self) -> &BTreeSet<String> {
        &self.asked
    }
}

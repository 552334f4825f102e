//! From a file to a `Config`, or to all its problems.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::de::DeTable;

use crate::Config;
use crate::check::{self, Sections};
use crate::lines::{Lines, line_at};
use crate::problem::{ConfigError, Problem};
use crate::report::Report;
use crate::section::Section;

/// Longest file, in bytes: far above any real one, far below what would hurt.
const MAX_FILE_BYTES: u64 = 256 * 1024;

impl Config {
    /// Reads and checks the file at `path`. `host_name` is the gateway's id where the file gives none.
    ///
    /// # Errors
    /// When the file cannot be read or is longer than 256 KiB, else with every problem found in it.
    pub fn load(path: &Path, host_name: &str) -> Result<Self, ConfigError> {
        let bytes = read(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        let text =
            utf8(bytes).map_err(|problem| ConfigError::Problems { file: path.to_owned(), problems: vec![problem] })?;
        Self::from_text(&text, path, host_name)
    }

    /// Checks a text as if it were the content of `file`, which need not exist.
    ///
    /// # Errors
    /// With every problem found in the text.
    pub fn from_text(text: &str, file: &Path, host_name: &str) -> Result<Self, ConfigError> {
        let (sections, mut report) = examine(text, host_name);
        report.problems.sort_by_key(|problem| problem.line);
        match sections.filter(|_| report.problems.is_empty()) {
            Some(Sections { gateway, mysql, queue, drain, quota, notify, led, mqtt, serial, i2c, standby, routes }) => {
                let lines = report.lines;
                Ok(Self { gateway, mysql, queue, drain, quota, notify, led, mqtt, serial, i2c, standby, routes, lines })
            }
            None => Err(ConfigError::Problems { file: file.to_owned(), problems: report.problems }),
        }
    }

    /// A problem that shows only later, such as a password file that cannot be read, with the line of its key.
    ///
    /// `path` names the key as in `mqtt[0].password_file`; a key that is not in the file has the line of its section.
    #[must_use]
    pub fn problem(&self, path: &str, what: &str, remedy: &str) -> Problem {
        let (path, what, remedy) = (path.to_owned(), what.to_owned(), remedy.to_owned());
        Problem { line: self.lines.line(&path), path, what, remedy }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_FILE_BYTES) {
        return Ok(bytes);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {} KiB", MAX_FILE_BYTES / 1024)))
}

fn utf8(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let valid = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        syntax(line_at(&valid, valid.len()), "has bytes that are not UTF-8", "save the file as UTF-8")
    })
}

/// Everything the text says, and everything that is wrong with it.
fn examine(text: &str, host_name: &str) -> (Option<Sections>, Report) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::of(text, document.get_ref());
    let mut report = Report::new(lines, syntax_problems(text, &errors));
    let sections = Section::document(document.get_ref(), &mut report, |root| check::read(root, host_name));
    (sections, report)
}

/// The first error of each line: the parser goes on after an error, and what it finds next to it is mostly an echo.
fn syntax_problems(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let offset = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by_key(|error| offset(error));
    errors.dedup_by_key(|error| line_at(text, offset(error)));
    let problem = |error: &toml::de::Error| {
        let what = format!("is not TOML: {}", error.message());
        syntax(line_at(text, offset(error)), &what, "correct this line or the one before")
    };
    errors.into_iter().map(problem).collect()
}

fn syntax(line: usize, what: &str, remedy: &str) -> Problem {
    Problem { path: String::new(), line, what: what.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests;

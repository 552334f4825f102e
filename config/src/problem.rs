//! What can be wrong with a configuration, in words for the person who repairs it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::node::NameError;

/// Why one value cannot be used: what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// What is wrong, as the end of a sentence that begins with the name of the key.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl ValueError {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// For what is agreed on but arrives with a later version.
    pub(crate) fn not_in_this_version(remedy: &str) -> Self {
        Self::new("is not in this version of fieldgate", remedy)
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for ValueError {}

impl From<NameError> for ValueError {
    fn from(error: NameError) -> Self {
        let words = error.to_string();
        let (rule, remedy) = words.split_once("; ").unwrap_or((&words, "choose another"));
        Self::new(format!("cannot be used: {rule}"), remedy)
    }
}

/// One thing to repair in the configuration file. Shown as `LINE: KEY: what; remedy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, for example `mysql.servers[1]`; empty when the text is no TOML there.
    pub path: String,
    /// Line in the file, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Why there is no configuration. Shown with one line for each thing to repair, each beginning with `FILE:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read at all.
    Unreadable {
        /// The file that was asked for.
        file: PathBuf,
        /// What the system said.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The file was read; this is everything that is wrong with it, in the order of its lines.
    Problems {
        /// The file that was read.
        file: PathBuf,
        /// At least one problem.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    pub(crate) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::Unreadable { file: file.to_owned(), what: error.to_string(), remedy: remedy(error.kind()) }
    }
}

fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "create it or name another file",
        io::ErrorKind::PermissionDenied => "let the user that runs fieldgate read it",
        io::ErrorKind::IsADirectory => "name the file in this folder",
        io::ErrorKind::FileTooLarge => "name a configuration file, or shorten this one",
        _ => "check the disk and the file",
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, what, remedy } => {
                write!(f, "{}: cannot be read: {what}; {remedy}", file.display())
            }
            Self::Problems { file, problems } => {
                for (index, problem) in problems.iter().enumerate() {
                    let line_break = if index == 0 { "" } else { "\n" };
                    write!(f, "{line_break}{}:{problem}", file.display())?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

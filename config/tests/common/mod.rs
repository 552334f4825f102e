//! A good file, and the problems of files that differ from it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;

use fieldgate_config::{Config, ConfigError, Problem};

/// A file without problems.
pub const GOOD: &str = r#"[gateway]
id = "barn-1"
[mysql]
servers = ["db1", "db2"]
database = "field"
user = "fieldgate"
[queue]
[[mqtt]]
broker = "mqtt://localhost"
topics = ["plants/{node}/{channel}"]
"#;

/// Every problem of `text` on a machine of this name.
pub fn problems_on(text: &str, host_name: &str) -> Vec<Problem> {
    match Config::from_text(text, Path::new("f.toml"), host_name) {
        Err(ConfigError::Problems { problems, .. }) => problems,
        other => panic!("{other:?}"),
    }
}

/// Every problem of `text`.
pub fn problems(text: &str) -> Vec<Problem> {
    problems_on(text, "barn-1")
}

/// The good file with `line` in `section`, instead of the line there that has the same key.
fn exchanged(section: &str, line: &str) -> String {
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    let mut here = false;
    let mut lines = Vec::new();
    for old in GOOD.lines() {
        here = if old.starts_with('[') { old == section } else { here };
        if old == section {
            lines.extend([old, line]);
        } else if !here || key(old) != key(line) {
            lines.push(old);
        }
    }
    lines.join("\n")
}

/// The only problem that `line` makes in `section` of the good file, which must be at that line.
pub fn words(section: &str, line: &str) -> String {
    let text = exchanged(section, line);
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{line}: {found:?}");
    let Problem { path, line: number, what, remedy } = &found[0];
    assert_eq!(text.lines().nth(number - 1), Some(line), "{path}");
    format!("{path}: {what}; {remedy}")
}

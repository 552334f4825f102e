//! One SQL text through the command-line client, over the server's socket, as root: it works even when the network or
//! the accounts are what a test has broken.

use std::path::Path;
use std::process::Command;

use super::Family;
use crate::artifacts::installed_program;
use crate::mysql;

/// One row of an answer. NULL is the word `NULL`; a column of bytes is in hexadecimal, with `0x`.
pub type Row = Vec<String>;

/// A client that gets no answer ends after this; a frozen server would keep it for ever.
const DEADLINE_SECONDS: &str = "60";

/// How the client prints an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layout {
    /// A line a row, without names.
    Rows,
    /// A line a column, `name: value`.
    Columns,
}

/// What the client printed, or the server's or the client's complaint.
pub(super) fn run(family: Family, socket: &Path, layout: Layout, sql: &str) -> Result<String, String> {
    let mut command = Command::new(installed_program("timeout", "coreutils"));
    command.arg(DEADLINE_SECONDS);
    command.arg(match family {
        Family::MariaDb => installed_program("mariadb", "mariadb-client-core"),
        Family::MySql => mysql::client(),
    });
    command.args(["--no-defaults", "--user=root", "--protocol=socket", "--batch", "--binary-as-hex"]);
    command.arg("--default-character-set=utf8mb4").arg("--socket").arg(socket);
    command.arg(match layout {
        Layout::Rows => "--skip-column-names",
        Layout::Columns => "--vertical",
    });
    let output = command.args(["--execute", sql]).output().map_err(|e| e.to_string())?;
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Some(124) => Err(format!("no answer within {DEADLINE_SECONDS} s")),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// The rows of an answer in `Layout::Rows`.
pub(super) fn rows(answer: &str) -> Vec<Row> {
    answer.lines().map(|line| line.split('\t').map(unescaped).collect()).collect()
}

/// The columns of a single row in `Layout::Columns`; the first of a name counts.
pub(super) fn column(answer: &str, name: &str) -> Option<String> {
    answer
        .lines()
        .filter_map(|line| line.trim_start().split_once(':'))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.trim().to_owned())
}

/// The client writes a tab, a line end, a backslash and a zero byte inside a value as two characters.
fn unescaped(value: &str) -> String {
    let mut characters = value.chars();
    let mut text = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => text.extend(characters.next().map(unescaped_character)),
            (plain, false) => text.push(plain),
        }
    }
    text
}

fn unescaped_character(letter: char) -> char {
    match letter {
        't' => '\t',
        'n' => '\n',
        '0' => '\0',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let answer = "1\ta\\tb\\nc\\\\n\\0\tNULL\n2\t\tende\n";
        assert_eq!(rows(answer), [["1", "a\tb\nc\\n\0", "NULL"], ["2", "", "ende"]]);
    }

    #[test]
    fn a_column_is_found_by_its_whole_name() {
        let answer = "*** 1. row ***\n   Slave_IO_Running: Yes\n  Running: No\n Gtid_IO_Pos: 0-1-7\n";
        assert_eq!(column(answer, "Running").as_deref(), Some("No"));
        assert_eq!(column(answer, "Gtid_IO_Pos").as_deref(), Some("0-1-7"));
        assert_eq!(column(answer, "IO_Running"), None);
    }
}

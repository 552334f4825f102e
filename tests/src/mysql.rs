//! Where the rigs have MySQL from, and how its servers are started. A server of it is a `mariadb::Server` of another family.
//!
//! It is not installed with what the tests need, so a test asks for it first and is left out, in plain words, without it.

mod launch;
mod template;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::artifacts::{cache_folder, installed_program};

pub(crate) use launch::command;
pub(crate) use template::template;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mysql.sh");

/// Whether a MySQL server is at hand; if not, says on the terminal that this test is left out, also where the output of
/// tests that pass is not shown.
pub fn is_at_hand(test: &str) -> bool {
    let found = server().is_some();
    if !found {
        let words =
            format!("LEFT OUT: {test}: no MySQL server is at hand; `make mysql` fetches one, MYSQLD=PATH names one\n");
        let _ = std::io::stderr().write_all(words.as_bytes());
    }
    found
}

/// The server's program, if there is one.
fn server() -> Option<&'static Path> {
    static SERVER: OnceLock<Option<PathBuf>> = OnceLock::new();
    SERVER.get_or_init(find).as_deref()
}

fn find() -> Option<PathBuf> {
    let folder = cache_folder().join("mysql-server");
    let output = Command::new("sh").args([SCRIPT, "find"]).arg(folder).output().expect("sh runs tests/mysql.sh");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then(|| path.into())
}

fn needed_server() -> &'static Path {
    server().expect("a MySQL server: `make mysql` fetches one, MYSQLD=PATH names one")
}

/// The client that belongs to the server: beside it, in the folder of programs beside its own, or installed.
///
/// # Panics
/// When neither is there.
pub fn client() -> PathBuf {
    let folder = needed_server().parent().unwrap_or(Path::new("/"));
    let beside = [folder.join("mysql"), folder.join("../bin/mysql")];
    let found = beside.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| installed_program("mysql", "mysql-client-core"))
}

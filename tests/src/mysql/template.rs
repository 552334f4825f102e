//! The data folder that every server starts as a copy of: made once for each MySQL version, kept in the cache.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::launch::BASE;
use super::needed_server;
use crate::mariadb::{as_root, find_or_make, run_to_its_end};

/// It keeps no binary log while they are made, so that no copy has a position that the others lack.
const ACCOUNTS: &str = "
CREATE USER repl@'127.%' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO repl@'127.%';
CREATE USER admin@'127.%' IDENTIFIED BY 'admin';
GRANT ALL PRIVILEGES ON *.* TO admin@'127.%' WITH GRANT OPTION;
";

/// The template's folder, with the same accounts as MariaDB's.
pub(crate) fn template() -> PathBuf {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| find_or_make(&format!("mysql-{:016x}", fingerprint()), make)).clone()
}

/// Changes with everything that the template is made from.
fn fingerprint() -> u64 {
    let version = Command::new(needed_server()).args(["--no-defaults", "--version"]).output();
    let version = version.expect("mysqld tells its version");
    let mut hasher = DefaultHasher::new();
    (version.stdout, BASE, ACCOUNTS, rustix::process::geteuid().as_raw()).hash(&mut hasher);
    hasher.finish()
}

fn make(work: &Path) -> PathBuf {
    let (data, accounts) = (work.join("data"), work.join("accounts.sql"));
    fs::write(&accounts, ACCOUNTS).expect("the accounts' SQL");
    let mut command = Command::new(needed_server());
    command.args(BASE).args(as_root()).args(["--disable-log-bin", "--initialize-insecure"]);
    command.arg(format!("--datadir={}", data.display())).arg(format!("--init-file={}", accounts.display()));
    run_to_its_end("mysqld --initialize", &command, &work.join("log"));
    // The identity of a server: each copy makes one of its own.
    let _ = fs::remove_file(data.join("auto.cnf"));
    data
}

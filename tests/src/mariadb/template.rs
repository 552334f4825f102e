//! The data folder that every server starts as a copy of: made once for each MariaDB version, kept in the cache.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::{FlockOperation, flock};

use super::DEADLINE;
use crate::artifacts::{cache_folder, installed_program};
use crate::process::Process;

/// Servers start faster when their log has the size they are told, so both sides read it here.
pub(super) const LOG_FILE_SIZE: &str = "--innodb-log-file-size=16M";

/// A server with this as its init file makes the accounts and ends. It keeps no binary log, so that the GTID position
/// stays empty and a copy can become a source or a replica.
const ACCOUNTS: &str = "
CREATE USER repl@'127.%' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO repl@'127.%';
CREATE USER admin@'127.%' IDENTIFIED BY 'admin';
GRANT ALL PRIVILEGES ON *.* TO admin@'127.%' WITH GRANT OPTION;
SHUTDOWN;
";

const INSTALL: &[&str] = &[
    "--no-defaults",
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
    LOG_FILE_SIZE,
];

/// The template's folder; the first to ask makes it, others wait. It has the accounts `super::ADMIN` and
/// `super::REPLICATION`, root over the socket, and no database of ours.
pub fn template() -> PathBuf {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| find_or_make(&format!("mariadb-{:016x}", fingerprint()), make)).clone()
}

/// The folder of this name in the cache; `make` makes it in a folder to work in, and says where.
pub(crate) fn find_or_make(name: &str, make: impl FnOnce(&Path) -> PathBuf) -> PathBuf {
    let folder = cache_folder().join(name);
    let lock = File::create(folder.with_extension("lock")).expect("the template's lock file");
    flock(&lock, FlockOperation::LockExclusive).expect("the template's lock");
    if !folder.is_dir() {
        let work = tempfile::Builder::new().prefix("making-").tempdir_in(cache_folder()).expect("a folder to work in");
        // Whole or not at all, whatever happens to us.
        fs::rename(make(work.path()), &folder).expect("the template moves to its place");
    }
    folder
}

/// Changes with everything that the template is made from.
fn fingerprint() -> u64 {
    let version = Command::new(mariadbd()).arg("--version").output().expect("mariadbd tells its version");
    let mut hasher = DefaultHasher::new();
    (version.stdout, INSTALL, ACCOUNTS, rustix::process::geteuid().as_raw()).hash(&mut hasher);
    hasher.finish()
}

fn make(work: &Path) -> PathBuf {
    let (data, log) = (work.join("data"), work.join("log"));
    install(&data, &log);
    create_accounts(work, &data, &log);
    data
}

fn install(data: &Path, log: &Path) {
    let mut command = Command::new(installed_program("mariadb-install-db", "mariadb-server-core"));
    command.args(INSTALL).args(as_root()).arg(format!("--datadir={}", data.display()));
    run_to_its_end("mariadb-install-db", &command, log);
}

fn create_accounts(work: &Path, data: &Path, log: &Path) {
    let accounts = work.join("accounts.sql");
    fs::write(&accounts, ACCOUNTS).expect("the accounts' SQL");
    let mut command = Command::new(mariadbd());
    command.args(["--no-defaults", "--skip-networking", "--skip-log-bin", LOG_FILE_SIZE]).args(as_root());
    for (option, path) in [("datadir", data), ("socket", &work.join("sock")), ("init-file", &accounts)] {
        command.arg(format!("--{option}={}", path.display()));
    }
    run_to_its_end("mariadbd with the accounts", &command, log);
}

pub(crate) fn run_to_its_end(name: &str, command: &Command, log: &Path) {
    let mut process = Process::spawn(name, command, log);
    let status = process.wait(DEADLINE);
    assert!(status.success(), "{name} failed ({status}):\n{}", process.log_end());
}

pub(super) fn mariadbd() -> PathBuf {
    installed_program("mariadbd", "mariadb-server-core")
}

/// MariaDB refuses to run as root unless told to.
pub(crate) fn as_root() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}

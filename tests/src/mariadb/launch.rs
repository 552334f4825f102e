//! The command line of a server, and its data folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::template::{LOG_FILE_SIZE, as_root, mariadbd, template};
use super::{Family, PORT};
use crate::address::Address;
use crate::artifacts::installed_program;
use crate::mysql;
use crate::process::Process;

/// Durable, replicating by GTID, small. Read-only at every start, see `super::WRITABLE`.
const SETTINGS: &[&str] = &[
    "--skip-name-resolve",
    "--read-only=1",
    "--log-bin=binlog",
    "--log-slave-updates=ON",
    "--binlog-format=ROW",
    "--gtid-domain-id=0",
    "--gtid-strict-mode=ON",
    "--relay-log=relay",
    "--relay-log-recovery=1",
    "--slave-net-timeout=4",
    "--innodb-flush-log-at-trx-commit=1",
    "--sync-binlog=1",
    LOG_FILE_SIZE,
    "--innodb-buffer-pool-size=64M",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--performance-schema=OFF",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=1M",
    "--max-connections=60",
    "--thread-cache-size=8",
];

/// Starts a server whose files lie in `folder`, on this address; the arguments override the settings of the command.
pub(super) fn spawn(
    name: &str,
    mut command: Command,
    id: u32,
    address: &Address,
    folder: &Path,
    arguments: &[&str],
) -> Process {
    command.arg(format!("--bind-address={}", address.ip())).arg(format!("--port={PORT}"));
    command.arg(format!("--report-host={}", address.ip())).arg(format!("--server-id={id}"));
    for (option, name) in [("datadir", "data"), ("socket", "sock"), ("pid-file", "pid")] {
        command.arg(format!("--{option}={}", folder.join(name).display()));
    }
    // A server that starts removes what others have in a temporary folder that it shares with them.
    command.arg(format!("--tmpdir={}", folder.display()));
    command.args(arguments);
    Process::spawn(&format!("{name} {id}"), &command, &folder.join("log"))
}

/// A server with the rigs' settings; where its files lie is still to be said.
pub(super) fn command_of(family: Family) -> Command {
    match family {
        Family::MariaDb => {
            let mut command = server_command();
            command.args(as_root());
            command
        }
        Family::MySql => mysql::command(),
    }
}

/// A MariaDB server with the rigs' settings, which may not run as root as it is.
pub(crate) fn server_command() -> Command {
    let mut command = Command::new(mariadbd());
    command.arg("--no-defaults").args(SETTINGS);
    command
}

/// The folder that a server's files are a copy of.
pub(super) fn template_of(family: Family) -> PathBuf {
    match family {
        Family::MariaDb => template(),
        Family::MySql => mysql::template(),
    }
}

/// Copies a data folder, sharing blocks where the file system can.
pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new(installed_program("cp", "coreutils"))
        .args(["--archive", "--reflink=auto", "--sparse=always"])
        .args([from, to])
        .status()
        .expect("cp can be run");
    assert!(status.success(), "{} cannot be copied to {}", from.display(), to.display());
}

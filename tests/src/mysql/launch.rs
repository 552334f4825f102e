//! The command line of a server.

use std::process::Command;

use super::needed_server;
use crate::mariadb::as_root;

/// As the rigs' MariaDB servers: durable, replicating by GTID, small, read-only at every start.
const SETTINGS: &[&str] = &[
    "--skip-name-resolve",
    "--read-only=1",
    "--log-bin=binlog",
    "--log-replica-updates=ON",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--relay-log=relay",
    "--relay-log-recovery=ON",
    "--replica-net-timeout=4",
    "--innodb-flush-log-at-trx-commit=1",
    "--sync-binlog=1",
    "--innodb-redo-log-capacity=16M",
    "--innodb-buffer-pool-size=64M",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-buffer-pool-load-at-startup=OFF",
    "--performance-schema=OFF",
    "--max-connections=60",
    "--table-open-cache=200",
    "--table-definition-cache=400",
];

/// What a server needs that starts from a folder of its own, also while it makes its files.
pub(super) const BASE: &[&str] = &["--no-defaults", "--mysqlx=OFF", "--secure-file-priv=NULL"];

/// A server with the rigs' settings; where its files lie is still to be said.
pub(crate) fn command() -> Command {
    let mut command = Command::new(needed_server());
    command.args(BASE).args(as_root()).args(SETTINGS);
    command
}

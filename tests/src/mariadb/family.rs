//! The words in which MariaDB and MySQL are told the same.

use super::{PORT, REPLICATION};
use std::net::Ipv4Addr;

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// MariaDB.
    MariaDb,
    /// MySQL; see `crate::mysql` for where it comes from.
    MySql,
}

impl Family {
    /// What messages call its server.
    pub(super) fn server_name(self) -> &'static str {
        match self {
            Self::MariaDb => "mariadbd",
            Self::MySql => "mysqld",
        }
    }

    /// As in `STOP {} SQL_THREAD` and `SHOW {} STATUS`.
    pub(super) fn replica(self) -> &'static str {
        match self {
            Self::MariaDb => "SLAVE",
            Self::MySql => "REPLICA",
        }
    }

    /// The columns that say whether the threads of a replica run.
    pub(super) fn thread_columns(self) -> [&'static str; 2] {
        match self {
            Self::MariaDb => ["Slave_IO_Running", "Slave_SQL_Running"],
            Self::MySql => ["Replica_IO_Running", "Replica_SQL_Running"],
        }
    }

    /// The column that names whom a replica follows.
    pub(super) fn host_column(self) -> &'static str {
        match self {
            Self::MariaDb => "Master_Host",
            Self::MySql => "Source_Host",
        }
    }

    /// The column with the position of all that a replica has received.
    pub(super) fn received_column(self) -> &'static str {
        match self {
            Self::MariaDb => "Gtid_IO_Pos",
            Self::MySql => "Retrieved_Gtid_Set",
        }
    }

    /// Asks for the position of everything in the binary log.
    pub(super) fn position(self) -> &'static str {
        match self {
            Self::MariaDb => "SELECT @@gtid_binlog_pos",
            Self::MySql => "SELECT @@global.gtid_executed",
        }
    }

    /// Waits up to a second for a position, and answers 0 when it has been reached.
    pub(super) fn wait_for(self, gtid: &str) -> String {
        match self {
            Self::MariaDb => format!("SELECT MASTER_GTID_WAIT('{gtid}', 1)"),
            Self::MySql => format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{gtid}', 1)"),
        }
    }

    /// Follows another server from where this one is; `was_source` when it has followed nobody.
    pub(super) fn follow(self, host: Ipv4Addr, was_source: bool) -> String {
        let position = if was_source { "gtid_current_pos" } else { "gtid_slave_pos" };
        match self {
            Self::MariaDb => format!(
                "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos = @@{position}; \
                 CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={PORT}, MASTER_USER='{REPLICATION}', \
                 MASTER_PASSWORD='{REPLICATION}', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
            ),
            // It knows its position by itself, and asks for the key that a password is sent with.
            Self::MySql => format!(
                "STOP REPLICA; RESET REPLICA ALL; \
                 CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={PORT}, SOURCE_USER='{REPLICATION}', \
                 SOURCE_PASSWORD='{REPLICATION}', SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, \
                 SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA"
            ),
        }
    }
}

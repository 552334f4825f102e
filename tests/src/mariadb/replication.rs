//! What an operator or a failover tool does to a server, statement by statement.

use super::{DEADLINE, PORT, REPLICATION, Server};
use crate::process::wait_for;

/// What becomes of transactions that a replica has received and not yet applied when it is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayLog {
    /// Apply them first, as a careful operator does.
    Apply,
    /// Throw them away, as a hasty one does.
    Discard,
}

impl Server {
    /// Opens or closes the server for writes; root is never held back.
    pub fn set_read_only(&self, read_only: bool) {
        self.execute(&format!("SET GLOBAL read_only = {}", u8::from(read_only)));
    }

    /// Stops receiving and applying.
    pub fn stop_replication(&self) {
        self.execute("STOP SLAVE");
    }

    /// Stops applying only: transactions are received and wait, as on a replica that lags.
    pub fn stop_sql_thread(&self) {
        self.execute("STOP SLAVE SQL_THREAD");
    }

    /// Stops receiving only.
    pub fn stop_io_thread(&self) {
        self.execute("STOP SLAVE IO_THREAD");
    }

    /// Receives and applies again; returns when both threads run.
    pub fn start_replication(&self) {
        self.execute("START SLAVE");
        wait_for(&format!("replication of server {}", self.id()), DEADLINE, || {
            ["Slave_IO_Running", "Slave_SQL_Running"]
                .iter()
                .all(|thread| self.replication_status(thread).as_deref() == Some("Yes"))
        });
    }

    /// Makes this replica a source: no replication any more, open for writes.
    pub fn promote(&self, relay_log: RelayLog) {
        if relay_log == RelayLog::Apply {
            self.apply_received();
        }
        self.execute("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0");
    }

    fn apply_received(&self) {
        // In this order: a MariaDB that starts from both threads stopped first deletes what it has received.
        self.execute("START SLAVE SQL_THREAD; STOP SLAVE IO_THREAD");
        let received = self.replication_status("Gtid_IO_Pos").unwrap_or_default();
        self.wait_for_gtid(&received);
    }

    /// Makes this server a replica of `source` from the position it has reached, as a source or a replica. It does not
    /// touch `read_only`. Whether the threads run is for the caller to wait for: an old source with transactions that
    /// `source` lacks receives an error instead.
    pub fn follow(&self, source: &Server) {
        let (host, was_source) = (*source.address().ip(), self.replication_status("Master_Host").is_none());
        let position = if was_source { "gtid_current_pos" } else { "gtid_slave_pos" };
        self.execute(&format!(
            "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL gtid_slave_pos = @@{position}; \
             CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={PORT}, MASTER_USER='{REPLICATION}', \
             MASTER_PASSWORD='{REPLICATION}', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
        ));
    }

    /// The position of everything in the binary log of this server, such as `0-1-17`.
    pub fn gtid_position(&self) -> String {
        self.query("SELECT @@gtid_binlog_pos").concat().concat()
    }

    /// Returns when this replica has applied everything up to `gtid` (a position as `gtid_position` gives it).
    ///
    /// # Panics
    /// When that takes more than a minute.
    pub fn wait_for_gtid(&self, gtid: &str) {
        let reached = || self.query(&format!("SELECT MASTER_GTID_WAIT('{gtid}', 1)")).concat().concat() == "0";
        wait_for(&format!("server {} to reach {gtid}", self.id()), DEADLINE, reached);
    }
}

//! What an operator or a failover tool does to a server, statement by statement.

use super::{DEADLINE, Server};
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
        self.replica("STOP {}");
    }

    /// Stops applying only: transactions are received and wait, as on a replica that lags.
    pub fn stop_sql_thread(&self) {
        self.replica("STOP {} SQL_THREAD");
    }

    /// Stops receiving only.
    pub fn stop_io_thread(&self) {
        self.replica("STOP {} IO_THREAD");
    }

    /// Stops both when everything received has been applied.
    pub fn stop_when_applied(&self) {
        self.stop_io_thread();
        let received = self.replication_status(self.family().received_column()).expect("a replica");
        self.wait_for_gtid(&received);
        self.stop_replication();
    }

    /// Receives and applies again; returns when both threads run.
    pub fn start_replication(&self) {
        self.replica("START {}");
        wait_for(&format!("replication of server {}", self.id()), DEADLINE, || {
            let runs = |thread: &str| self.replication_status(thread).as_deref() == Some("Yes");
            self.family().thread_columns().into_iter().all(runs)
        });
    }

    /// Makes this replica a source: no replication any more, open for writes.
    pub fn promote(&self, relay_log: RelayLog) {
        if relay_log == RelayLog::Apply {
            self.apply_received();
        }
        self.replica("STOP {}; RESET {} ALL; SET GLOBAL read_only = 0");
    }

    fn apply_received(&self) {
        // In this order: a MariaDB that starts from both threads stopped first deletes what it has received.
        self.replica("START {} SQL_THREAD; STOP {} IO_THREAD");
        let received = self.replication_status(self.family().received_column()).unwrap_or_default();
        self.wait_for_gtid(&received);
    }

    /// Runs statements in which `{}` is what the family calls a replica.
    fn replica(&self, sql: &str) {
        self.execute(&sql.replace("{}", self.family().replica()));
    }

    /// Makes this server a replica of `source` from the position it has reached, as a source or a replica. It does not
    /// touch `read_only`. Whether the threads run is for the caller to wait for: an old source with transactions that
    /// `source` lacks receives an error instead.
    pub fn follow(&self, source: &Server) {
        let was_source = self.replication_status(self.family().host_column()).is_none();
        self.execute(&self.family().follow(*source.address().ip(), was_source));
    }

    /// The position of everything in the binary log of this server, such as `0-1-17`.
    pub fn gtid_position(&self) -> String {
        self.query(self.family().position()).concat().concat()
    }

    /// Returns when this replica has applied everything up to `gtid` (a position as `gtid_position` gives it).
    ///
    /// # Panics
    /// When that takes more than a minute.
    pub fn wait_for_gtid(&self, gtid: &str) {
        let reached = || self.query(&self.family().wait_for(gtid)).concat().concat() == "0";
        wait_for(&format!("server {} to reach {gtid}", self.id()), DEADLINE, reached);
    }
}

//! What each server said when it was last asked. Plain values.

use std::collections::BTreeMap;

const UNASKED: &str = "not asked yet";

/// A promotion's number and the server it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Raised by each promotion.
    pub number: u64,
    /// The identity of the server that was promoted.
    pub server: String,
}

/// One replication channel of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replication {
    /// Where it reads from, `host:port`.
    pub upstream: String,
    /// The server_id of that server.
    pub upstream_id: u64,
    /// The receiving thread runs or tries to connect.
    pub receiving: bool,
    /// The applying thread runs.
    pub applying: bool,
    /// Everything received has been applied.
    pub applied_all: bool,
    /// It waits this long on purpose, in seconds.
    pub delay_s: u64,
    /// It leaves out databases or tables.
    pub filtered: bool,
    /// The last error of either thread.
    pub error: Option<String>,
}

impl Replication {
    /// Only then can what the server writes itself not be followed by older rows of its former source.
    pub fn is_stopped_and_applied(&self) -> bool {
        !self.receiving && !self.applying && self.applied_all
    }
}

/// The answer of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Tells one server from another, also behind one address.
    pub identity: String,
    /// Its server_id.
    pub server_id: u64,
    /// Refuses writes.
    pub read_only: bool,
    /// Its replication channels; empty when it follows nobody.
    pub replication: Vec<Replication>,
    /// It keeps what it has committed through a power cut (innodb_flush_log_at_trx_commit = 1).
    pub crash_safe: bool,
    /// The term row, where there is one.
    pub term: Option<Term>,
    /// Our streams and how far each has come, read together with the term.
    pub cursors: BTreeMap<u64, u64>,
}

impl Facts {
    /// Why this replica does not count for what may leave the queue; none when it counts.
    pub fn not_promotable(&self) -> Option<&'static str> {
        if self.replication.iter().any(|replication| replication.delay_s > 0) {
            Some("it is delayed on purpose")
        } else if self.replication.iter().any(|replication| replication.filtered) {
            Some("it leaves out databases or tables")
        } else if !self.crash_safe {
            Some("it may forget commits in a power cut (innodb_flush_log_at_trx_commit is not 1)")
        } else {
            None
        }
    }
}

/// One configured server: its last answer, and whether it still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `host:port` as configured.
    pub name: String,
    last: Option<Facts>,
    trouble: Option<String>,
}

impl View {
    /// A server that has not been asked yet.
    pub fn unasked(name: String) -> Self {
        Self { name, last: None, trouble: Some(UNASKED.to_owned()) }
    }

    /// The first question has neither been answered nor has it failed.
    pub fn is_unasked(&self) -> bool {
        self.trouble.as_deref() == Some(UNASKED)
    }

    /// It answered.
    pub fn answered(&mut self, facts: Facts) {
        (self.last, self.trouble) = (Some(facts), None);
    }

    /// It did not answer; what it said before is kept for what may leave the queue.
    pub fn failed(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// Whether it answers and takes writes, be it the source or not.
    pub fn is_open_for_writes(&self) -> bool {
        self.facts().is_some_and(|facts| !facts.read_only)
    }

    /// What it says now; none while it does not answer.
    pub fn facts(&self) -> Option<&Facts> {
        self.last.as_ref().filter(|_| self.trouble.is_none())
    }

    /// What it said last, however long ago.
    pub fn last_facts(&self) -> Option<&Facts> {
        self.last.as_ref()
    }

    /// Why it does not answer; empty when it does.
    pub fn trouble(&self) -> &str {
        self.trouble.as_deref().unwrap_or_default()
    }
}

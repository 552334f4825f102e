//! What each server said when it was last asked. Plain values.

use super::gtid::errant;
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
    /// The name of the channel; empty for the one that has none.
    pub channel: String,
    /// The receiving thread runs or tries to connect.
    pub receiving: bool,
    /// The receiving thread holds that server for alive.
    pub connected: bool,
    /// It finds its place by GTIDs, not by file and position.
    pub by_gtid: bool,
    /// The applying thread runs.
    pub applying: bool,
    /// Everything received has been applied.
    pub applied_all: bool,
    /// It waits this long on purpose, in seconds.
    pub delay_s: u64,
    /// It leaves out databases or tables.
    pub filtered: bool,
    /// The last error of the receiving thread, which may go on trying.
    pub receive_error: Option<ReplicationError>,
    /// The last error of the applying thread.
    pub apply_error: Option<ReplicationError>,
    /// The GTIDs that it has received, as the server writes them.
    pub received: String,
}

/// What a thread of a replica complained about last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationError {
    /// The server's error code.
    pub number: u32,
    /// Its words.
    pub text: String,
}

impl std::fmt::Display for ReplicationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.number, self.text)
    }
}

impl Replication {
    /// Only then can what the server writes itself not be followed by older rows of its former source.
    pub fn is_stopped_and_applied(&self) -> bool {
        !self.receiving && !self.applying && self.applied_all
    }

    /// Numbers and words of the last errors of both threads.
    pub fn error(&self) -> Option<String> {
        let errors: Vec<String> =
            [&self.receive_error, &self.apply_error].into_iter().flatten().map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

/// What a member of a Galera cluster or of a replication group says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterMember {
    /// Of which cluster it is a member.
    pub uuid: String,
    /// It is in step: part of the majority, and it has applied what the others committed.
    pub synced: bool,
    /// Its state in the server's own words.
    pub state: String,
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
    /// It keeps what it has committed through a power cut (innodb_flush_log_at_trx_commit and sync_binlog are 1).
    pub crash_safe: bool,
    /// The term row, where there is one.
    pub term: Option<Term>,
    /// Our streams and how far each has come, read together with the term.
    pub cursors: BTreeMap<u64, u64>,
    /// When we last wrote to each of these streams, by our own clock, in microseconds since 1970: read with the cursors.
    pub heartbeats: BTreeMap<u64, i64>,
    /// What its own transactions begin with among GTIDs: MariaDB's server_id, MySQL's server_uuid.
    pub gtid_origin: String,
    /// Every GTID that it has executed, as the server writes it; empty where it does not tell.
    pub executed: String,
    /// It writes no binary log, so nobody can follow it.
    pub without_binary_log: bool,
    /// How it writes its binary log: `ROW`, `MIXED` or `STATEMENT`; empty where it does not tell.
    pub row_format: String,
    /// What it is in a Galera cluster or a replication group; none outside of one.
    pub cluster: Option<ClusterMember>,
    /// When the term row was written, by the clock of the gateway that wrote it, in microseconds since 1970.
    pub term_since_us: Option<i64>,
    /// Only of a server that the term names, that follows nobody and refuses writes.
    pub closed: Option<Closed>,
    /// When any gateway last wrote to it, by that gateway's clock, in microseconds since 1970. Only of a server that was asked
    /// once, as a running gateway has better, and of a closed source.
    pub last_written_us: Option<i64>,
}

/// A source that refuses writes: what tells who closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed {
    /// For how long it has run, in seconds.
    pub up_s: u64,
    /// A statement has closed it since it started; none where the server does not tell.
    pub by_statement: Option<bool>,
}

impl Facts {
    /// Whether both are members of the same cluster, which hands every commit to all of them without a binary log.
    pub fn is_in_cluster_with(&self, other: &Self) -> bool {
        self.cluster.as_ref().zip(other.cluster.as_ref()).is_some_and(|(own, other)| own.uuid == other.uuid)
    }

    /// The number of its term; 0 without a term row.
    pub fn term_number(&self) -> u64 {
        self.term.as_ref().map_or(0, |term| term.number)
    }

    /// The term names it, and it neither takes writes nor follows anybody: somebody closed it, or it has not been opened yet.
    pub fn is_closed_source(&self) -> bool {
        let is_named = self.term.as_ref().is_some_and(|term| term.server == self.identity);
        is_named && self.read_only && self.replication.is_empty()
    }

    /// Why this replica does not count for what may leave the queue; none when it counts. `source` is the server that takes
    /// writes, where it answers.
    pub fn not_promotable(&self, source: Option<&Self>) -> Option<String> {
        let plain = if self.replication.iter().any(|replication| replication.delay_s > 0) {
            "it is delayed on purpose"
        } else if self.replication.iter().any(|replication| replication.filtered) {
            "it leaves out databases or tables"
        } else if !self.crash_safe {
            "it may forget commits in a power cut (innodb_flush_log_at_trx_commit or sync_binlog is not 1)"
        } else if self.without_binary_log && !source.is_some_and(|source| self.is_in_cluster_with(source)) {
            "it writes no binary log, so nobody could follow it (log_bin)"
        } else {
            let errant = errant(self, source?)?;
            return Some(format!("it has transactions that the source has not ({errant})"));
        };
        Some(plain.to_owned())
    }
}

/// One configured server: its last answer, and whether it still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `host:port` as configured.
    pub name: String,
    last: Option<Facts>,
    trouble: Option<String>,
    before: Option<String>,
    moves: u32,
}

impl View {
    /// A server that has not been asked yet.
    pub fn unasked(name: String) -> Self {
        Self { name, last: None, trouble: Some(UNASKED.to_owned()), before: None, moves: 0 }
    }

    /// The first question has neither been answered nor has it failed.
    pub fn is_unasked(&self) -> bool {
        self.trouble.as_deref() == Some(UNASKED)
    }

    /// It answered, as the server that answered at this name before or as another one.
    pub fn answered(&mut self, facts: Facts) {
        let before = self.last.take().map(|last| last.identity).filter(|before| *before != facts.identity);
        if before.is_some() {
            (self.before, self.moves) = (before, self.moves.saturating_add(1));
        }
        (self.last, self.trouble) = (Some(facts), None);
    }

    /// The server that answered at this name before the present one did.
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// How many times another server has answered than before.
    pub fn moves(&self) -> u32 {
        self.moves
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

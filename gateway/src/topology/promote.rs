//! Whether another server is to be made the source, and which: every gate with its reason. Pure.
//!
//! Nothing is done before all gates are open. Each of them has a sentence, open or shut, which is what `db failover --dry-run`
//! prints and what the log says while nobody takes writes.

mod candidate;
pub mod chores;
mod gates;
mod source;
pub mod steps;
#[cfg(test)]
mod tests;

pub use gates::consider;

use super::View;
use std::time::Duration;

/// What is known when a promotion is considered.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What each server said.
    pub views: &'a [View],
    /// The highest term ever seen.
    pub highest_term: u64,
    /// For how long no server has taken writes; none while one does.
    pub without_source: Option<Duration>,
    /// The gateway's clock, microseconds since 1970.
    pub now_us: i64,
    /// `mysql.promote.grace`.
    pub grace: Duration,
    /// `mysql.promote.cooldown`.
    pub cooldown: Duration,
}

/// What has to be so before another server is made the source, in the order in which people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// No server takes writes.
    NobodyWrites,
    /// The last source is gone, or is closed by its own start.
    SourceGone,
    /// Replication goes by GTIDs.
    Gtid,
    /// No replica holds a server for alive that does not answer here.
    NobodyReceives,
    /// More than half of the configured servers answer.
    Majority,
    /// One server has everything that any other has received, and may be promoted.
    Candidate,
    /// It has been so for long enough.
    Grace,
    /// The last failover is long enough ago.
    Cooldown,
}

/// A gate, whether it is open, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which.
    pub gate: Gate,
    /// Whether it lets a promotion through.
    pub open: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// How a server becomes the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// A replica is promoted.
    Promote,
    /// The last source, which has everything, is opened again; or a server that was promoted and not yet opened.
    Reopen,
}

/// All gates, and whom they would let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Every gate in its order.
    pub answers: Vec<Answer>,
    /// The best server and how it would become the source, whether or not the gates are open.
    pub candidate: Option<(usize, Way)>,
}

impl Considered {
    /// Whether every gate is open but these, which somebody answers for.
    pub fn is_open_but(&self, waived: &[Gate]) -> bool {
        self.candidate.is_some() && self.answers.iter().all(|answer| answer.open || waived.contains(&answer.gate))
    }

    /// The first gate that is shut.
    pub fn first_shut(&self) -> Option<&Answer> {
        self.answers.iter().find(|answer| !answer.open)
    }
}

impl Gate {
    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NobodyWrites => "nobody takes writes",
            Self::SourceGone => "the source is gone",
            Self::Gtid => "replication by GTIDs",
            Self::NobodyReceives => "nobody still receives",
            Self::Majority => "a majority answers",
            Self::Candidate => "a best candidate",
            Self::Grace => "grace",
            Self::Cooldown => "cooldown",
        }
    }
}

//! Which server takes writes, and why. Pure: from what each server said, to a choice with its sentence.

pub mod ahead;
mod choose;
pub mod gtid;
pub mod health;
pub mod lag;
pub mod leave;
pub mod probe;
pub mod promote;
pub mod reader;
mod ring;
pub mod same;
pub mod switchover;
mod term;
pub mod view;
pub(in crate::topology) mod words;

pub use choose::choose;
pub use term::{TermStep, newest_term, newest_term_now, term_step};
pub use view::{Closed, ClusterMember, Facts, Replication, ReplicationError, Term, View};

/// Which server takes writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its place in the configuration; none means: hold, the queue is patient.
    pub source: Option<usize>,
    /// Why, in one sentence.
    pub why: String,
    /// Beside the source, every server that takes writes although it must not: why nothing is written to it.
    pub strays: Vec<String>,
}

#[cfg(test)]
mod tests;

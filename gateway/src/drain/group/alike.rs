//! Which readings without an identity the other gateway's rows are of: of the same channel and value, at the same time. Each row is of one
//! reading, so of two that are alike and of which the other gateway heard one, one is left out. Pure.

use super::listening::Identity;
use std::collections::{BTreeMap, BTreeSet};

/// Batches come in order of time but for what two streams overlap.
const KEPT_US: i64 = 60_000_000;

/// A reading that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its number.
    pub seq: u64,
    /// Its channel and value.
    pub identity: Identity,
    /// Between these times the other gateway's row is stamped, by its clock.
    pub times_us: (i64, i64),
}

/// What the database is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// In the order of the queue.
    pub wanted: Vec<Wanted>,
}

/// A row of the other gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRow {
    /// Its stream and number there.
    pub key: (u64, u64),
    /// Its stamp.
    pub at_us: i64,
    /// Its channel and value.
    pub identity: Identity,
}

/// The rows that readings were left out for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    committed: BTreeMap<(u64, u64), i64>,
    /// By the transaction that has not ended yet.
    pending: BTreeMap<(u64, u64), i64>,
}

impl Question {
    /// The nodes that said them.
    pub fn nodes(&self) -> BTreeSet<String> {
        self.wanted.iter().map(|wanted| wanted.identity.node().to_owned()).collect()
    }

    /// From the earliest to the latest time; none when nothing is asked.
    pub fn times_us(&self) -> Option<(i64, i64)> {
        let times = self.wanted.iter().map(|wanted| wanted.times_us);
        times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

impl Taken {
    /// A transaction begins.
    pub fn begin(&mut self) {
        self.pending.clear();
    }

    /// It is in the database.
    pub fn commit(&mut self) {
        self.committed.append(&mut self.pending);
    }

    /// The numbers that have a row each; `rows` are in the order in which they were stamped.
    pub fn matched(&mut self, question: &Question, rows: &[OtherRow]) -> BTreeSet<u64> {
        let first_us = question.times_us().map_or(i64::MIN, |(from_us, _)| from_us);
        self.committed.retain(|_, at_us| *at_us >= first_us.saturating_sub(KEPT_US));
        question.wanted.iter().filter(|wanted| self.take(wanted, rows)).map(|wanted| wanted.seq).collect()
    }

    fn take(&mut self, wanted: &Wanted, rows: &[OtherRow]) -> bool {
        let (from_us, to_us) = wanted.times_us;
        let is_free = |key: &(u64, u64)| !self.committed.contains_key(key) && !self.pending.contains_key(key);
        let is_it = |row: &&OtherRow| {
            row.identity == wanted.identity && (from_us..=to_us).contains(&row.at_us) && is_free(&row.key)
        };
        let row = rows.iter().find(is_it);
        row.map(|row| self.pending.insert(row.key, row.at_us)).is_some()
    }
}

#[cfg(test)]
mod tests;

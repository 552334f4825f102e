//! The comparison and what it found.

use std::collections::HashMap;
use std::fmt;

use super::{NodeLog, StoredReading};
use crate::payload::{channel_name, value};

/// So many of a kind are named in messages.
const NAMED: usize = 5;

/// Which value of which message of which node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadingId {
    /// The node's name.
    pub node: String,
    /// The node's own number of the message.
    pub node_seq: u64,
    /// The channel's name.
    pub channel: String,
}

impl fmt::Display for ReadingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.node, self.node_seq, self.channel)
    }
}

/// What an audit found. Shown as `sent 400, rows 400, lost 0, doubled 0`, and more only if there is more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Readings of acknowledged messages.
    pub sent: usize,
    /// Rows of the audited nodes. More than `sent` when the broker's acknowledgement did not reach the node.
    pub rows: usize,
    /// Acknowledged, and no row.
    pub lost: Vec<ReadingId>,
    /// More rows than the node sent it times; named once for each row too many.
    pub doubled: Vec<ReadingId>,
    /// Rows whose value the node never sent, with what should be there.
    pub wrong: Vec<String>,
    /// Of `lost`, those that the broker never had a subscriber for: a mistake of the test, most likely.
    pub unheard: usize,
}

impl Audit {
    /// Compares nodes' logs with rows.
    pub fn compare(nodes: &[NodeLog], rows: &[StoredReading]) -> Self {
        let mut audit = Self::default();
        let mut counts = audit.count(nodes, rows);
        for log in nodes {
            audit.account(log, &mut counts);
        }
        audit.lost.sort();
        audit.doubled.sort();
        audit
    }

    /// True if every acknowledged reading is there once, with its value.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }

    /// Panics with the first of each finding unless `is_clean`.
    pub fn assert_clean(&self) {
        assert!(
            self.is_clean(),
            "{self}\nlost: {}\ndoubled: {}\nwrong: {}",
            some(&self.lost),
            some(&self.doubled),
            some(&self.wrong)
        );
    }

    /// How many rows each reading has; also checks each row's value.
    fn count(&mut self, nodes: &[NodeLog], rows: &[StoredReading]) -> HashMap<ReadingId, usize> {
        let channels: HashMap<&str, usize> = nodes.iter().map(|log| (log.node.as_str(), log.channels)).collect();
        let mut counts = HashMap::new();
        for row in rows {
            if let Some(&channels) = channels.get(row.node.as_str()) {
                self.rows += 1;
                self.wrong.extend(complaint(row, channels));
                *counts.entry(id(&row.node, row.node_seq, row.channel.clone())).or_default() += 1;
            }
        }
        counts
    }

    fn account(&mut self, log: &NodeLog, counts: &mut HashMap<ReadingId, usize>) {
        for &seq in &log.acknowledged {
            for channel in 0..log.channels {
                self.sent += 1;
                let id = id(&log.node, seq, channel_name(channel));
                if !counts.contains_key(&id) {
                    self.lost.push(id);
                    self.unheard += usize::from(log.unheard.contains(&seq));
                }
            }
        }
        for (id, count) in counts.extract_if(|id, _| id.node == log.node) {
            let sent_times = 1 + log.resent.get(&id.node_seq).copied().unwrap_or(0);
            self.doubled.extend(std::iter::repeat_n(id, count.saturating_sub(sent_times)));
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lost, doubled) = (self.lost.len(), self.doubled.len());
        write!(formatter, "sent {}, rows {}, lost {lost}, doubled {doubled}", self.sent, self.rows)?;
        if !self.wrong.is_empty() {
            write!(formatter, ", wrong {}", self.wrong.len())?;
        }
        if self.unheard > 0 {
            write!(formatter, " ({} of the lost had no subscriber at the broker)", self.unheard)?;
        }
        Ok(())
    }
}

fn id(node: &str, node_seq: u64, channel: String) -> ReadingId {
    ReadingId { node: node.to_owned(), node_seq, channel }
}

/// What is wrong with a row's value, if anything.
fn complaint(row: &StoredReading, channels: usize) -> Option<String> {
    let expected = (0..channels)
        .find(|&channel| channel_name(channel) == row.channel)
        .map(|channel| value(&row.node, row.node_seq, channel));
    let [number, integer, text, no_data] = &row.columns;
    match expected {
        Some(expected) if no_data == "NULL" && expected.is_in_columns(number, integer, text) => None,
        Some(expected) => Some(format!("{row:?}, expected {expected}")),
        None => Some(format!("{row:?}, a channel that the node does not have")),
    }
}

fn some(findings: &[impl fmt::Display]) -> String {
    let named: Vec<String> = findings.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if findings.len() > NAMED { ", ..." } else { "" };
    format!("[{}{more}]", named.join(", "))
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;

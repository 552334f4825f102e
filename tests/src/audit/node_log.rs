//! A node's log, as the program `node` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What one node knows of its messages, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeLog {
    /// The node's name.
    pub node: String,
    /// Values in each message.
    pub channels: usize,
    /// Messages that the broker has acknowledged; of a node on a wire, all that it sent.
    pub acknowledged: BTreeSet<u64>,
    /// Of these, the ones that the broker dropped because nobody subscribed; of a node on a wire, those it sent while
    /// nobody had the port open.
    pub unheard: BTreeSet<u64>,
    /// How often the node itself sent a message once more, so that it may arrive so many times more.
    pub resent: BTreeMap<u64, usize>,
}

impl NodeLog {
    /// Reads a log; the node may still be writing it.
    ///
    /// # Errors
    /// When it cannot be read, or is not a node's log: the text says which line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        Self::parse(&text).map_err(|line| format!("{} has a line that is not a node's: {line:?}", path.display()))
    }

    /// The same without what nobody could hear. That is what a node on a wire may ask for: it waits for nobody.
    pub fn heard(&self) -> Self {
        let acknowledged = self.acknowledged.difference(&self.unheard).copied().collect();
        Self { acknowledged, unheard: BTreeSet::new(), ..self.clone() }
    }

    /// A last line without its end was being written when the node was killed, and does not count. The error is a line
    /// that makes no sense.
    fn parse(text: &str) -> Result<Self, &str> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines();
        let first = lines.next().unwrap_or_default();
        let mut log = Self::parse_first(first).ok_or(first)?;
        for line in lines {
            log.add(line).ok_or(line)?;
        }
        Ok(log)
    }

    fn parse_first(line: &str) -> Option<Self> {
        let (node, channels) = line.strip_prefix("node ")?.split_once(" channels ")?;
        Some(Self { node: node.to_owned(), channels: channels.parse().ok()?, ..Self::default() })
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (word, seq) = line.rsplit_once(' ').unwrap_or(("acknowledged", line));
        let seq = seq.parse().ok()?;
        match word {
            "acknowledged" => self.acknowledged.insert(seq),
            "unheard" => self.acknowledged.insert(seq) && self.unheard.insert(seq),
            "resent" => {
                *self.resent.entry(seq).or_default() += 1;
                true
            }
            _ => return None,
        };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let log = NodeLog::parse("node n1 channels 4\n1\nresent 3\n2\nresent 3\n3\nunheard 4\n").unwrap();
        assert_eq!(log.node, "n1");
        assert_eq!(log.channels, 4);
        assert_eq!(log.acknowledged, BTreeSet::from([1, 2, 3, 4]));
        assert_eq!(log.unheard, BTreeSet::from([4]));
        assert_eq!(log.resent, BTreeMap::from([(3, 2)]));
    }

    #[test]
    fn what_nobody_could_hear_is_left_out() {
        let log = NodeLog::parse("node mill channels 2\n1\nunheard 2\n3\n").unwrap().heard();
        assert_eq!((log.acknowledged, log.unheard), (BTreeSet::from([1, 3]), BTreeSet::new()));
    }

    #[test]
    fn an_unfinished_line_does_not_count() {
        let log = NodeLog::parse("node n1 channels 4\n1\n23").unwrap();
        assert_eq!(log.acknowledged, BTreeSet::from([1]));
    }

    #[test]
    fn a_foreign_line_is_shown() {
        assert_eq!(NodeLog::parse("hello\n"), Err("hello"));
        assert_eq!(NodeLog::parse("node n1 channels 4\n1\nreset 2\n"), Err("reset 2"));
        assert_eq!(NodeLog::parse("node n1 channels 4\nresent x\n"), Err("resent x"));
        assert_eq!(NodeLog::parse(""), Err(""));
    }
}

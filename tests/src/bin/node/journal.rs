//! The node's log, from which an auditor learns what the broker has acknowledged; `fieldgate_tests::audit` reads it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Buffered: flush it at least every 100 ms.
#[derive(Debug)]
pub struct Journal(BufWriter<File>);

impl Journal {
    /// Begins the log; it must not exist, because numbers start at 1 in each.
    pub fn create(path: &Path, node: &str, channels: usize) -> io::Result<Self> {
        let mut journal = Self(BufWriter::new(File::create_new(path)?));
        writeln!(journal.0, "node {node} channels {channels}")?;
        journal.flush()?;
        Ok(journal)
    }

    /// The broker has this message.
    pub fn acknowledged(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "{seq}")
    }

    /// The broker has this message and has already dropped it, because nobody subscribes.
    pub fn unheard(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "unheard {seq}")
    }

    /// This message goes out once more, and the broker may have got it before: it can arrive twice. Written at once,
    /// or a node killed now would leave doubles that look like somebody else's.
    pub fn resent(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "resent {seq}")?;
        self.flush()
    }

    /// Hands everything to the kernel.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

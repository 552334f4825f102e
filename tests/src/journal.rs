//! The log of a node, from which an auditor learns what must be a row; `crate::audit` reads it.
//!
//! A node at a broker logs what the broker has acknowledged. A node on a wire, where nobody acknowledges, logs what it wrote.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Buffered: flush it at least every 100 ms.
#[derive(Debug)]
pub struct Journal(BufWriter<File>);

impl Journal {
    /// Begins the log; it must not exist, because numbers start at 1 in each.
    ///
    /// # Errors
    /// When it exists or cannot be written.
    pub fn create(path: &Path, node: &str, channels: usize) -> io::Result<Self> {
        let mut journal = Self(BufWriter::new(File::create_new(path)?));
        writeln!(journal.0, "node {node} channels {channels}")?;
        journal.flush()?;
        Ok(journal)
    }

    /// The broker has this message, or it was written while somebody had the port open.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn acknowledged(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "{seq}")
    }

    /// Nobody hears this message: the broker has it and has already dropped it, because nobody subscribes, or nobody has
    /// the port open.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn unheard(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "unheard {seq}")
    }

    /// This message goes out once more, and the broker may have got it before: it can arrive twice. Written at once,
    /// or a node killed now would leave doubles that look like somebody else's.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn resent(&mut self, seq: u64) -> io::Result<()> {
        writeln!(self.0, "resent {seq}")?;
        self.flush()
    }

    /// Hands everything to the kernel.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

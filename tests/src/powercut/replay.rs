//! The disk as it may be after a power cut at one instant of its log.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::rngs::StdRng;

use super::block_log::{BlockLog, Entry};
use super::disk::{Disk, copy_sparse};

/// Makes the disk again at instants that come one after the other.
#[derive(Debug)]
pub struct Replay {
    log: BlockLog,
    /// The disk with everything up to the last flush before the latest instant.
    flushed: PathBuf,
    /// So many entries are in it.
    applied: usize,
    after_cut: PathBuf,
}

impl Replay {
    /// Of a disk that is no longer recorded.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn new(disk: &Disk) -> io::Result<Replay> {
        let flushed = disk.folder().join("flushed.img");
        copy_sparse(&disk.first_image(), &flushed);
        let log = BlockLog::read(&disk.log())?;
        Ok(Replay { log, flushed, applied: 0, after_cut: disk.folder().join("cut.img") })
    }

    /// The log's entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.log.entries()
    }

    /// The disk after a cut right before the entry with this index, which is no smaller than at the call before. Everything
    /// before the last flush is kept, and what went through; of the other writes, chance drops a half.
    ///
    /// # Errors
    /// Those of the files.
    pub fn cut_before(&mut self, index: usize, chance: &mut StdRng) -> io::Result<&Path> {
        let entries = self.log.entries();
        let flush = last_flush(&entries[..index]);
        let image = File::options().write(true).open(&self.flushed)?;
        let durable = self.applied.max(flush);
        for entry in &entries[self.applied..durable] {
            self.log.apply(entry, &image)?;
        }
        self.applied = durable;
        let _ = fs::remove_file(&self.after_cut);
        copy_sparse(&self.flushed, &self.after_cut);
        let image = File::options().write(true).open(&self.after_cut)?;
        for entry in entries[durable..index].iter().filter(|entry| entry.is_through || chance.random_bool(0.5)) {
            self.log.apply(entry, &image)?;
        }
        Ok(&self.after_cut)
    }
}

/// How many entries a last flush makes durable.
fn last_flush(entries: &[Entry]) -> usize {
    entries.iter().rposition(|entry| entry.is_flush).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_makes_durable_what_is_before_it() {
        let entry = |is_flush| Entry { log_offset: 0, offset: 0, bytes: 0, is_flush, is_through: false };
        let entries = [false, true, false, true, false].map(entry);
        assert_eq!(last_flush(&entries), 3);
        assert_eq!(last_flush(&entries[..3]), 1);
        assert_eq!(last_flush(&entries[..1]), 0);
    }
}

//! What a gateway of two must not forget when it is killed: a small file beside the queue.

use super::span::Break;
use crate::state_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// Its name in the state folder.
const FILE: &str = "standby.json";

/// The contents of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The highest term that it has seen.
    pub term: u64,
    /// When each source heard nothing: readings of that time may still be in the queue.
    pub breaks: BTreeMap<String, Vec<Break>>,
}

/// The file and its contents.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    remembered: Remembered,
    /// The last attempt to write failed.
    is_stale: bool,
}

impl Book {
    /// Reads `standby.json` in the state folder. One that cannot be understood is set aside with a warning: the other gateway
    /// and the database know the term too.
    ///
    /// # Errors
    /// When it cannot be read or set aside.
    pub fn open(state: &Path) -> io::Result<Self> {
        let path = state.join(FILE);
        let remembered = state_file::read(&path)?;
        Ok(Self { path, remembered, is_stale: false })
    }

    /// What it says.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Remembers this from now on. A disk that takes nothing is told once; the next call tries again.
    pub fn keep(&mut self, now: Remembered) {
        if now == self.remembered && !self.is_stale {
            return;
        }
        self.remembered = now;
        let written = serde_json::to_vec_pretty(&self.remembered)
            .map_err(|error| error.to_string())
            .and_then(|text| queue::replace_file(&self.path, &text).map_err(|error| error.to_string()));
        let was_stale = std::mem::replace(&mut self.is_stale, written.is_err());
        match written {
            Err(error) if !was_stale => {
                warn!("{error}; it is tried again, and a restart until then forgets what is new")
            }
            Ok(()) if was_stale => info!("{} is up to date again", self.path.display()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::open(folder.path()).unwrap();
        let pause = Break { from_us: 1, to_us: 2, is_resumed: true };
        let now = Remembered { term: 7, breaks: [("silo".to_owned(), vec![pause])].into() };
        book.keep(now.clone());
        assert_eq!(*Book::open(folder.path()).unwrap().remembered(), now);
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::open(folder.path()).unwrap();
        let new = folder.path().join("standby.new");
        std::os::unix::fs::symlink("/dev/full", &new).unwrap();
        let now = Remembered { term: 7, ..Remembered::default() };
        book.keep(now.clone());
        assert_eq!(Book::open(folder.path()).unwrap().remembered().term, 0);
        std::fs::remove_file(new).unwrap();
        book.keep(now);
        assert_eq!(Book::open(folder.path()).unwrap().remembered().term, 7);
    }
}

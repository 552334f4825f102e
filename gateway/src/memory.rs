//! What the gateway remembers of the servers: a small file beside the queue.
//!
//! The highest term ever seen, so that a source left behind by a failover is refused also after a restart; and how
//! far each stream was seen in a source, which tells how many readings are sent again after a failover. Neither is a cursor: where
//! to go on is always asked of the server.
//!
//! On a full disk the file may become stale, and draining goes on all the same, as draining is what frees the disk.
//! While this process lives, what it remembers holds. After a restart the servers show their terms again, each that
//! answers. What is left is a source left behind by a failover that comes back and takes writes while the new
//! one does not answer, the disk having been full from the failover to the restart: its rows are written there, and
//! none leaves the queue for it, since a server that does not answer still counts (with `keep_until_replicas = "all"`)
//! and what another term has does not. When the new source is seen again it gets all it lacks. The other numbers
//! only count what is sent again.

use crate::database::Account;
use crate::state_file;
use crate::topology::probe::look;
use crate::topology::{Choice, View, choose, newest_term};
use config::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// Its name in the state folder.
const FILE: &str = "servers.json";

/// The contents of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servers {
    /// The highest term ever seen on any server.
    pub highest_term: u64,
    /// Per stream (16 hex digits), the highest number ever seen in a source.
    pub delivered: BTreeMap<String, u64>,
    /// Readings sent again since the last failover, until that has been told.
    #[serde(default)]
    pub sent_again: u64,
}

impl Servers {
    /// Reads the file for a look from another process. One that is not there or damaged is as good as empty: the servers
    /// know the term too.
    pub fn look(folder: &Path) -> Self {
        let bytes = std::fs::read(folder.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Takes the terms that the servers show.
    pub fn see_terms(&mut self, views: &[View]) {
        self.highest_term = self.highest_term.max(newest_term(views));
    }
}

/// Asks every server once; with the highest term that any of them shows or that was ever seen.
pub async fn look_and_remember(config: &Config, account: &Account) -> (Vec<View>, u64) {
    let views = look(config, account).await;
    let mut servers = Servers::look(&config.gateway.state_dir);
    servers.see_terms(&views);
    (views, servers.highest_term)
}

/// Asks every server once, and chooses the source as the running gateway does.
pub async fn look_and_choose(config: &Config, account: &Account) -> (Vec<View>, Choice) {
    let (views, highest_term) = look_and_remember(config, account).await;
    let choice = choose(&views, highest_term);
    (views, choice)
}

/// The file and its contents.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    saved: Servers,
    /// The disk was full at the last attempt to write.
    is_stale: bool,
    /// What is remembered now.
    pub servers: Servers,
}

impl Memory {
    /// Reads `servers.json` in `folder`. A file that cannot be understood is set aside with a warning: the
    /// servers know the term too, and a restart without the file is safe as long as no old source returns meanwhile.
    ///
    /// # Errors
    /// When a file is there and cannot be read or set aside.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let servers: Servers = state_file::read(&path)?;
        Ok(Self { path, saved: servers.clone(), is_stale: false, servers })
    }

    /// A cursor was seen in a source.
    pub fn see_delivered(&mut self, stream: queue::StreamId, seq: u64) {
        let seen = self.servers.delivered.entry(stream.to_string()).or_default();
        *seen = seq.max(*seen);
    }

    /// The highest number of `stream` ever seen in a source.
    pub fn delivered(&self, stream: queue::StreamId) -> u64 {
        self.servers.delivered.get(&stream.to_string()).copied().unwrap_or(0)
    }

    /// Forgets a stream.
    pub fn forget(&mut self, stream: queue::StreamId) {
        self.servers.delivered.remove(&stream.to_string());
    }

    /// Writes the file if anything changed; durable when it returns. A full disk is told once, and no error: the next
    /// call tries again.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn save(&mut self) -> io::Result<()> {
        if self.saved == self.servers {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&self.servers).map_err(io::Error::other)?;
        match queue::replace_file(&self.path, &text) {
            Ok(()) => self.saved = self.servers.clone(),
            Err(error) if error.is_full_disk() => {
                if !std::mem::replace(&mut self.is_stale, true) {
                    warn!("{error}; draining goes on, and the file is written when there is room");
                }
                return Ok(());
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        if std::mem::take(&mut self.is_stale) {
            info!("{} is up to date again", self.path.display());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_error_and_what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        // Where the new content is written before it takes the place of the old: a device that is always full.
        let new = folder.path().join("servers.new");
        std::os::unix::fs::symlink("/dev/full", &new).unwrap();
        let mut memory = Memory::open(folder.path()).unwrap();
        memory.servers.highest_term = 7;
        memory.save().unwrap();
        assert!(memory.is_stale && Servers::look(folder.path()).highest_term == 0);
        std::fs::remove_file(new).unwrap();
        memory.save().unwrap();
        assert_eq!(Servers::look(folder.path()).highest_term, 7);
        assert!(!memory.is_stale);
    }

    #[test]
    fn another_trouble_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(folder.path()).unwrap();
        memory.save().unwrap();
        memory.servers.highest_term = 1;
        std::fs::create_dir(folder.path().join("servers.new")).unwrap();
        assert!(memory.save().is_err());
    }
}

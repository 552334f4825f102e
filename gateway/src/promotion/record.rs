//! What a promotion has begun and must not be forgotten when the gateway is killed: a small file beside the queue.

use super::failure::Failure;
use crate::state_file;
use crate::topology::{Facts, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tracing::warn;

/// Its name in the state folder.
const FILE: &str = "promotion.json";

/// The file and its contents.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    contents: Contents,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    /// The highest term that was given to a server.
    term: u64,
    /// Identities of servers that were stopped from receiving.
    stopped: BTreeSet<String>,
}

impl Record {
    /// Reads the file. One that is damaged is set aside, and is as good as none: the servers know the terms too, and a replica that
    /// does not receive is seen by everybody.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let contents = state_file::read(&path).unwrap_or_else(|error| {
            warn!("{} cannot be read ({error}) and counts as empty", path.display());
            Contents::default()
        });
        Self { path, contents }
    }

    /// The highest term that was given to a server.
    pub fn term(&self) -> u64 {
        self.contents.term
    }

    /// Identities of servers that were stopped from receiving.
    pub fn stopped(&self) -> &BTreeSet<String> {
        &self.contents.stopped
    }

    /// This term is about to be given to a server.
    ///
    /// # Errors
    /// [`Failure::Record`].
    pub fn give(&mut self, term: u64) -> Result<(), Failure> {
        self.change(|contents| contents.term = term.max(contents.term))
    }

    /// This server is about to be stopped from receiving.
    ///
    /// # Errors
    /// [`Failure::Record`].
    pub fn stop(&mut self, identity: &str) -> Result<(), Failure> {
        self.change(|contents| {
            contents.stopped.insert(identity.to_owned());
        })
    }

    /// This server receives again, or follows another one, or nobody any more.
    ///
    /// # Errors
    /// [`Failure::Record`].
    pub fn forget(&mut self, identity: &str) -> Result<(), Failure> {
        self.change(|contents| {
            contents.stopped.remove(identity);
        })
    }

    /// Forgets every server that receives from anybody or takes writes: another gateway, or somebody by hand, has finished what was
    /// begun. Else a receiver that an operator stops much later would be started again for it.
    ///
    /// # Errors
    /// [`Failure::Record`].
    pub fn settle(&mut self, views: &[View]) -> Result<(), Failure> {
        let receives = |facts: &&Facts| !facts.read_only || facts.replication.iter().any(|channel| channel.receiving);
        let settled = views.iter().filter_map(View::facts).filter(receives);
        let settled: BTreeSet<&str> = settled.map(|facts| facts.identity.as_str()).collect();
        self.change(|contents| contents.stopped.retain(|identity| !settled.contains(identity.as_str())))
    }

    fn change(&mut self, change: impl FnOnce(&mut Contents)) -> Result<(), Failure> {
        let mut contents = self.contents.clone();
        change(&mut contents);
        if contents == self.contents {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&contents).map_err(|error| Failure::Record(error.to_string()))?;
        // Its words name the file.
        queue::replace_file(&self.path, &text).map_err(|error| Failure::Record(error.to_string()))?;
        self.contents = contents;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Replication;

    #[test]
    fn what_was_begun_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::open(folder.path());
        record.give(3).unwrap();
        record.stop("a").unwrap();
        record.stop("b").unwrap();
        record.forget("a").unwrap();
        record.give(2).unwrap();
        let again = Record::open(folder.path());
        assert_eq!((again.term(), again.stopped()), (3, &["b".to_owned()].into()));
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(Record::open(folder.path()).term(), 0);
        assert!(folder.path().join("promotion.json.set-aside").exists(), "it is told once, and not at every look");
    }

    #[test]
    fn whoever_receives_again_or_takes_writes_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::open(folder.path());
        let view = |identity: &str, receiving, read_only| {
            let replication = vec![Replication { receiving, ..Replication::default() }];
            let mut view = View::unasked(identity.to_owned());
            view.answered(Facts { identity: identity.to_owned(), read_only, replication, ..Facts::default() });
            view
        };
        let mut away = view("away", true, true);
        away.failed("no answer".to_owned());
        ["receives", "stopped", "open", "away"].into_iter().for_each(|name| record.stop(name).unwrap());
        record
            .settle(&[view("receives", true, true), view("stopped", false, true), view("open", false, false), away])
            .unwrap();
        assert_eq!(*Record::open(folder.path()).stopped(), ["away".to_owned(), "stopped".to_owned()].into());
    }
}

//! Who made what is in the queue: this gateway, or another one from whose queue a stream was imported. A small file beside
//! the queue, so that an imported stream gets its row in the database under the name of the gateway that made it, and so
//! that the card of this gateway says in another machine whose it is.

use crate::state_file;
use queue::StreamId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Its name in the state folder.
const FILE: &str = "origins.json";

/// The contents of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins {
    /// The gateway that the queue belongs to.
    pub gateway: String,
    /// Its site.
    pub site: String,
    /// The streams that another gateway made, and which.
    #[serde(default)]
    pub streams: BTreeMap<StreamId, String>,
}

impl Origins {
    /// Reads the file for a look from another process; none when it is not there or damaged.
    pub fn look(state: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(state.join(FILE)).ok()?).ok()
    }

    /// The gateway that made a stream.
    pub fn gateway_of(&self, stream: StreamId) -> &str {
        self.streams.get(&stream).unwrap_or(&self.gateway)
    }

    /// Takes over who made which stream.
    fn learn(&mut self, streams: &BTreeMap<StreamId, String>) {
        for (stream, gateway) in streams {
            if *gateway == self.gateway {
                self.streams.remove(stream);
            } else {
                self.streams.insert(*stream, gateway.clone());
            }
        }
    }
}

/// The file, its contents, and who hears of changes.
#[derive(Debug)]
pub struct OriginBook {
    path: PathBuf,
    origins: watch::Sender<Arc<Origins>>,
}

impl OriginBook {
    /// Reads the file in `state`, brings it up to date and forgets streams that are not among those `known`. One that
    /// cannot be understood is set aside with a warning: rows that are in the database already keep their gateway.
    ///
    /// # Errors
    /// When it cannot be read, set aside or written.
    pub fn open(state: &Path, (gateway, site): (&str, &str), known: &[StreamId]) -> io::Result<Self> {
        let path = state.join(FILE);
        let before: Origins = state_file::read(&path)?;
        let is_known = |stream: &StreamId| known.contains(stream);
        let streams = before.streams.iter().filter(|(stream, _)| is_known(stream));
        let streams = streams.map(|(stream, gateway)| (*stream, gateway.clone())).collect();
        let now = Origins { gateway: gateway.to_owned(), site: site.to_owned(), streams };
        let book = Self { path, origins: watch::Sender::new(Arc::new(before)) };
        book.replace(now)?;
        Ok(book)
    }

    /// Remembers who made which stream; durable when it returns, and told to all who listen.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn learn(&self, streams: &BTreeMap<StreamId, String>) -> io::Result<()> {
        let mut origins = Origins::clone(&self.origins.borrow());
        origins.learn(streams);
        self.replace(origins)
    }

    /// What it says, and every change of it.
    pub fn listen(&self) -> watch::Receiver<Arc<Origins>> {
        self.origins.subscribe()
    }

    fn replace(&self, origins: Origins) -> io::Result<()> {
        if **self.origins.borrow() == origins {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&origins)?;
        queue::replace_file(&self.path, &text).map_err(io::Error::other)?;
        self.origins.send_replace(Arc::new(origins));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: u64) -> StreamId {
        StreamId::from_u64(number).unwrap()
    }

    #[test]
    fn imported_streams_keep_the_name_of_their_gateway_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let open = |known: &[StreamId]| OriginBook::open(folder.path(), ("g1", "lab"), known).unwrap();
        let book = open(&[]);
        let heard = book.listen();
        let made = [(stream(1), "g1".to_owned()), (stream(2), "g2".to_owned()), (stream(3), "g3".to_owned())];
        book.learn(&made.into()).unwrap();
        assert_eq!(
            [1, 2, 3, 4].map(|number| heard.borrow().gateway_of(stream(number)).to_owned()),
            ["g1", "g2", "g3", "g1"]
        );
        assert_eq!(Origins::look(folder.path()).unwrap(), **heard.borrow());
        let kept = open(&[stream(1), stream(3)]);
        assert_eq!(kept.listen().borrow().streams.keys().copied().collect::<Vec<_>>(), [stream(3)]);
    }
}

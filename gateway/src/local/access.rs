//! The queue from outside of the gateway: asked of the one that runs, or opened here.

use super::owner::give_to_owner;
use super::wire::{self, Imported, QueueStat, QueuedStream, Request, TurnAnswer, TurnWish, WireRecord};
use super::{IMPORT_PATIENCE, MOST_BYTES, MOST_RECORDS, PATIENCE, SOCKET};
use crate::memory::Servers;
use crate::status::{Delivered, Snapshot};
use queue::{Numbered, QueueError, Reader, StreamId};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why the queue cannot be looked into.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The queue itself says no.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A folder is not there or cannot be read.
    #[error("the folder {folder} cannot be used: {source}; name the state folder of a gateway, or the queue in it")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Files made by another user would keep the gateway from starting.
    #[error(
        "no gateway is running, and the state folder {folder} belongs to another user (uid {owner}): run this as that user or as root, or start the gateway first"
    )]
    OtherUser {
        /// The folder.
        folder: PathBuf,
        /// Its owner.
        owner: u32,
    },
}

/// The queue, of a running gateway or opened here.
pub enum QueueAccess {
    /// A gateway runs and is asked.
    Running {
        /// Its socket.
        socket: PathBuf,
    },
    /// None runs, or it is another machine's card.
    Opened {
        /// The queue.
        reader: Reader,
        /// How far earlier runs saw each stream in a source.
        delivered: Delivered,
    },
}

impl QueueAccess {
    /// Asks the gateway that runs on a state folder; opens the queue when there is none.
    ///
    /// # Errors
    /// When neither is possible.
    pub fn open(state: &Path) -> Result<Self, AccessError> {
        if let Some(socket) = running(state) {
            return Ok(Self::Running { socket });
        }
        refuse_other_user(state)?;
        let folder = state.join("queue");
        let reader = queue::look(&folder)?;
        // Root may look too, but what it made must stay usable for the gateway.
        give_to_owner(&folder).map_err(|source| AccessError::Folder { folder, source })?;
        Ok(Self::opened(reader, state))
    }

    /// Looks into another machine's state folder, or the queue in it, and writes nothing there.
    ///
    /// # Errors
    /// When it cannot be read, or a gateway is using it.
    pub fn open_card(folder: &Path) -> Result<Self, AccessError> {
        let (state, queue) = card_folders(folder)?;
        if let Some(socket) = running(&state) {
            return Ok(Self::Running { socket });
        }
        Ok(Self::opened(queue::look_from(&queue)?, &state))
    }

    fn opened(reader: Reader, state: &Path) -> Self {
        let seen = Servers::look(state).delivered;
        let delivered = seen.iter().filter_map(|(stream, seq)| Some((stream.parse().ok()?, *seq))).collect();
        Self::Opened { reader, delivered }
    }

    /// Every stream that is in the queue or remembered.
    ///
    /// # Errors
    /// As the socket or the queue says.
    pub fn streams(&self) -> io::Result<Vec<QueuedStream>> {
        match self {
            Self::Running { socket } => ask(socket, &Request::Streams, PATIENCE),
            Self::Opened { reader, .. } => wire::streams(reader).map_err(io::Error::other),
        }
    }

    /// Some of the records from `from` on; empty at the end.
    ///
    /// # Errors
    /// As the socket or the queue says.
    pub fn read(&self, stream: StreamId, from: u64) -> io::Result<Vec<Numbered>> {
        match self {
            Self::Opened { reader, .. } => {
                reader.read(stream, from, MOST_RECORDS, MOST_BYTES).map_err(io::Error::other)
            }
            Self::Running { socket } => {
                let items: Vec<WireRecord> = ask(socket, &Request::Read { stream, from }, PATIENCE)?;
                items.into_iter().map(|item| item.try_into().map_err(io::Error::other)).collect()
            }
        }
    }

    /// What the queue holds and takes of the disk. `max_bytes` is its limit where no gateway is asked for it.
    ///
    /// # Errors
    /// As the socket or the queue says.
    pub fn stat(&self, max_bytes: Option<u64>) -> io::Result<QueueStat> {
        match self {
            Self::Running { socket } => ask(socket, &Request::Stat, PATIENCE),
            Self::Opened { reader, delivered } => wire::stat(reader, delivered, max_bytes).map_err(io::Error::other),
        }
    }
}

/// The state folder and the queue's folder that somebody means by a folder of another machine's card.
///
/// # Errors
/// When neither is there.
pub fn card_folders(folder: &Path) -> Result<(PathBuf, PathBuf), AccessError> {
    let of = |source| AccessError::Folder { folder: folder.to_owned(), source };
    let inner = folder.join("queue");
    if inner.is_dir() {
        return Ok((folder.to_owned(), inner));
    }
    let is_queue = |name: &str| name == "marks.json" || name.starts_with("store-");
    let mut names = std::fs::read_dir(folder).map_err(of)?.filter_map(|entry| Some(entry.ok()?.file_name()));
    if !names.any(|name| name.to_str().is_some_and(is_queue)) {
        return Err(of(io::Error::new(io::ErrorKind::NotFound, "there is no queue in it")));
    }
    let whole = std::fs::canonicalize(folder).map_err(of)?;
    let state = whole.parent().unwrap_or(&whole).to_owned();
    Ok((state, whole))
}

/// The socket of the gateway that runs on a state folder.
pub fn running(state: &Path) -> Option<PathBuf> {
    let socket = state.join(SOCKET);
    UnixStream::connect(&socket).is_ok().then_some(socket)
}

/// Refuses to make files that the owner of a state folder could not use. Root can, since it gives them away.
///
/// # Errors
/// [`AccessError::OtherUser`]; [`AccessError::Folder`] when there is none.
pub fn refuse_other_user(state: &Path) -> Result<(), AccessError> {
    let folder = || state.to_owned();
    let owner = std::fs::metadata(state).map_err(|source| AccessError::Folder { folder: folder(), source })?.uid();
    let we = rustix::process::geteuid();
    if we.is_root() || owner == we.as_raw() { Ok(()) } else { Err(AccessError::OtherUser { folder: folder(), owner }) }
}

/// The status of the gateway that runs on this state folder; none when none runs.
///
/// # Errors
/// When it runs and does not answer.
pub fn status(state: &Path) -> io::Result<Option<Snapshot>> {
    if_it_runs(ask(&state.join(SOCKET), &Request::Status, PATIENCE))
}

/// Changes which of two gateways is active, by the gateway that runs on this state folder; none when none runs. It answers within
/// `patience`.
///
/// # Errors
/// When it runs and does not answer.
pub fn take_over(state: &Path, wish: TurnWish, patience: Duration) -> io::Result<Option<TurnAnswer>> {
    if_it_runs(ask(&state.join(SOCKET), &Request::Takeover(wish), patience.saturating_add(PATIENCE)))
}

fn if_it_runs<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has a running gateway take in a folder beside its queue. Durable when it returns.
///
/// # Errors
/// As the socket or the gateway says.
pub fn import(socket: &Path, folder: &str, origins: &BTreeMap<StreamId, String>) -> io::Result<Imported> {
    let request = Request::Import { folder: folder.to_owned(), origins: origins.clone() };
    let answer: Result<Imported, String> = ask(socket, &request, IMPORT_PATIENCE)?;
    answer.map_err(io::Error::other)
}

fn ask<T: serde::de::DeserializeOwned>(socket: &Path, request: &Request, patience: Duration) -> io::Result<T> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    if text.is_empty() {
        return Err(io::Error::other("the gateway gave no answer; its log may say why"));
    }
    Ok(serde_json::from_slice(&text)?)
}

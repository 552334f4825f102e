//! What can go wrong, named by who acts.

use std::io;
use std::path::PathBuf;

use crate::StreamId;

/// Why the queue could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Another process has this queue open. The operator stops it, or asks it.
    #[error("the queue in {} is in use by {}: stop that process, or ask it", folder.display(), holder(*pid))]
    InUse {
        /// The queue's folder.
        folder: PathBuf,
        /// The process that has it, unless that has not yet written its number.
        pid: Option<u32>,
    },
    /// A newer version of the program wrote this queue. The operator installs that version again; nothing was changed.
    #[error(
        "{place} has layout {found}, this program knows {known}: install the newer version again; nothing was changed"
    )]
    NewerLayout {
        /// What has the newer layout.
        place: String,
        /// The layout found.
        found: u32,
        /// The newest layout that this program reads.
        known: u32,
    },
    /// The storage library gave up, or stored bytes are not what was written.
    #[error("damaged: {what}, at {place}; start the gateway again, which goes on with a new generation")]
    Damaged {
        /// What is wrong.
        what: String,
        /// Which file or frame.
        place: String,
    },
    /// The operating system refused. The operator looks at the disk and its permissions.
    #[error("cannot {doing} {}: {source}; look at the disk and the permissions", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Readings could not be made durable. Final: the process ends with exit code 74, as nobody can say what the disk
    /// holds until the queue is opened again.
    #[error("cannot make readings durable in {}: {reason}; the gateway has to start again", path.display())]
    SyncFailed {
        /// The store's folder.
        path: PathBuf,
        /// What the store or the system said.
        reason: String,
    },
    /// The disk has no room beyond what is to stay free. Nothing was written; the caller tries again later.
    #[error(
        "no room on the disk of {}: {free_bytes} bytes are free; make room on it, or move the queue to a larger one",
        path.display()
    )]
    Full {
        /// The queue's folder.
        path: PathBuf,
        /// What is free on the disk.
        free_bytes: u64,
    },
    /// The stream was never seen here. The caller drops its question.
    #[error("the stream {stream} is not known to this queue")]
    UnknownStream {
        /// The stream asked for.
        stream: StreamId,
    },
    /// The stream still has readings in the queue, or is the one being written. The caller trims it first.
    #[error("the stream {stream} is still in the queue: trim it before it is forgotten")]
    StillQueued {
        /// The stream that was to be forgotten.
        stream: StreamId,
    },
}

impl QueueError {
    /// Whether a full disk, or a quota that is used up, is the cause.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        match self {
            QueueError::Full { .. } => true,
            QueueError::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Turns a system error into [`QueueError::Io`]: `.map_err(io_at("open", &path))`.
pub(crate) fn io_at(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> QueueError {
    let path = path.to_owned();
    move |source| QueueError::Io { doing, path, source }
}

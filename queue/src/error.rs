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
    /// The folder holds something that is not a queue of ours. The operator configures another folder.
    #[error("{} is not a queue of fieldgate: {what}; choose another folder or move it away", path.display())]
    Foreign {
        /// What was found.
        path: PathBuf,
        /// Why it cannot be ours.
        what: String,
    },
    /// Stored bytes are not what was written. The next opening sets the store aside.
    #[error(
        "damaged: {what}, at {place}; start the gateway again, which sets the store aside and goes on in a new one"
    )]
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
    /// The disk has no room. Nothing was written; the caller tries again later.
    #[error("the disk has no room for the queue in {}: {reason}; free some", folder.display())]
    Full {
        /// The queue's folder.
        folder: PathBuf,
        /// What is missing.
        reason: String,
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

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Turns a system error into [`QueueError::Io`]: `.map_err(io_at("open", &path))`.
pub(crate) fn io_at(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> QueueError {
    let path = path.to_owned();
    move |source| QueueError::Io { doing, path, source }
}

//! A socket in the state folder, so that other commands can look into the queue of a running gateway: only one process
//! may open it.
//!
//! One request a connection, a line of JSON; the answer is a JSON document and the end of the stream.

use crate::status::{Board, Snapshot};
use queue::{Kind, KnownStream, Numbered, QueueError, Reader, Record, Span, StreamId};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// The socket's name in the state folder.
const SOCKET: &str = "fieldgate.sock";
/// A request is one short line.
const MAX_REQUEST_BYTES: u64 = 4096;
/// Who does not send a request within this is let go.
const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
/// Who does not read the answer within this is let go.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records an answer holds at most.
pub const MOST_RECORDS: usize = 1000;
/// Bytes of records an answer holds at most.
const MOST_BYTES: usize = 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
enum Request {
    Streams,
    Read { stream: StreamId, from: u64 },
    Status,
}

/// What the queue holds and remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedStream {
    /// The stream.
    pub stream: StreamId,
    /// The highest number ever known of it.
    pub end: u64,
    /// First and last number in the queue; none when it has left.
    pub queued: Option<(u64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct WireRecord(u64, u8, Vec<u8>);

/// Opens the socket; one left by a killed process is replaced.
///
/// # Errors
/// As the operating system says.
pub fn listen(state: &Path) -> io::Result<UnixListener> {
    let path = state.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Answers one after the other, for ever.
pub async fn serve(listener: UnixListener, board: Arc<Board>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = timeout(PATIENCE, answer(stream, &board)).await;
            }
            // Out of file descriptors, most likely; others need the time to close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: UnixStream, board: &Arc<Board>) -> io::Result<()> {
    let (incoming, mut outgoing) = stream.split();
    let mut line = String::new();
    // Connections are answered one after the other: who says nothing must not keep the next one waiting.
    let mut request = tokio::io::BufReader::new(incoming.take(MAX_REQUEST_BYTES));
    timeout(REQUEST_PATIENCE, request.read_line(&mut line)).await.map_err(io::Error::other)??;
    let request: Request = serde_json::from_str(&line)?;
    let board = Arc::clone(board);
    let text = tokio::task::spawn_blocking(move || reply(&request, &board)).await.map_err(io::Error::other)??;
    outgoing.write_all(&text).await
}

fn reply(request: &Request, board: &Board) -> io::Result<Vec<u8>> {
    let reader = &board.reader;
    let text = match request {
        Request::Status => serde_json::to_vec(&board.snapshot().map_err(io::Error::other)?),
        Request::Streams => serde_json::to_vec(&streams(reader).map_err(io::Error::other)?),
        Request::Read { stream, from } => {
            let items = reader.read(*stream, *from, MOST_RECORDS, MOST_BYTES).map_err(io::Error::other)?;
            let items: Vec<WireRecord> =
                items.into_iter().map(|item| WireRecord(item.seq, item.record.kind.0, item.record.body)).collect();
            serde_json::to_vec(&items)
        }
    };
    text.map_err(io::Error::other)
}

fn streams(reader: &Reader) -> Result<Vec<QueuedStream>, QueueError> {
    let spans: Vec<Span> = reader.spans();
    let queued =
        |known: &KnownStream| spans.iter().find(|span| span.stream == known.stream).map(|span| (span.first, span.last));
    let known = reader.known_streams();
    Ok(known.iter().map(|known| QueuedStream { stream: known.stream, end: known.end, queued: queued(known) }).collect())
}

/// Why the queue cannot be looked into.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The queue itself says no.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The state folder is not there or cannot be read.
    #[error("the state folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Files made by another user would keep the gateway from starting.
    #[error(
        "no gateway is running, and the state folder {folder} belongs to another user (uid {owner}): run this as that user, or start the gateway first"
    )]
    OtherUser {
        /// The folder.
        folder: PathBuf,
        /// Its owner.
        owner: u32,
    },
}

fn refuse_other_user(state: &Path) -> Result<(), AccessError> {
    let folder = || state.to_owned();
    let owner = std::fs::metadata(state).map_err(|source| AccessError::Folder { folder: folder(), source })?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(AccessError::OtherUser { folder: folder(), owner })
    }
}

/// The status of the gateway that runs on this state folder; none when none runs.
///
/// # Errors
/// When it runs and does not answer.
pub fn status(state: &Path) -> io::Result<Option<Snapshot>> {
    match ask(&state.join(SOCKET), &Request::Status) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The queue, of a running gateway or opened here.
pub enum QueueAccess {
    /// A gateway runs and is asked.
    Running(PathBuf),
    /// None runs.
    Opened(Reader),
}

impl QueueAccess {
    /// Asks the running gateway; opens the queue when there is none.
    ///
    /// # Errors
    /// When neither is possible.
    pub fn open(state: &Path) -> Result<Self, AccessError> {
        let socket = state.join(SOCKET);
        if StdUnixStream::connect(&socket).is_ok() {
            return Ok(Self::Running(socket));
        }
        refuse_other_user(state)?;
        Ok(Self::Opened(queue::look(&state.join("queue"))?))
    }

    /// Every stream that is in the queue or remembered.
    ///
    /// # Errors
    /// As the socket or the queue says.
    pub fn streams(&self) -> io::Result<Vec<QueuedStream>> {
        match self {
            Self::Running(socket) => ask(socket, &Request::Streams),
            Self::Opened(reader) => streams(reader).map_err(io::Error::other),
        }
    }

    /// Some of the records from `from` on; empty at the end.
    ///
    /// # Errors
    /// As the socket or the queue says.
    pub fn read(&self, stream: StreamId, from: u64) -> io::Result<Vec<Numbered>> {
        match self {
            Self::Opened(reader) => reader.read(stream, from, MOST_RECORDS, MOST_BYTES).map_err(io::Error::other),
            Self::Running(socket) => {
                let items: Vec<WireRecord> = ask(socket, &Request::Read { stream, from })?;
                let numbered = |WireRecord(seq, kind, body)| Numbered {
                    seq,
                    written_ms: 0,
                    record: Record { kind: Kind(kind), body },
                };
                Ok(items.into_iter().map(numbered).collect())
            }
        }
    }
}

fn ask<T: serde::de::DeserializeOwned>(socket: &Path, request: &Request) -> io::Result<T> {
    let mut stream = StdUnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

//! A socket in the state folder, so that other commands can look into the queue of a running gateway, have it take in an
//! import (only one process may open the queue), and change which of two gateways is active.
//!
//! One request a connection, a line of JSON; the answer is a JSON document and the end of the stream. Several tasks of
//! [`serve`] answer at the same time, so that a long answer does not hold up the others.

mod access;
mod owner;
mod takeover;
mod wire;

pub use access::{AccessError, QueueAccess, card_folders, import, refuse_other_user, running, status, take_over};
pub use owner::give_to_owner;
pub use wire::{Generation, Imported, QueueStat, QueuedStream, StreamStat, TurnAnswer, TurnWish};

use crate::intake::Import;
use crate::standby::inputs::Ask;
use crate::status::Board;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wire::{Request, WireRecord};

/// The socket's name in the state folder.
const SOCKET: &str = "fieldgate.sock";
/// So many requests are answered at the same time.
pub const MOST_AT_ONCE: usize = 4;
/// A request is one line. The longest names the gateway of each of up to 4096 imported streams.
const MAX_REQUEST_BYTES: u64 = 512 * 1024;
/// Who does not send a request within this is let go.
const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
/// Who does not read the answer within this is let go; whoever waits for one waits as long.
const PATIENCE: Duration = Duration::from_secs(10);
/// An import copies up to the whole queue on a slow card.
const IMPORT_PATIENCE: Duration = Duration::from_secs(1800);
/// Records an answer holds at most.
pub const MOST_RECORDS: usize = 1000;
/// Bytes of records an answer holds at most.
const MOST_BYTES: usize = 1024 * 1024;

/// What is asked of the parts of the gateway.
#[derive(Clone)]
pub struct Desk {
    /// What they tell.
    pub board: Arc<Board>,
    /// The way to the one writer of the queue.
    pub imports: mpsc::Sender<Import>,
    /// The way to the loop of the role; none for a gateway alone.
    pub asks: Option<mpsc::Sender<Ask>>,
}

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
pub async fn serve(listener: Arc<UnixListener>, desk: Desk) {
    loop {
        match listener.accept().await {
            // Who does not ask properly or does not read the answer has only itself to blame.
            Ok((stream, _)) => drop(answer(stream, &desk).await),
            // Out of file descriptors, most likely; others need the time to close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let (incoming, mut outgoing) = stream.split();
    let mut line = String::new();
    let mut request = tokio::io::BufReader::new(incoming.take(MAX_REQUEST_BYTES));
    timeout(REQUEST_PATIENCE, request.read_line(&mut line)).await.map_err(io::Error::other)??;
    let text = match serde_json::from_str(&line)? {
        Request::Import { folder, origins } => serde_json::to_vec(&take_in(desk, folder, origins).await)?,
        Request::Takeover(wish) => serde_json::to_vec(&takeover::ask(desk, wish).await)?,
        request => look(desk, request).await?,
    };
    timeout(PATIENCE, outgoing.write_all(&text)).await.map_err(io::Error::other)?
}

async fn look(desk: &Desk, request: Request) -> io::Result<Vec<u8>> {
    let board = Arc::clone(&desk.board);
    let looked = tokio::task::spawn_blocking(move || reply(&request, &board));
    timeout(PATIENCE, looked).await.map_err(io::Error::other)?.map_err(io::Error::other)?
}

fn reply(request: &Request, board: &Board) -> io::Result<Vec<u8>> {
    let reader = &board.reader;
    let text = match request {
        Request::Status => serde_json::to_vec(&board.snapshot().map_err(io::Error::other)?),
        Request::Streams => serde_json::to_vec(&wire::streams(reader).map_err(io::Error::other)?),
        Request::Stat => {
            let delivered = board.delivered.borrow().clone();
            serde_json::to_vec(&wire::stat(reader, &delivered, Some(board.max_bytes)).map_err(io::Error::other)?)
        }
        Request::Read { stream, from } => {
            let items = reader.read(*stream, *from, MOST_RECORDS, MOST_BYTES).map_err(io::Error::other)?;
            serde_json::to_vec(&items.into_iter().map(WireRecord::from).collect::<Vec<_>>())
        }
        Request::Import { .. } | Request::Takeover(_) => return Err(io::Error::other("that is not a look")),
    };
    text.map_err(io::Error::other)
}

/// Hands a folder to the intake and waits for its answer.
async fn take_in(
    desk: &Desk,
    folder: String,
    origins: std::collections::BTreeMap<queue::StreamId, String>,
) -> Result<Imported, String> {
    let (answer, answered) = oneshot::channel();
    let stopping = "the gateway is stopping; import again when it runs";
    desk.imports.send(Import { folder, origins, answer }).await.map_err(|_| stopping.to_owned())?;
    answered.await.map_err(|_| stopping.to_owned())?
}

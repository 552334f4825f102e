//! One side's bus as a Unix socket; `shim.c` is the other end and describes what is said.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::io::Errno;

use super::Side;
use super::bus::{Message, NoAnswer};
use super::world::Shared;

/// The bit of a message's flags that says that it reads.
const READS: u16 = 1;

/// A thread that waits for processes, and one for each that came. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct Server {
    socket: PathBuf,
    ends: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<UnixStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(socket: &Path, side: Side, shared: Arc<Shared>) -> Self {
        let listener = UnixListener::bind(socket).expect("a socket for the bus");
        let (ends, open) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let thread = thread::spawn({
            let (ends, open) = (Arc::clone(&ends), Arc::clone(&open));
            move || accept(&listener, side, &shared, &ends, &open)
        });
        Self { socket: socket.to_owned(), ends, open, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the thread that waits. An error in any of this means that the other end has gone already.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Only now, so that who notices cannot connect again.
        for stream in self.open.lock().iter().flat_map(|open| open.iter()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &UnixListener, side: Side, shared: &Arc<Shared>, ends: &AtomicBool, open: &Mutex<Vec<UnixStream>>) {
    for stream in listener.incoming() {
        if ends.load(Ordering::SeqCst) {
            return;
        }
        let stream = stream.expect("a process on the bus");
        let copy = stream.try_clone().expect("a copy of the connection");
        open.lock().expect("no thread of the mailbox has panicked").push(copy);
        let shared = Arc::clone(shared);
        // It ends with an error as soon as either end has closed the connection.
        thread::spawn(move || while serve(&stream, side, &shared).is_ok() {});
    }
}

/// One transfer.
fn serve(mut stream: &UnixStream, side: Side, shared: &Shared) -> io::Result<()> {
    let mut messages = (0..number(stream)?).map(|_| message(stream)).collect::<io::Result<Vec<_>>>()?;
    let done = shared.transfer(side, &mut messages);
    stream.write_all(&answer(done, &messages))
}

fn number(mut stream: &UnixStream) -> io::Result<u16> {
    let mut bytes = [0; 2];
    stream.read_exact(&mut bytes)?;
    Ok(u16::from_ne_bytes(bytes))
}

fn message(mut stream: &UnixStream) -> io::Result<Message> {
    let (address, flags, length) = (number(stream)?, number(stream)?, number(stream)?);
    let (reads, mut bytes) = (flags & READS != 0, vec![0; length.into()]);
    if !reads {
        stream.read_exact(&mut bytes)?;
    }
    Ok(Message { address, reads, bytes })
}

fn answer(done: Result<(), NoAnswer>, messages: &[Message]) -> Vec<u8> {
    match done {
        Ok(()) => {
            let count = i32::try_from(messages.len()).expect("at most 65535 messages");
            let read = messages.iter().filter(|message| message.reads).flat_map(|message| &message.bytes);
            count.to_ne_bytes().iter().chain(read).copied().collect()
        }
        Err(NoAnswer) => (-Errno::NXIO.raw_os_error()).to_ne_bytes().to_vec(),
    }
}

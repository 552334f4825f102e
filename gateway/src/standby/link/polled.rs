//! A link that has to be asked: a thread of its own looks every 50 ms, and writes as soon as there is something to write.
//!
//! A transfer can block for seconds, or for ever when the bus is stuck, hence a thread; one that does not come back is left
//! behind. Meanwhile the link is down: who cannot hear must not take that for silence.

use super::{LinkError, Reporter};
use crate::standby::beat::Frame;
use sensors::backoff::Backoff;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How often it looks.
pub const PERIOD: Duration = Duration::from_millis(50);
/// The longest wait after a failure: a link that works again must be heard within a few beats.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Looking and writing take a few ms; what takes so long hangs.
const HANGS_AFTER: Duration = Duration::from_millis(500);
/// The system shows so many characters of a thread's name.
const THREAD: &str = "standby-link";

/// What the thread asks.
pub trait Polled: Send + 'static {
    /// A message that was not there when it looked last. It comes before every [`send`](Self::send), so that nothing is written
    /// to what may be another device.
    ///
    /// # Errors
    /// [`LinkError`] when this end does not work.
    fn look(&mut self) -> Result<Option<Message>, LinkError>;

    /// Gives a beat to the other side.
    ///
    /// # Errors
    /// [`LinkError`] when this end does not work.
    fn send(&mut self, frame: &Frame) -> Result<(), LinkError>;
}

/// A message and how long it had waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As it came.
    pub bytes: Vec<u8>,
    /// How old it was.
    pub age: Duration,
}

/// Runs until `outgoing` is closed.
pub async fn run(polled: impl Polled, mut outgoing: watch::Receiver<Frame>, mut news: Reporter) {
    let (wake, woken) = sync_channel(1);
    let thread = start(&mut news).await;
    let backoff = Backoff::new(PERIOD * 2, LONGEST_WAIT, 1);
    let desk = Desk(Arc::new(Mutex::new(Shared { news, talks_since: None })));
    let poller = Poller { polled, outgoing: outgoing.clone(), unsent: None, desk: desk.clone(), backoff };
    if thread.send(Box::new(move || poller.run(&woken))).is_err() {
        return;
    }
    loop {
        match timeout(HANGS_AFTER / 2, outgoing.changed()).await {
            // When it has been woken already, it finds the newest.
            Ok(Ok(())) => drop(wake.try_send(())),
            Ok(Err(_)) => return,
            Err(_) => {}
        }
        desk.look();
    }
}

/// What the thread and the task that watches it share.
#[derive(Clone)]
struct Desk(Arc<Mutex<Shared>>);

struct Shared {
    news: Reporter,
    /// Since when the thread looks or writes; none while it waits.
    talks_since: Option<Instant>,
}

impl Desk {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.shared().talks_since = Some(Instant::now());
    }

    /// What came of looking and writing.
    fn end(&self, talked: Result<Option<Message>, LinkError>) {
        let mut shared = self.shared();
        let took = shared.talks_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        match talked {
            Ok(message) => {
                shared.news.up();
                if let Some(Message { bytes, age }) = message {
                    shared.news.heard(&bytes, age.saturating_add(took));
                }
            }
            Err(why) => shared.news.down(why),
        }
    }

    /// Whether the thread hangs.
    fn look(&self) {
        let mut shared = self.shared();
        if shared.talks_since.is_some_and(|since| since.elapsed() >= HANGS_AFTER) {
            shared.news.down(LinkError::Hangs);
        }
    }
}

type Work = Box<dyn FnOnce() + Send>;

/// A thread that waits for its work.
async fn start(news: &mut Reporter) -> SyncSender<Work> {
    let mut backoff = Backoff::new(LONGEST_WAIT, LONGEST_WAIT, 1);
    loop {
        let (hand, handed) = sync_channel::<Work>(1);
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            if let Ok(work) = handed.recv() {
                work();
            }
        });
        match thread {
            Ok(_) => return hand,
            Err(why) => news.down(LinkError::Thread(why.to_string())),
        }
        backoff.wait().await;
    }
}

struct Poller<P> {
    polled: P,
    outgoing: watch::Receiver<Frame>,
    unsent: Option<Frame>,
    desk: Desk,
    backoff: Backoff,
}

impl<P: Polled> Poller<P> {
    /// Runs until the other end of `woken` is gone.
    fn run(mut self, woken: &Receiver<()>) {
        let mut wait = Duration::ZERO;
        while woken.recv_timeout(wait) != Err(RecvTimeoutError::Disconnected) {
            wait = self.step();
        }
    }

    /// Looks and writes once; gives how long there is nothing to do after it.
    fn step(&mut self) -> Duration {
        if self.outgoing.has_changed().unwrap_or(false) {
            self.unsent = Some(*self.outgoing.borrow_and_update());
        }
        self.desk.begin();
        let talked = self.talk();
        let works = talked.is_ok();
        self.desk.end(talked);
        if works {
            self.backoff.reset();
            PERIOD
        } else {
            self.backoff.delay()
        }
    }

    fn talk(&mut self) -> Result<Option<Message>, LinkError> {
        let message = self.polled.look()?;
        if let Some(frame) = &self.unsent {
            self.polled.send(frame)?;
            self.unsent = None;
        }
        Ok(message)
    }
}

#[cfg(test)]
pub(super) mod tests;

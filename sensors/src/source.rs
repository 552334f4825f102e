//! The contract every transport keeps.
//!
//! 1. Stamp before asking a bus, or on arrival.
//! 2. Hand over an [`Arrival`] through the [`Outlet`] and wait there for room: never drop, never grow. A bus or a port does
//!    not wait: there, what finds no room is counted, and becomes a gap as soon as there is room.
//! 3. Acknowledge to the node only when the [`Ticket`] comes back, which means: durable.
//! 4. A fault of one node or one connection is a reading without data or a gap, never the end of the program.

use crate::meter::{Brought, Meter};
use crate::reading::{DeadLetter, Gap, Reading};
use crate::receipts::Receipt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// What one message became.
#[derive(Debug)]
pub enum Content {
    /// The readings of one message; they become durable together or not at all.
    Readings(Vec<Reading>),
    /// It could not be understood.
    DeadLetter(DeadLetter),
    /// Something is known to be missing.
    Gap(Gap),
    /// It is in the queue, or on its way into it, already: only the acknowledgement is owed.
    AlreadyQueued,
}

/// The right to acknowledge one message, valid for the connection it came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Which of the configured sources.
    pub source: usize,
    /// Which of its connections; packet ids are used again on the next.
    pub connection: u64,
    /// The packet id.
    pub packet: u16,
}

/// One message on its way to the queue.
#[derive(Debug)]
pub struct Arrival {
    /// What it became.
    pub content: Content,
    /// What lets a message that the broker sends again be recognised.
    pub receipt: Option<Receipt>,
    /// To be given back once the content is durable.
    pub ticket: Option<Ticket>,
    /// The room it takes; given back when dropped.
    pub room: Option<OwnedSemaphorePermit>,
    /// Whether the other gateway of the site may have it too. Set by the [`Outlet`].
    pub shared: bool,
}

impl Arrival {
    /// One that nobody waits to acknowledge.
    pub fn of(content: Content) -> Self {
        Self { content, receipt: None, ticket: None, room: None, shared: false }
    }
}

/// The way to the queue, bounded in messages and in bytes.
#[derive(Debug, Clone)]
pub struct Outlet {
    sender: mpsc::Sender<Arrival>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    meter: Meter,
    shared: bool,
}

impl Outlet {
    /// An outlet for at most `messages` arrivals that came as at most `room_bytes` of payload, and its other end.
    pub fn new(messages: usize, room_bytes: u32) -> (Self, mpsc::Receiver<Arrival>) {
        let (sender, receiver) = mpsc::channel(messages);
        let permits = usize::try_from(room_bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let (room, meter) = (Arc::new(Semaphore::new(permits)), Meter::default());
        (Self { sender, room, room_bytes, meter, shared: false }, receiver)
    }

    /// Hands over an arrival of `bytes` of payload; waits while there is no room. False when nobody listens any more.
    pub async fn send(&self, mut arrival: Arrival, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.room_bytes);
        let Ok(room) = Arc::clone(&self.room).acquire_many_owned(bytes).await else {
            return false;
        };
        (arrival.room, arrival.shared) = (Some(room), self.shared);
        let brought = Brought::from(&arrival.content);
        let taken = self.sender.send(arrival).await.is_ok();
        if taken {
            self.meter.count(brought);
        }
        taken
    }

    /// The same way for one source, which counts for itself from now on.
    pub fn for_source(&self, name: &str) -> Self {
        Self { meter: Meter::new(name), ..self.clone() }
    }

    /// The same way for what the other gateway of the site may have too, or may not.
    pub fn shared(self, shared: bool) -> Self {
        Self { shared, ..self }
    }

    /// What counts for this source.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Hands over an arrival of `bytes` of payload only if there is room at once; true when it was taken. For sources
    /// that cannot make their nodes wait: what is not taken is lost, and they have to say so with a gap.
    pub fn try_send(&self, mut arrival: Arrival, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.room_bytes);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(bytes) else {
            return false;
        };
        (arrival.room, arrival.shared) = (Some(room), self.shared);
        let brought = Brought::from(&arrival.content);
        let taken = self.sender.try_send(arrival).is_ok();
        if taken {
            self.meter.count(brought);
        }
        taken
    }
}

/// A transport: brings arrivals until told to stop, acknowledges what comes back.
pub trait Source {
    /// Runs until `stop` says true *and* no more tickets can come (the sending end of `acknowledged` is closed).
    /// On `stop` it takes nothing new at once, so that the outlet closes and the queue can empty it.
    fn run(
        self,
        outlet: Outlet,
        acknowledged: mpsc::Receiver<Ticket>,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn arrival() -> Arrival {
        Arrival::of(Content::AlreadyQueued)
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outlet_waits_and_goes_on_when_room_is_given_back() {
        let (outlet, mut receiver) = Outlet::new(10, 100);
        assert!(outlet.send(arrival(), 80).await);
        let waiting = tokio::time::timeout(Duration::from_secs(9), outlet.send(arrival(), 30)).await;
        assert!(waiting.is_err(), "110 bytes do not fit into 100");
        drop(receiver.recv().await);
        assert!(outlet.send(arrival(), 30).await);
        drop(receiver.recv().await);
        assert!(outlet.send(arrival(), 5000).await, "a message larger than all the room takes all of it, alone");
    }

    #[tokio::test]
    async fn an_arrival_is_shared_when_its_way_is() {
        let (outlet, mut receiver) = Outlet::new(10, 100);
        let shared = outlet.for_source("mqtt://b:1883").shared(true);
        assert!(shared.send(arrival(), 1).await && shared.try_send(arrival(), 1));
        assert!(outlet.try_send(Arrival { shared: true, ..arrival() }, 1), "the way decides, not who made the arrival");
        let mut next = || receiver.try_recv().map(|arrival| arrival.shared);
        assert_eq!([next(), next(), next()], [Ok(true), Ok(true), Ok(false)]);
    }

    #[tokio::test]
    async fn trying_says_whether_it_was_taken_and_leaves_no_room_taken_when_not() {
        let (outlet, mut receiver) = Outlet::new(2, 100);
        assert!(outlet.try_send(arrival(), 80));
        assert!(!outlet.try_send(arrival(), 30), "110 bytes do not fit into 100");
        assert!(outlet.try_send(arrival(), 20));
        assert!(!outlet.try_send(arrival(), 0), "two messages are all");
        drop(receiver.recv().await);
        assert!(!outlet.try_send(arrival(), 81), "20 bytes are still held");
        assert!(outlet.try_send(arrival(), 80), "what was not taken gave its room back");
        drop(receiver);
        assert!(!outlet.try_send(arrival(), 1), "nobody listens any more");
    }
}

//! The ways on which two gateways hear each other. A link sends what it is given and tells what it hears; what that means is
//! decided elsewhere.
//!
//! - [`mailbox`]: a microcontroller between the two; [`target`]: an I2C bus with one of them as the target
//! - [`serial`]: a serial line; [`stream`] finds the messages in its bytes
//! - [`udp`]: the network

mod configured;
pub mod mailbox;
mod polled;
pub mod serial;
pub mod stream;
pub mod target;
pub mod udp;

pub use configured::Configured;

use super::beat::Frame;
use sensors::i2c::BusError;
use sensors::serial::OpenError;
use std::future::Future;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

/// News that wait for whoever decides.
pub const NEWS_WAITING: usize = 64;

/// What a link tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Which of the configured links.
    pub link: usize,
    /// What it is.
    pub what: What,
}

/// What happened on a link. Up and down are about this gateway's own end only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The port is open, the mailbox answers, the socket is bound.
    Up,
    /// It cannot be used.
    Down(LinkError),
    /// A message has come.
    Bytes {
        /// As it came.
        bytes: Vec<u8>,
        /// How long it had waited somewhere on its way.
        age: Duration,
    },
}

/// Why a link's own end cannot be used, and what to do; as the end of a sentence that begins with its name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The bus, or nobody at the address.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A transfer was begun, and does not come back.
    #[error("a transfer does not come back; a device may hold the bus: look at the wires, and restart what is on it")]
    Hangs,
    /// Something answers, but no mailbox does.
    #[error(
        "something else than a mailbox answers there; compare the address with the mailbox's, and look at the wires"
    )]
    NotAMailbox,
    /// The firmware has another map of registers.
    #[error("the mailbox has version {0} of the registers, not 1; put the firmware of this version of fieldgate on it")]
    MailboxVersion(u8),
    /// The port cannot be opened.
    #[error("the port {0}")]
    Port(OpenError),
    /// The port was open.
    #[error("the port is gone ({0}); waiting for it")]
    PortGone(String),
    /// The target's memory.
    #[error(
        "the target's memory cannot be used: {0}; make it with new_device (slave-24c02) on a kernel with CONFIG_I2C_SLAVE_EEPROM, and let the user that runs fieldgate read and write it"
    )]
    Memory(String),
    /// The socket cannot be bound, or fails.
    #[error(
        "the socket cannot be used: {0}; does `listen` name an address of this machine, and a port that nobody else has?"
    )]
    Socket(String),
    /// No thread can be started.
    #[error("there is no thread for it: {0}; look for what uses up the machine")]
    Thread(String),
}

/// One way on which the two hear each other.
pub trait Link {
    /// What it is called in the log and in `fieldgate status`.
    fn name(&self) -> String;

    /// Whether it only ever says that the other one lives.
    fn is_witness(&self) -> bool {
        false
    }

    /// Sends what `outgoing` shows, at once whenever that changes, and tells what it hears. No fault ends it: it ends when
    /// `outgoing` is closed, or is dropped.
    fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) -> impl Future<Output = ()> + Send;
}

/// The way to whoever decides, for one link. It never waits: a message without room is lost, as on the wire; the word on
/// whether the link works is said again until it is taken.
#[derive(Debug)]
pub struct Reporter {
    link: usize,
    news: mpsc::Sender<News>,
    state: Option<Result<(), LinkError>>,
    untold: bool,
}

impl Reporter {
    /// For the link of this number.
    pub fn new(link: usize, news: mpsc::Sender<News>) -> Self {
        Self { link, news, state: None, untold: false }
    }

    /// This end works.
    pub fn up(&mut self) {
        self.is(Ok(()));
    }

    /// This end does not work.
    pub fn down(&mut self, why: LinkError) {
        self.is(Err(why));
    }

    /// A message came, after `age` on its way.
    pub fn heard(&mut self, bytes: &[u8], age: Duration) {
        self.tick();
        // Without room it is lost; the next one comes within a beat.
        let _ = self.news.try_send(News { link: self.link, what: What::Bytes { bytes: bytes.to_vec(), age } });
    }

    /// Says again what could not be told; to be called at least once a beat.
    pub fn tick(&mut self) {
        if let (true, Some(state)) = (self.untold, &self.state) {
            let what = state.clone().map_or_else(What::Down, |()| What::Up);
            self.untold = self.news.try_send(News { link: self.link, what }).is_err();
        }
    }

    fn is(&mut self, state: Result<(), LinkError>) {
        if self.state.as_ref() != Some(&state) {
            self.state = Some(state);
            self.untold = true;
        }
        self.tick();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_told_once_and_again_only_when_there_was_no_room() {
        let (sender, mut news) = mpsc::channel(1);
        let mut reporter = Reporter::new(3, sender);
        reporter.up();
        reporter.up();
        reporter.down(LinkError::NotAMailbox);
        assert_eq!(news.try_recv().unwrap(), News { link: 3, what: What::Up });
        assert!(news.try_recv().is_err(), "there was no room");
        reporter.tick();
        assert_eq!(news.try_recv().unwrap().what, What::Down(LinkError::NotAMailbox));
        reporter.tick();
        assert!(news.try_recv().is_err());
    }

    #[test]
    fn a_message_without_room_is_lost_and_does_not_hide_the_state() {
        let (sender, mut news) = mpsc::channel(1);
        let mut reporter = Reporter::new(0, sender);
        reporter.heard(b"one", Duration::ZERO);
        reporter.up();
        reporter.heard(b"two", Duration::ZERO);
        assert!(matches!(news.try_recv().unwrap().what, What::Bytes { bytes, .. } if bytes == b"one"));
        reporter.heard(b"three", Duration::ZERO);
        assert_eq!(news.try_recv().unwrap().what, What::Up);
    }
}

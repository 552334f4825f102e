//! A microcontroller between the two gateways: each is the only controller of its own bus, and the mailbox keeps the last
//! message of each side.
//!
//! Its map of registers, version 1 (packaging/firmware/mailbox): a write of `[0x00][message]` goes to the other side; a read
//! of 40 bytes from 0x20 on gives the last message of the other side, with a count and an age. It answers also when the other
//! gateway is long dead: only a message that was not there before is news.

use super::polled::{self, Message, Polled};
use super::{Link, LinkError, Reporter};
use crate::standby::beat::Frame;
use sensors::i2c::{Bus, Operation};
use std::time::Duration;
use tokio::sync::watch;
use tracing::warn;

const OUTBOX: u8 = 0x00;
const INBOX: u8 = 0x20;
const HEAD_BYTES: usize = 8;
const MESSAGE_BYTES: usize = 32;
const READ_BYTES: usize = HEAD_BYTES + MESSAGE_BYTES;
const MAGIC: u8 = 0x46;
const VERSION: u8 = 1;

/// A mailbox on a bus.
pub struct MailboxLink {
    /// What it is called, `i2c-mailbox /dev/i2c-1 0x08`.
    pub name: String,
    /// The bus.
    pub bus: Box<dyn Bus + Send>,
    /// Its address.
    pub address: u16,
}

impl Link for MailboxLink {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn run(self, outgoing: watch::Receiver<Frame>, news: Reporter) {
        polled::run(Mailbox { link: self, known: None }, outgoing, news).await;
    }
}

struct Mailbox {
    link: MailboxLink,
    known: Option<Known>,
}

/// What tells one message from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// The start of the mailbox.
    start: u8,
    /// Messages from the other side since then, modulo 256.
    count: u8,
}

impl Polled for Mailbox {
    fn look(&mut self) -> Result<Option<Message>, LinkError> {
        let MailboxLink { bus, address, .. } = &mut self.link;
        let mut bytes = [0; READ_BYTES];
        bus.open()?;
        bus.transfer(*address, &mut [Operation::Write(&[INBOX]), Operation::Read(&mut bytes)])?;
        let (known, message) = read(&bytes)?;
        let before = self.known.replace(known);
        if before.is_some_and(|before| before.start != known.start) {
            warn!(link = self.link.name, "the mailbox was started anew; does its power fail?");
        }
        Ok(message.filter(|_| before != Some(known)))
    }

    fn send(&mut self, frame: &Frame) -> Result<(), LinkError> {
        let bytes: Vec<u8> = [OUTBOX].iter().chain(frame).copied().collect();
        self.link.bus.transfer(self.link.address, &mut [Operation::Write(&bytes)])?;
        Ok(())
    }
}

/// What the 40 bytes say.
fn read(bytes: &[u8; READ_BYTES]) -> Result<(Known, Option<Message>), LinkError> {
    let [magic, version, length, count, age_low, age_high, start, _flags, inbox @ ..] = bytes;
    let length = usize::from(*length);
    match (*magic, *version) {
        (MAGIC, VERSION) if length <= MESSAGE_BYTES => {}
        (MAGIC, version) if version != VERSION => return Err(LinkError::MailboxVersion(version)),
        _ => return Err(LinkError::NotAMailbox),
    }
    // The largest age also means that it is not known; nobody waits that long for a beat.
    let age = Duration::from_millis(10) * u32::from(u16::from_le_bytes([*age_low, *age_high]));
    let message = inbox.get(..length).filter(|bytes| !bytes.is_empty());
    Ok((Known { start: *start, count: *count }, message.map(|bytes| Message { bytes: bytes.to_vec(), age })))
}

#[cfg(test)]
mod tests {
    use super::super::polled::tests::Running;
    use super::*;
    use crate::standby::link::What;
    use sensors::i2c::{BusError, Chip, SimBus};
    use std::sync::{Arc, Mutex};

    /// The registers, and what was written.
    #[derive(Clone, Default)]
    struct Scripted {
        registers: Arc<Mutex<Vec<u8>>>,
        written: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    impl Chip for Scripted {
        fn write(&mut self, bytes: &[u8]) {
            if bytes != [INBOX] {
                self.written.lock().unwrap().push(bytes.to_vec());
            }
        }

        fn read(&mut self, room: &mut [u8]) {
            room.fill(0xff);
            room.iter_mut().zip(self.registers.lock().unwrap().iter()).for_each(|(place, byte)| *place = *byte);
        }
    }

    fn registers(count: u8, age: u16, start: u8, message: &[u8]) -> Vec<u8> {
        let [low, high] = age.to_le_bytes();
        let length = u8::try_from(message.len()).unwrap();
        let mut bytes = vec![MAGIC, VERSION, length, count, low, high, start, 0];
        bytes.extend_from_slice(message);
        bytes.resize(READ_BYTES, 0);
        bytes
    }

    fn mailbox(chip: &Scripted) -> (Mailbox, SimBus) {
        let bus = SimBus::default();
        bus.plug(8, Box::new(chip.clone()));
        let link = MailboxLink { name: "i2c-mailbox".to_owned(), bus: Box::new(bus.clone()), address: 8 };
        (Mailbox { link, known: None }, bus)
    }

    #[test]
    fn a_message_is_news_once_however_often_it_is_read() {
        let chip = Scripted::default();
        let (mut mailbox, _) = mailbox(&chip);
        let mut look = |bytes: Vec<u8>| {
            *chip.registers.lock().unwrap() = bytes;
            mailbox.look().unwrap().map(|message| (message.bytes, message.age.as_millis()))
        };
        assert_eq!(look(registers(0, 0xffff, 1, b"")), None, "nothing yet");
        assert_eq!(look(registers(1, 3, 1, b"one")), Some((b"one".to_vec(), 30)));
        for age in 4..150 {
            assert_eq!(look(registers(1, age, 1, b"one")), None, "it answers for the dead");
        }
        assert_eq!(look(registers(2, 0, 1, b"one")), Some((b"one".to_vec(), 0)), "the same bytes, and new");
        assert_eq!(look(registers(0, 0xffff, 2, b"")), None, "it was started anew");
        assert_eq!(look(registers(2, 1, 2, b"two")), Some((b"two".to_vec(), 10)));
        assert_eq!(look(registers(2, 1, 3, b"two")), Some((b"two".to_vec(), 10)));
    }

    #[test]
    fn what_is_no_mailbox_is_refused_with_words() {
        let look = |bytes: Vec<u8>| {
            let chip = Scripted::default();
            *chip.registers.lock().unwrap() = bytes;
            mailbox(&chip).0.look().unwrap_err()
        };
        assert_eq!(look(vec![0xff; READ_BYTES]), LinkError::NotAMailbox);
        assert_eq!(look(vec![0; READ_BYTES]), LinkError::NotAMailbox);
        let mut later = registers(1, 0, 1, b"one");
        later[1] = 2;
        assert_eq!(look(later), LinkError::MailboxVersion(2));
        let mut long = registers(1, 0, 1, b"one");
        long[2] = 33;
        assert_eq!(look(long), LinkError::NotAMailbox);
    }

    #[tokio::test]
    async fn beats_go_in_and_messages_come_out_also_after_the_bus_was_away() {
        let chip = Scripted::default();
        *chip.registers.lock().unwrap() = registers(9, 0xffff, 1, b"old");
        let (Mailbox { link, .. }, bus) = mailbox(&chip);
        let mut running = Running::start(link);
        let old = running.message().await;
        assert_eq!((&old.bytes[..], old.age.as_secs()), (&b"old"[..], 655));
        running.outgoing.send_replace([5; 32]);
        bus.set_away(true);
        assert!(matches!(running.next().await, What::Down(LinkError::Bus(BusError::Away(_)))));
        *chip.registers.lock().unwrap() = registers(10, 7, 1, b"new");
        bus.set_away(false);
        assert_eq!(running.next().await, What::Up);
        let new = running.message().await;
        assert!(new.bytes == b"new" && new.age >= Duration::from_millis(70), "{new:?}");
        bus.set_stuck(true);
        assert_eq!(running.next().await, What::Down(LinkError::Hangs));
        bus.set_stuck(false);
        assert_eq!(running.next().await, What::Up);
        bus.unplug(8);
        assert_eq!(running.next().await, What::Down(LinkError::Bus(BusError::NoAnswer)));
        let written = chip.written.lock().unwrap().clone();
        assert_eq!(written, [[&[OUTBOX][..], &[5; 32]].concat()]);
    }
}

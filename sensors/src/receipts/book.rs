//! The receipts that the broker has not been proven to know of. Pure: events in, findings out.

use super::Receipt;
use std::collections::{BTreeMap, HashMap};

/// What a message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Not seen before: queue it, with this receipt.
    New(Receipt),
    /// The broker sent again what is in the queue or on its way into it.
    Again,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    packet: u16,
    hash: u64,
    /// Our PUBACK went out on this connection, or the entry is of an earlier one.
    settled: bool,
    /// A PINGREQ went out after it was settled.
    ping_sent: bool,
}

/// All receipts of one session that are not proven.
#[derive(Debug)]
pub struct ReceiptBook {
    session: u64,
    next_number: u64,
    entries: BTreeMap<u64, Entry>,
    by_packet: HashMap<u16, u64>,
    again_since_ping: bool,
}

impl ReceiptBook {
    /// A book for `session` that begins with the unproven receipts found in the queue.
    pub fn new(session: u64, unproven: &[Receipt]) -> Self {
        let mut book = Self {
            session,
            next_number: 1,
            entries: BTreeMap::new(),
            by_packet: HashMap::new(),
            again_since_ping: false,
        };
        for receipt in unproven.iter().rev() {
            book.next_number = receipt.number;
            book.insert(receipt.packet, receipt.hash);
        }
        book.connection_lost();
        book
    }

    /// Whether anything of this session is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A QoS 1 message came in.
    pub fn heard(&mut self, packet: u16, hash: u64, dup: bool) -> Finding {
        let known = self.by_packet.get(&packet).and_then(|number| self.entries.get_mut(number));
        match known {
            Some(entry) if dup && entry.hash == hash => {
                // Our next PUBACK for it needs a proof of its own.
                (entry.settled, entry.ping_sent, self.again_since_ping) = (false, false, true);
                Finding::Again
            }
            _ => Finding::New(self.insert(packet, hash)),
        }
    }

    /// Our PUBACK for `packet` was written to the connection.
    pub fn acknowledged(&mut self, packet: u16) {
        if let Some(entry) = self.by_packet.get(&packet).and_then(|number| self.entries.get_mut(number)) {
            entry.settled = true;
        }
    }

    /// A PINGREQ was written to the connection.
    pub fn ping_sent(&mut self) {
        self.again_since_ping = false;
        for entry in self.entries.values_mut() {
            entry.ping_sent = entry.settled;
        }
    }

    /// The PINGRESP came: the broker has read everything we wrote before the PINGREQ. While it still sends messages
    /// again, entries of earlier connections may yet be needed, so nothing is forgotten then.
    pub fn ping_answered(&mut self) {
        if self.again_since_ping {
            return;
        }
        let by_packet = &mut self.by_packet;
        self.entries.retain(|number, entry| {
            if entry.ping_sent && by_packet.get(&entry.packet) == Some(number) {
                by_packet.remove(&entry.packet);
            }
            !entry.ping_sent
        });
    }

    /// The connection broke: no PUBACK on it is known to have arrived, and a PINGRESP can no longer come.
    /// The entries wait for the next connection, where the broker sends again what it lacks before the next ping.
    pub fn connection_lost(&mut self) {
        for entry in self.entries.values_mut() {
            (entry.settled, entry.ping_sent) = (true, false);
        }
    }

    /// The broker began a new session: it sends nothing of the old one again.
    pub fn session_lost(&mut self) {
        self.entries.clear();
        self.by_packet.clear();
    }

    fn insert(&mut self, packet: u16, hash: u64) -> Receipt {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        // A packet id in use again proves that the broker is done with the older message.
        if let Some(replaced) = self.by_packet.insert(packet, number) {
            self.entries.remove(&replaced);
        }
        self.entries.insert(number, Entry { packet, hash, settled: false, ping_sent: false });
        let unproven_from = self.entries.keys().next().copied().unwrap_or(number);
        Receipt { session: self.session, number, unproven_from, packet, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(finding: Finding) -> Receipt {
        match finding {
            Finding::New(receipt) => receipt,
            Finding::Again => panic!("taken for a message that was sent again"),
        }
    }

    #[test]
    fn a_dup_is_recognised_before_and_after_a_restart() {
        let mut book = ReceiptBook::new(1, &[]);
        let receipt = new(book.heard(5, 77, false));
        book.connection_lost();
        assert_eq!(book.heard(5, 77, true), Finding::Again);
        let mut restarted = ReceiptBook::new(1, &[receipt]);
        assert_eq!(restarted.heard(5, 77, true), Finding::Again);
        assert_eq!(new(restarted.heard(6, 77, false)).number, 2, "numbers go on across restarts");
    }

    #[test]
    fn equal_messages_without_dup_and_other_payloads_are_new() {
        let mut book = ReceiptBook::new(1, &[]);
        new(book.heard(5, 77, false));
        new(book.heard(5, 77, false));
        new(book.heard(6, 77, true));
        new(book.heard(6, 78, true));
    }

    #[test]
    fn a_ping_that_came_back_proves_what_was_acknowledged_before_it() {
        let mut book = ReceiptBook::new(1, &[]);
        new(book.heard(1, 10, false));
        new(book.heard(2, 20, false));
        book.acknowledged(1);
        book.ping_sent();
        book.acknowledged(2);
        book.ping_answered();
        assert_eq!(new(book.heard(3, 30, false)).unproven_from, 2, "message 2 was acknowledged after the ping");
        book.connection_lost();
        assert_eq!(book.heard(2, 20, true), Finding::Again);
        new(book.heard(1, 10, true));
    }

    #[test]
    fn an_unanswered_ping_proves_nothing() {
        let mut book = ReceiptBook::new(1, &[]);
        new(book.heard(1, 10, false));
        book.acknowledged(1);
        book.ping_sent();
        book.connection_lost();
        book.ping_answered();
        assert_eq!(book.heard(1, 10, true), Finding::Again);
    }

    #[test]
    fn while_the_broker_sends_again_nothing_is_forgotten() {
        let mut book = ReceiptBook::new(1, &[]);
        for packet in 1..=3 {
            new(book.heard(packet, u64::from(packet), false));
        }
        book.connection_lost();
        book.ping_sent();
        assert_eq!(book.heard(1, 1, true), Finding::Again);
        book.ping_answered();
        assert_eq!(book.heard(2, 2, true), Finding::Again);
        book.ping_sent();
        book.ping_answered();
        assert_eq!(book.heard(2, 2, true), Finding::Again, "sent again but not yet acknowledged again");
        new(book.heard(3, 3, true));
    }

    #[test]
    fn a_new_session_sends_nothing_again() {
        let mut book = ReceiptBook::new(1, &[]);
        new(book.heard(1, 10, false));
        book.session_lost();
        assert!(book.is_empty());
        new(book.heard(1, 10, true));
    }
}

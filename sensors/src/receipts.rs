//! QoS 1 without doubles: telling a message that the broker sends *again* from a new one.
//!
//! A broker that did not get our PUBACK sends the message again on the next connection, with the DUP flag and the
//! same packet id (MQTT 5.0, 4.4). Whether we have it already is not in the message, so each message leaves a
//! [`Receipt`] in the queue, beside its readings and durable together with them. A DUP whose packet id and hash match a
//! receipt is acknowledged and not queued again.
//!
//! Packet ids are reused, so a receipt must be forgotten once the broker is known to have our PUBACK: its answer to a
//! PINGREQ that was sent after the PUBACK on the same connection is that proof, since TCP keeps the order. Each
//! receipt says which is the oldest still unproven one; a restarted gateway reads back to that and no further.
//!
//! What remains: a DUP of a message we never saw, whose packet id *and* topic and payload equal those of another one that
//! was acknowledged less than a keep-alive before the connection broke. Packet ids count through 65,535 values, so this takes
//! a broker that restarted its count within that time; a number of the node's own in the payload rules it out.

mod book;

pub use book::{Finding, ReceiptBook};

use crate::reading::WireError;
use crate::reading::wire_bytes;

/// What is kept of one QoS 1 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// XXH3 of the broker's address and our client id: which session it belongs to.
    pub session: u64,
    /// Counts the receipts of a session, also across restarts.
    pub number: u64,
    /// The lowest number that the broker may still send again.
    pub unproven_from: u64,
    /// The packet id.
    pub packet: u16,
    /// XXH3 of topic and payload.
    pub hash: u64,
}

impl Receipt {
    /// The bytes the queue keeps.
    ///
    /// # Errors
    /// Only when the encoder fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        wire_bytes::encode(&(self.session, self.number, self.unproven_from, self.packet, self.hash))
    }

    /// Reads what [`Receipt::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are of a newer version or malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let (session, number, unproven_from, packet, hash) = wire_bytes::decode(bytes)?;
        Ok(Self { session, number, unproven_from, packet, hash })
    }
}

/// The hash by which a message is recognised.
pub fn message_hash(topic: &[u8], payload: &[u8]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(&u64::try_from(topic.len()).unwrap_or(0).to_be_bytes());
    hasher.update(topic);
    hasher.update(payload);
    hasher.digest()
}

/// Which receipts of `session` a restarted gateway must remember, from all receipts of the queue, newest first.
/// Stops reading at the first that is proven.
pub fn unproven(session: u64, newest_first: impl Iterator<Item = Receipt>) -> Vec<Receipt> {
    let (mut floor, mut above) = (None, u64::MAX);
    newest_first
        .filter(|receipt| receipt.session == session)
        .take_while(|receipt| {
            // Numbers that rise again are of an older count, begun anew since.
            let ours = receipt.number >= *floor.get_or_insert(receipt.unproven_from) && receipt.number < above;
            above = receipt.number;
            ours
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_reads_back_to_the_oldest_unproven_receipt_of_its_session() {
        let receipt = |session, number, unproven_from| Receipt { session, number, unproven_from, packet: 1, hash: 0 };
        let newest_first = [receipt(1, 9, 7), receipt(2, 3, 1), receipt(1, 8, 2), receipt(1, 7, 2), receipt(1, 6, 2)];
        let numbers: Vec<u64> = unproven(1, newest_first.into_iter()).iter().map(|r| r.number).collect();
        assert_eq!(numbers, [9, 8, 7]);
        assert_eq!(unproven(3, newest_first.into_iter()), []);
        let begun_anew = [receipt(1, 2, 1), receipt(1, 1, 1), receipt(1, 500, 490)];
        assert_eq!(unproven(1, begun_anew.into_iter()).len(), 2);
    }

    #[test]
    fn receipts_come_back_and_the_hash_knows_topic_from_payload() {
        let receipt = Receipt { session: u64::MAX, number: 1, unproven_from: 0, packet: 65535, hash: 5 };
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes().unwrap()).unwrap(), receipt);
        assert_ne!(message_hash(b"ab", b"c"), message_hash(b"a", b"bc"));
    }
}

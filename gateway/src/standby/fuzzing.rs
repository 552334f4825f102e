//! What the fuzz target for the links calls.

use super::beat::{FRAME_BYTES, HELLO, Heard, Identity, hear};
use super::link::stream::Reassembly;

/// Some gateway; whose beats they are does not matter.
const ME: Identity = Identity { site: 0, gateway: 0, start: 0 };

/// Takes bytes from a serial line. Says whether there was a message among them. Messages are whole, what is held is less than a
/// beat, and a beat comes back when it is said again.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn line(bytes: &[u8]) -> bool {
    let mut stream = Reassembly::default();
    let pieces = bytes.chunks(1 + bytes.len() % 50);
    let messages: Vec<Vec<u8>> = pieces.flat_map(|piece| stream.push(piece)).collect();
    messages.iter().for_each(|message| check(message));
    let told: usize = messages.iter().map(Vec::len).sum();
    let garbage = usize::try_from(stream.garbage()).unwrap_or(usize::MAX);
    assert!(told.saturating_add(garbage) <= bytes.len(), "{told} bytes of messages, {garbage} of none");
    !messages.is_empty()
}

fn check(message: &[u8]) {
    assert!(message == HELLO || message.len() == FRAME_BYTES, "{message:?}");
    match hear(message, ME) {
        Heard::Beat(beat) => assert_eq!(beat.encode(), message),
        Heard::Garbage => assert_eq!(message.first(), Some(&0xf1), "a beat with a role that there is not"),
        Heard::Hello | Heard::Echo | Heard::SameId | Heard::OtherSite | Heard::OtherVersion(_) => {}
    }
}

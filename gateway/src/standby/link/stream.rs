//! Finds the messages in the bytes of a serial line, which may begin anywhere and have noise between them. Pure.

use crate::standby::beat::{FRAME_BYTES, HELLO, is_first_byte, is_frame};

/// What has come and is no whole message yet: always shorter than a beat.
#[derive(Debug, Default)]
pub struct Reassembly {
    rest: Vec<u8>,
    garbage: u64,
}

/// What stands at a place of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A message of so many bytes.
    Message(usize),
    /// What is allowed between messages.
    Between,
    /// So many bytes of nothing known.
    Garbage(usize),
    /// It may become a message.
    Unfinished,
}

impl Reassembly {
    /// Takes what came, and gives the messages that are whole now: beats of any version, and `hello!`.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(bytes);
        let (mut messages, mut at) = (Vec::new(), 0);
        while let Some(rest) = self.rest.get(at..).filter(|rest| !rest.is_empty()) {
            at += match place(rest) {
                Place::Message(length) => {
                    messages.extend(rest.get(..length).map(<[u8]>::to_vec));
                    length
                }
                Place::Between => 1,
                Place::Garbage(length) => {
                    self.garbage = self.garbage.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
                    length
                }
                Place::Unfinished => break,
            };
        }
        self.rest.drain(..at);
        messages
    }

    /// Bytes so far that were part of no message.
    pub fn garbage(&self) -> u64 {
        self.garbage
    }
}

fn place(rest: &[u8]) -> Place {
    let first = rest.first().copied().unwrap_or_default();
    let begins_hello = rest.starts_with(HELLO) || HELLO.starts_with(rest);
    match rest.first_chunk::<FRAME_BYTES>() {
        _ if rest.starts_with(HELLO) => Place::Message(HELLO.len()),
        _ if begins_hello => Place::Unfinished,
        Some(frame) if is_frame(frame) => Place::Message(FRAME_BYTES),
        None if is_first_byte(first) => unfinished(rest),
        _ if matches!(first, b'\r' | b'\n' | 0) => Place::Between,
        _ => Place::Garbage(1),
    }
}

/// No beat has this word in it, but for a chance of 1 in 2^43: what stands before it was never going to be one.
fn unfinished(rest: &[u8]) -> Place {
    match rest.windows(HELLO.len()).position(|window| window == HELLO) {
        Some(length) => Place::Garbage(length),
        None => Place::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standby::beat::{Beat, Identity};
    use crate::standby::role::Role;
    use proptest::prelude::*;

    fn frame(counter: u32) -> Vec<u8> {
        let who = Identity { site: 1, gateway: 2, start: 3 };
        let (role, priority, wants_turn, unwell) = (Role::Active, 1, false, false);
        let (durable_through_ms, drained_through_ms) = (1_790_000_000_000, 1_789_999_999_000);
        let beat =
            Beat { who, role, priority, wants_turn, unwell, term: 5, counter, durable_through_ms, drained_through_ms };
        beat.encode().to_vec()
    }

    fn found(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, u64) {
        let mut stream = Reassembly::default();
        let messages = chunks.iter().flat_map(|chunk| stream.push(chunk)).collect();
        (messages, stream.garbage())
    }

    #[test]
    fn beats_and_words_are_found_wherever_the_bytes_are_cut() {
        let bytes = [&frame(1)[..], b"hello!\r\n", &frame(2), &frame(3), b"\0\0hello!"].concat();
        let expected = vec![frame(1), HELLO.to_vec(), frame(2), frame(3), HELLO.to_vec()];
        for size in 1..bytes.len() {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            assert_eq!(found(&chunks), (expected.clone(), 0), "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_torn_costs_only_itself() {
        let (one, two) = (frame(1), frame(2));
        let mut noisy = one.clone();
        noisy[12] ^= 4;
        for torn in [&one[7..], &one[..20], &noisy] {
            let (messages, garbage) = found(&[torn, &two]);
            assert_eq!(messages, [&two[..]]);
            // Zeros may stand between messages, and are not counted.
            let zeros = torn.iter().filter(|byte| **byte == 0).count();
            assert_eq!(usize::try_from(garbage).unwrap(), torn.len() - zeros);
        }
    }

    #[test]
    fn a_word_is_not_held_up_by_noise_that_looks_like_a_beat() {
        assert_eq!(found(&[b"\xf1\x03", b"hello!"]), (vec![HELLO.to_vec()], 2));
        assert_eq!(found(&[b"hellhello!"]), (vec![HELLO.to_vec()], 4));
    }

    proptest! {
        #[test]
        fn noise_is_bounded_and_the_next_beat_but_one_is_heard(
            noise in proptest::collection::vec(any::<u8>(), 0..300),
            cut in 1..40_usize,
        ) {
            let bytes = [&noise[..], &frame(1), &frame(2)].concat();
            let mut stream = Reassembly::default();
            let mut messages = Vec::new();
            for chunk in bytes.chunks(cut) {
                messages.extend(stream.push(chunk));
                prop_assert!(stream.rest.len() < FRAME_BYTES);
            }
            prop_assert!(messages.contains(&frame(2)));
            let known: usize = messages.iter().map(Vec::len).sum();
            let counted = usize::try_from(stream.garbage()).unwrap() + known + stream.rest.len();
            prop_assert!(counted <= bytes.len());
        }

        #[test]
        fn cutting_elsewhere_changes_nothing(
            bytes in proptest::collection::vec(prop_oneof![Just(0xf1_u8), Just(b'h'), any::<u8>()], 0..200),
            cut in 1..50_usize,
        ) {
            let chunks: Vec<&[u8]> = bytes.chunks(cut).collect();
            prop_assert_eq!(found(&chunks), found(&[&bytes]));
        }
    }
}

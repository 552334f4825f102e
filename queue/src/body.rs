//! How the body of a frame is stored: as it is, or compressed with LZ4 where that is smaller. `docs/write-less.md` has
//! what was measured.
//!
//! The block has no length of its own in front, so there is none that could lie: a body becomes as long as its caller
//! allows, or is refused.

use std::borrow::Cow;

/// How a body is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain = 0,
    Lz4 = 1,
}

impl Coding {
    pub(crate) fn from_byte(byte: u8) -> Option<Coding> {
        [Coding::Plain, Coding::Lz4].into_iter().find(|coding| *coding as u8 == byte)
    }
}

/// The bytes to store; never more than the body has.
pub(crate) fn shorten(body: Vec<u8>) -> (Coding, Vec<u8>) {
    let compressed = lz4_flex::block::compress(&body);
    if compressed.len() < body.len() { (Coding::Lz4, compressed) } else { (Coding::Plain, body) }
}

/// The body again, of at most so many bytes; none when it is longer or no such block. Takes no more memory than that.
pub(crate) fn restore(coding: Coding, stored: &[u8], most_bytes: usize) -> Option<Cow<'_, [u8]>> {
    match coding {
        Coding::Plain => (stored.len() <= most_bytes).then_some(Cow::Borrowed(stored)),
        Coding::Lz4 => {
            let mut body = vec![0; most_bytes];
            let length = lz4_flex::block::decompress_into(stored, &mut body).ok()?;
            body.truncate(length);
            Some(Cow::Owned(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_repeats_is_compressed_and_what_does_not_is_left_alone() {
        let (coding, stored) = shorten(b"21.5 degrees ".repeat(40));
        assert_eq!(coding, Coding::Lz4);
        assert!(stored.len() < 40, "{}", stored.len());
        assert_eq!(shorten(b"21.5 degrees".to_vec()), (Coding::Plain, b"21.5 degrees".to_vec()));
        assert_eq!(shorten(Vec::new()), (Coding::Plain, Vec::new()));
    }

    #[test]
    fn a_body_that_would_be_too_long_is_refused() {
        let (coding, stored) = shorten(vec![7; 1_000_000]);
        assert!(stored.len() < 5_000);
        assert_eq!(restore(coding, &stored, 999_999), None);
        assert_eq!(restore(coding, &stored, 1_000_000).unwrap().len(), 1_000_000);
        assert_eq!(restore(Coding::Plain, &[7; 11], 10), None);
    }

    #[test]
    fn a_block_that_was_written_long_ago_is_still_read() {
        // 4 literal bytes, then 12 from 4 bytes before, then 5 literal bytes.
        let stored = *b"\x48abcd\x04\x00\x50abcde";
        assert_eq!(restore(Coding::Lz4, &stored, 100).unwrap(), b"abcdabcdabcdabcdabcde".as_slice());
    }

    #[test]
    fn every_truncated_block_is_refused_or_shorter() {
        let body = b"shed temperature 21.5 shed humidity 47 ".repeat(9);
        let (_, stored) = shorten(body.clone());
        for length in 0..stored.len() {
            assert_ne!(restore(Coding::Lz4, &stored[..length], 7168).as_deref(), Some(body.as_slice()), "{length}");
        }
    }

    /// Bytes with as many repetitions as readings have.
    fn any_body() -> impl Strategy<Value = Vec<u8>> {
        let pieces = proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), 1..30_usize), 0..12);
        pieces.prop_map(|pieces| pieces.into_iter().flat_map(|(bytes, times)| bytes.repeat(times)).collect())
    }

    proptest! {
        #[test]
        fn every_body_comes_back_and_is_never_longer(body in any_body()) {
            let (coding, stored) = shorten(body.clone());
            prop_assert!(stored.len() <= body.len());
            let restored = restore(coding, &stored, body.len());
            prop_assert_eq!(restored.as_deref(), Some(body.as_slice()));
        }

        #[test]
        fn any_bytes_give_a_bounded_body_or_none(
            stored in proptest::collection::vec(any::<u8>(), 0..300), most_bytes in 0..2000_usize,
        ) {
            let body = restore(Coding::Lz4, &stored, most_bytes);
            prop_assert!(body.is_none_or(|body| body.len() <= most_bytes));
        }

        #[test]
        fn a_changed_block_gives_a_bounded_body_or_none(body in any_body(), at: usize, byte: u8) {
            let mut stored = lz4_flex::block::compress(&body);
            let at = at % stored.len();
            stored[at] = byte;
            let changed = restore(Coding::Lz4, &stored, 7168);
            prop_assert!(changed.is_none_or(|body| body.len() <= 7168));
        }
    }
}

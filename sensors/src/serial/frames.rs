//! Bytes in, lines out. Pure: however a stream is split, the same lines come out.

use crate::reading::MAX_DEAD_LETTER_BYTES;

/// What stands between two ends of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A line without its end; never empty.
    Line(Vec<u8>),
    /// A line over the limit. What follows of it, up to its end, is left out.
    TooLong {
        /// Bytes until it was given up: one more than the limit.
        length: usize,
        /// The first of them, at most [`MAX_DEAD_LETTER_BYTES`].
        head: Vec<u8>,
    },
}

/// Finds the lines in what a port gives; they end with `\n` or `\r\n`. Holds one line at most.
#[derive(Debug)]
pub struct LineFramer {
    most_bytes: usize,
    held: Vec<u8>,
    skipping: bool,
}

impl LineFramer {
    /// For lines of at most `most_bytes`, without their ends.
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, held: Vec::new(), skipping: false }
    }

    /// The same where the first bytes may stand in the middle of a line: what comes before the first end is left out.
    pub fn within_a_line(most_bytes: usize) -> Self {
        Self { skipping: true, ..Self::new(most_bytes) }
    }

    /// The frames that end, or break the limit, within `bytes`.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        bytes.iter().filter_map(|byte| self.take(*byte)).collect()
    }

    fn take(&mut self, byte: u8) -> Option<Frame> {
        if byte == b'\n' {
            return self.end();
        }
        if self.skipping {
            return None;
        }
        self.held.push(byte);
        // One byte more may be the \r of the line's end.
        let most = if self.held.last() == Some(&b'\r') { self.most_bytes + 1 } else { self.most_bytes };
        (self.held.len() > most).then(|| self.give_up())
    }

    fn end(&mut self) -> Option<Frame> {
        self.skipping = false;
        let mut line = std::mem::take(&mut self.held);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        (!line.is_empty()).then_some(Frame::Line(line))
    }

    fn give_up(&mut self) -> Frame {
        self.skipping = true;
        let mut head = std::mem::take(&mut self.held);
        let length = head.len();
        head.truncate(MAX_DEAD_LETTER_BYTES);
        Frame::TooLong { length, head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a node sent it: text and garbage, both line ends, empty lines, lines at and over the limit of 16, no last end.
    const RECORDED: &[u8] = b"{\"t\":21}\r\n\n\r\n\x00\xff\xfe\n0123456789abcdef\n0123456789ABCDEF\r\n0123456789abcdefg\nok\n\r\r\n0123456789abcdef\rx\n1234567890123456789\r\n7.5\nunfinished";

    fn framed<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<Frame> {
        let mut framer = LineFramer::new(16);
        chunks.into_iter().flat_map(|chunk| framer.push(chunk)).collect()
    }

    fn line(text: &[u8]) -> Frame {
        Frame::Line(text.to_vec())
    }

    fn too_long(length: usize, head: &[u8]) -> Frame {
        Frame::TooLong { length, head: head.to_vec() }
    }

    #[test]
    fn a_recorded_stream_gives_its_lines_and_goes_on_after_one_that_is_too_long() {
        let expected = [
            line(b"{\"t\":21}"),
            line(b"\x00\xff\xfe"),
            line(b"0123456789abcdef"),
            line(b"0123456789ABCDEF"),
            too_long(17, b"0123456789abcdefg"),
            line(b"ok"),
            line(b"\r"),
            too_long(18, b"0123456789abcdef\rx"),
            too_long(17, b"12345678901234567"),
            line(b"7.5"),
        ];
        assert_eq!(framed([RECORDED]), expected);
    }

    #[test]
    fn the_rest_of_a_line_is_left_out() {
        let mut framer = LineFramer::within_a_line(16);
        assert_eq!(framer.push(b"longer than sixteen bytes, 1.5"), []);
        assert_eq!(framer.push(b"\r\n21.5\r\n"), [line(b"21.5")]);
    }

    #[test]
    fn every_split_in_two_gives_the_same_frames() {
        for at in 0..=RECORDED.len() {
            let (before, after) = RECORDED.split_at(at);
            assert_eq!(framed([before, after]), framed([RECORDED]), "split at {at}");
        }
        assert_eq!(framed(RECORDED.chunks(1)), framed([RECORDED]));
    }

    #[test]
    fn a_line_without_end_is_told_once_and_stays_bounded() {
        let mut framer = LineFramer::new(64 * 1024);
        let mut frames = Vec::new();
        for _ in 0..1000 {
            frames.extend(framer.push(&[b'x'; 1000]));
            assert!(framer.held.capacity() <= 128 * 1024, "{} bytes are held", framer.held.capacity());
        }
        assert_eq!(frames, [too_long(64 * 1024 + 1, &[b'x'; MAX_DEAD_LETTER_BYTES])]);
        assert_eq!(framer.push(b"x\n7\n"), [line(b"7")]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_split_of_any_stream_gives_the_same_frames(
            letters in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            sizes in proptest::collection::vec(0_usize..40, 1..30),
        ) {
            let mut framer = LineFramer::new(16);
            let mut rest = letters.as_slice();
            let mut frames = Vec::new();
            for size in sizes.iter().cycle().take(1 + letters.len()) {
                let (chunk, after) = rest.split_at(rest.len().min(*size));
                frames.extend(framer.push(chunk));
                rest = after;
            }
            frames.extend(framer.push(rest));
            prop_assert_eq!(frames, framed([letters.as_slice()]));
        }
    }
}

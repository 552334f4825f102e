//! The name of one run of one gateway.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One stream: 64 random bits, never 0, minted at every start of the gateway.
///
/// No other process ever continues a stream, so a sequence number in it can never mean two readings, whatever the
/// disk forgot. Shown, and written in JSON, as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(NonZeroU64);

/// A text that does not name a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a stream: write the 16 hexadecimal digits that status shows, not all zero")]
pub struct NotAStream {
    /// The text as it was given.
    pub text: String,
}

impl StreamId {
    /// A new stream from the operating system's random numbers.
    #[must_use]
    pub fn random() -> StreamId {
        StreamId(rand::random())
    }

    /// The stream with these bits; `None` for 0, which names no stream.
    #[must_use]
    pub fn from_u64(bits: u64) -> Option<StreamId> {
        NonZeroU64::new(bits).map(StreamId)
    }

    /// The 64 bits, as the database stores them.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for StreamId {
    type Err = NotAStream;

    fn from_str(text: &str) -> Result<StreamId, NotAStream> {
        let digits_only = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits_only
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
            .and_then(StreamId::from_u64)
            .ok_or_else(|| NotAStream { text: text.to_owned() })
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StreamId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_and_reads_16_hex_digits() {
        let stream = StreamId::from_u64(0xab).unwrap();
        assert_eq!(stream.to_string(), "00000000000000ab");
        assert_eq!("00000000000000AB".parse(), Ok(stream));
        assert_eq!(serde_json::to_string(&stream).unwrap(), "\"00000000000000ab\"");
        assert_eq!(serde_json::from_str::<StreamId>("\"00000000000000ab\"").unwrap(), stream);
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "ab", "0000000000000000", "+0000000000000ab", "00000000000000zz", "00000000000000ab0"] {
            assert!(text.parse::<StreamId>().is_err(), "{text:?}");
        }
        assert_eq!(StreamId::from_u64(0), None);
    }
}

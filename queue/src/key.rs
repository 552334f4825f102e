//! Where a frame stands: the key in the store.

use std::fmt;

/// The place of a frame: stream by stream in their order, and by number within a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) order: u64,
    pub(crate) first: u64,
}

impl Key {
    /// Below every frame.
    pub(crate) const MIN: Key = Key { order: 0, first: 0 };
    /// Above every frame.
    pub(crate) const MAX: Key = Key { order: u64::MAX, first: u64::MAX };

    /// The lowest place of a stream.
    pub(crate) fn start_of(order: u64) -> Key {
        Key { order, first: 0 }
    }

    /// The next higher place.
    pub(crate) fn after(self) -> Key {
        match self.first.checked_add(1) {
            Some(first) => Key { order: self.order, first },
            None => Key::start_of(self.order.saturating_add(1)),
        }
    }

    /// The key as one number, which sorts in the same way.
    pub(crate) fn to_number(self) -> u128 {
        (u128::from(self.order) << 64) | u128::from(self.first)
    }

    pub(crate) fn from_number(number: u128) -> Key {
        let low = number & u128::from(u64::MAX);
        let half = |bits: u128| u64::try_from(bits).unwrap_or(u64::MAX);
        Key { order: half(number >> 64), first: half(low) }
    }

    /// Big-endian, so that bytes sort like keys.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.to_number().to_be_bytes()
    }

    /// `None` when the bytes are no key of ours.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Key> {
        bytes.try_into().ok().map(|bytes| Key::from_number(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {} of stream number {}", self.first, self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_like_keys_and_come_back() {
        let keys = [Key::MIN, Key { order: 1, first: 255 }, Key { order: 1, first: 256 }, Key::start_of(2), Key::MAX];
        for pair in keys.windows(2) {
            assert!(pair[0].to_bytes() < pair[1].to_bytes());
        }
        for key in keys {
            assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key));
        }
        assert_eq!(Key::from_bytes(&[0; 15]), None);
        assert_eq!(Key::from_bytes(&[0; 17]), None);
    }

    #[test]
    fn after_goes_on_with_the_next_stream() {
        assert_eq!(Key { order: 1, first: 1 }.after(), Key { order: 1, first: 2 });
        assert_eq!(Key { order: 1, first: u64::MAX }.after(), Key::start_of(2));
    }
}

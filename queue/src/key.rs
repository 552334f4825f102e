//! Where a frame stands in a store that is being written.

/// The place of a frame in its store: by stream, and by number within a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) order: u64,
    pub(crate) first: u64,
}

impl Key {
    /// Big-endian, so that bytes sort like keys.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.order) << 64) | u128::from(self.first)).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_like_keys() {
        let keys =
            [(0, 0), (1, 255), (1, 256), (2, 0), (u64::MAX, u64::MAX)].map(|(order, first)| Key { order, first });
        for pair in keys.windows(2) {
            assert!(pair[0].to_bytes() < pair[1].to_bytes());
        }
    }
}

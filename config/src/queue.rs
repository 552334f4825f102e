//! `[queue]`: how much is kept on this machine, and how eagerly it is written.

use std::time::Duration;

use crate::section::Section;
use crate::values::{choice, duration, size_bytes};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_KEEP: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const LEAST_MAX_BYTES: u64 = 16 << 20;
const MOST_MAX_BYTES: u64 = 1 << 40;
const LEAST_RESERVE_BYTES: u64 = 1 << 20;
const MOST_RESERVE_BYTES: u64 = 1 << 40;

/// The readings on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// How long readings are kept after delivery; 0 to 365 days. Default: 1 day.
    pub keep: Duration,
    /// Bytes of readings at most; 16 MiB to 1 TiB. None: the program decides by the size of the disk.
    pub max_bytes: Option<u64>,
    /// When readings are made durable. Default: card.
    pub commit: Commit,
    /// What happens to readings that find no room. Default: the newest are dropped.
    pub when_full: WhenFull,
    /// Bytes of the disk that stay free; 1 MiB to 1 TiB. None: the program decides by the size of the disk.
    pub reserve_bytes: Option<u64>,
}

/// What happens to readings that find no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// New readings are taken from their sources and dropped; what is in the queue stays.
    DropNewest,
    /// The oldest readings in the queue make room for new ones.
    DropOldest,
    /// Nothing is taken: sources that can wait, such as a broker, hold their readings.
    Pause,
}

/// When readings are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// In groups, which spares the card.
    Card,
    /// As soon as somebody waits.
    Fast,
}

pub(crate) fn read(section: &mut Section<'_, '_>) -> Queue {
    Queue {
        keep: section.or("keep", DAY, duration(Duration::ZERO..=LONGEST_KEEP)),
        max_bytes: section.optional("max", size_bytes(LEAST_MAX_BYTES..=MOST_MAX_BYTES)),
        commit: section.or("commit", Commit::Card, choice(&[("card", Commit::Card), ("fast", Commit::Fast)])),
        when_full: section.or("when_full", WhenFull::DropNewest, choice(WHEN_FULL)),
        reserve_bytes: section.optional("reserve", size_bytes(LEAST_RESERVE_BYTES..=MOST_RESERVE_BYTES)),
    }
}

const WHEN_FULL: &[(&str, WhenFull)] =
    &[("drop-newest", WhenFull::DropNewest), ("drop-oldest", WhenFull::DropOldest), ("pause", WhenFull::Pause)];

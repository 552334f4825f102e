//! When a reading was taken, and how far that can be believed.
//!
//! A Pi has no battery clock, so wall time alone is a guess after a power cut. Every stamp therefore carries the
//! boot it belongs to and that boot's monotonic time (CLOCK_BOOTTIME), which never steps, beside the wall time and
//! what the kernel says of its quality.

mod kernel;

pub use kernel::KernelClock;

use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// How far the wall time of a stamp can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum ClockQuality {
    /// Nobody has set the clock in this boot.
    Unset = 0,
    /// It was synchronised earlier in this boot and runs on by itself.
    Holdover = 1,
    /// The kernel says that it is synchronised now.
    Synced = 2,
}

/// The moment a reading was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The kernel's random id of this boot.
    pub boot: u128,
    /// Microseconds since boot, counting suspended time.
    pub boottime_us: u64,
    /// Microseconds since 1970, UTC, by the wall clock.
    pub wall_us: i64,
    /// What the kernel says of the wall clock.
    pub quality: ClockQuality,
    /// The largest error of the wall clock in microseconds by the kernel's estimate; none when it is not set.
    pub error_us: Option<u32>,
}

/// Where stamps come from; tests bring their own.
pub trait SampleClock: Send + Sync {
    /// The present moment.
    fn stamp(&self) -> Stamp;
}

/// A clock that stands still until told otherwise.
#[derive(Debug)]
pub struct ManualClock(Mutex<Stamp>);

impl ManualClock {
    /// A clock that shows `stamp`.
    pub fn new(stamp: Stamp) -> Self {
        Self(Mutex::new(stamp))
    }

    /// Moves monotonic and wall time on by `us` microseconds.
    pub fn advance_us(&self, us: u32) {
        let mut stamp = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stamp.boottime_us = stamp.boottime_us.saturating_add(u64::from(us));
        stamp.wall_us = stamp.wall_us.saturating_add(i64::from(us));
    }
}

impl SampleClock for ManualClock {
    fn stamp(&self) -> Stamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The quality from the kernel's words: `unsynchronised` is STA_UNSYNC of adjtimex(2).
fn quality(unsynchronised: bool, was_synced_in_this_boot: bool) -> ClockQuality {
    match (unsynchronised, was_synced_in_this_boot) {
        (false, _) => ClockQuality::Synced,
        (true, true) => ClockQuality::Holdover,
        (true, false) => ClockQuality::Unset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_follows_the_kernel() {
        assert_eq!(quality(false, false), ClockQuality::Synced);
        assert_eq!(quality(false, true), ClockQuality::Synced);
        assert_eq!(quality(true, true), ClockQuality::Holdover);
        assert_eq!(quality(true, false), ClockQuality::Unset);
    }

    #[test]
    fn the_kernel_clock_goes_forward_within_one_boot() {
        let clock = KernelClock::open().unwrap();
        let (first, second) = (clock.stamp(), clock.stamp());
        assert_eq!(first.boot, second.boot);
        assert_ne!(first.boot, 0);
        assert!(second.boottime_us >= first.boottime_us);
        assert_eq!(first.error_us.is_some(), first.quality == ClockQuality::Synced);
    }
}

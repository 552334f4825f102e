//! By how much the other gateway's clock is ahead of ours. Pure.
//!
//! A beat says up to when the readings are durable, by the other one's clock. That is about now, and never later; it is long ago where
//! a disk stands still, or a process gets no processor time. So the largest of a while counts, and what stands still says nothing.

use super::beat::Beat;

/// So long the largest counts: longer than disks stand still, and soon enough after a clock was set back.
const COUNTS_FOR_US: u64 = 300_000_000;

/// What the beats have said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockOffset {
    durable_through_ms: u64,
    /// The largest that still counts, as ahead of our clock that never steps, ms; with when it was said.
    largest: Option<(i64, u64)>,
}

impl ClockOffset {
    /// A new beat came at `at_us` by our clock that never steps.
    pub fn take(&mut self, beat: &Beat, at_us: u64) {
        let before_ms = std::mem::replace(&mut self.durable_through_ms, beat.durable_through_ms);
        let Some(ahead_ms) = beat.clock_offset_ms(ms(at_us)).filter(|_| before_ms != beat.durable_through_ms) else {
            return;
        };
        let is_set_back = beat.durable_through_ms < before_ms;
        let counts = |(largest_ms, since_us): (i64, u64)| {
            largest_ms > ahead_ms && at_us.saturating_sub(since_us) < COUNTS_FOR_US && !is_set_back
        };
        if !self.largest.is_some_and(counts) {
            self.largest = Some((ahead_ms, at_us));
        }
    }

    /// By how much it is ahead of our wall clock, ms, which showed `now_ms` at `at_us`.
    pub fn ms(&self, at_us: u64, now_ms: i64) -> Option<i64> {
        let (ahead_ms, _) = self.largest?;
        Some(ahead_ms.saturating_add(ms(at_us)).saturating_sub(now_ms))
    }
}

fn ms(at_us: u64) -> i64 {
    i64::try_from(at_us / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standby::beat::Identity;
    use crate::standby::role::Role;

    const S: u64 = 1_000_000;

    /// Durable through this second of a clock that is 100 s behind.
    fn beat(second: u64) -> Beat {
        let who = Identity { site: 1, gateway: 2, start: 3 };
        Beat { durable_through_ms: second * 1000, ..Beat::first(who, Role::Active) }
    }

    /// After beats that came at these seconds since our boot, at second 1000 of our wall clock.
    fn after(beats: &[(u64, u64)]) -> Option<i64> {
        let mut offset = ClockOffset::default();
        beats.iter().for_each(|(at, durable)| offset.take(&beat(*durable), at * S));
        let (at, _) = beats.last().unwrap();
        offset.ms(at * S, 1_000_000 + ms(at * S))
    }

    #[test]
    fn a_disk_that_stands_still_or_is_late_is_not_a_clock_that_is_behind() {
        assert_eq!(after(&[(10, 910)]), Some(-100_000));
        assert_eq!(after(&[(10, 910), (11, 910), (600, 910)]), Some(-100_000), "it stands still");
        assert_eq!(after(&[(10, 910), (14, 911), (15, 912)]), Some(-100_000), "it is late");
    }

    #[test]
    fn a_clock_that_is_set_counts_at_once_or_after_a_while() {
        assert_eq!(after(&[(10, 910), (11, 1011)]), Some(0), "set forward");
        assert_eq!(after(&[(10, 910), (11, 811)]), Some(-200_000), "set back");
        assert_eq!(after(&[(10, 910), (311, 1201)]), Some(-110_000), "slowly");
    }

    #[test]
    fn our_own_clock_that_is_set_counts_at_once() {
        let mut offset = ClockOffset::default();
        offset.take(&beat(910), 10 * S);
        assert_eq!((offset.ms(10 * S, 910_000), offset.ms(12 * S, 812_000)), (Some(0), Some(100_000)));
    }
}

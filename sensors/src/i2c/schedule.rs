//! Which node is due when. Pure: it is told the time.

use std::time::Duration;

/// A node that fails is asked at least so often, if its period is not longer.
const LONGEST_PAUSE_US: u64 = 5 * 60 * 1_000_000;
/// A node that fails is asked at least every so many periods.
const MOST_PERIODS: u64 = 10;

/// The nodes of one bus, by their index. Times are microseconds on a clock that never steps.
#[derive(Debug)]
pub struct Schedule(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    period_us: u64,
    due_us: u64,
    /// The pause after the last failure; none while the node answers.
    pause_us: Option<u64>,
}

impl Schedule {
    /// Every node is due at once, and then every period.
    pub fn new(periods: impl IntoIterator<Item = Duration>, now_us: u64) -> Self {
        let microseconds = |period: Duration| u64::try_from(period.as_micros()).unwrap_or(u64::MAX).max(1);
        let slot = |period| Slot { period_us: microseconds(period), due_us: now_us, pause_us: None };
        Self(periods.into_iter().map(slot).collect())
    }

    /// The node that has been due for the longest.
    pub fn due(&self, now_us: u64) -> Option<usize> {
        let (index, slot) = self.0.iter().enumerate().min_by_key(|(_, slot)| slot.due_us)?;
        (slot.due_us <= now_us).then_some(index)
    }

    /// When the next node is due.
    pub fn next_us(&self) -> Option<u64> {
        self.0.iter().map(|slot| slot.due_us).min()
    }

    /// The node answered, or was passed over: it is due again at the next multiple of its period that lies ahead.
    pub fn answered(&mut self, index: usize, now_us: u64) {
        let Some(slot) = self.0.get_mut(index) else { return };
        slot.pause_us = None;
        let late_us = now_us.saturating_sub(slot.due_us);
        slot.due_us =
            slot.due_us.saturating_add((late_us / slot.period_us).saturating_add(1).saturating_mul(slot.period_us));
    }

    /// The node failed: it is due again after a pause that begins with its period and doubles with each failure.
    pub fn failed(&mut self, index: usize, now_us: u64) {
        let Some(slot) = self.0.get_mut(index) else { return };
        let longest_us = slot.period_us.saturating_mul(MOST_PERIODS).min(LONGEST_PAUSE_US).max(slot.period_us);
        let pause_us = slot.pause_us.map_or(slot.period_us, |pause_us| pause_us.saturating_mul(2).min(longest_us));
        slot.pause_us = Some(pause_us);
        slot.due_us = now_us.saturating_add(pause_us);
    }

    /// Every node is due now, whatever came of it before.
    pub fn begin_again(&mut self, now_us: u64) {
        for slot in &mut self.0 {
            (slot.pause_us, slot.due_us) = (None, now_us);
        }
    }

    /// What stood in the way of all nodes is gone: those that failed are due now.
    pub fn retry_failed(&mut self, now_us: u64) {
        for slot in self.0.iter_mut().filter(|slot| slot.pause_us.is_some()) {
            slot.pause_us = None;
            slot.due_us = now_us;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: u64 = 1_000_000;

    fn schedule(periods_s: &[u64]) -> Schedule {
        Schedule::new(periods_s.iter().map(|period| Duration::from_secs(*period)), 0)
    }

    /// Asks whoever is due until `end_s`; the node with the index `fails` fails. Gives the seconds at which each was asked.
    fn asked(schedule: &mut Schedule, end_s: u64, fails: Option<usize>) -> Vec<(usize, u64)> {
        let mut asked = Vec::new();
        while let Some(now_us) = schedule.next_us().filter(|next_us| *next_us <= end_s * SECOND_US) {
            let index = schedule.due(now_us).unwrap();
            asked.push((index, now_us / SECOND_US));
            if fails == Some(index) { schedule.failed(index, now_us) } else { schedule.answered(index, now_us) }
        }
        asked
    }

    #[test]
    fn each_node_is_asked_in_its_own_period() {
        let found = asked(&mut schedule(&[10, 4]), 12, None);
        assert_eq!(found, [(0, 0), (1, 0), (1, 4), (1, 8), (0, 10), (1, 12)]);
    }

    #[test]
    fn what_was_missed_is_not_made_up_for_and_the_beat_is_kept() {
        let mut schedule = schedule(&[10]);
        schedule.answered(0, 37 * SECOND_US + 5);
        assert_eq!(schedule.next_us(), Some(40 * SECOND_US));
        assert_eq!((schedule.due(40 * SECOND_US - 1), schedule.due(40 * SECOND_US)), (None, Some(0)));
    }

    #[test]
    fn a_node_that_fails_is_asked_less_and_less_often_and_delays_nobody() {
        let found = asked(&mut schedule(&[10, 10]), 400, Some(0));
        let of = |index| found.iter().filter(|(who, _)| *who == index).map(|(_, at_s)| *at_s).collect::<Vec<_>>();
        assert_eq!(of(0), [0, 10, 30, 70, 150, 250, 350], "at most ten periods apart");
        assert_eq!(of(1), (0..=40).map(|beat| beat * 10).collect::<Vec<_>>());
    }

    #[test]
    fn the_longest_pause_is_five_minutes_or_the_period() {
        let pauses = |period_s: u64| {
            let found = asked(&mut schedule(&[period_s]), 40_000, Some(0));
            found.windows(2).map(|two| two[1].1 - two[0].1).max().unwrap()
        };
        assert_eq!((pauses(10), pauses(60), pauses(3600)), (100, 300, 3600));
    }

    #[test]
    fn a_beginning_makes_every_node_due_and_ends_the_pauses() {
        let mut schedule = schedule(&[10, 4]);
        asked(&mut schedule, 21, Some(0));
        schedule.begin_again(22 * SECOND_US);
        schedule.failed(0, 22 * SECOND_US);
        schedule.answered(1, 22 * SECOND_US);
        assert_eq!(asked(&mut schedule, 32, None), [(1, 26), (1, 30), (0, 32)]);
    }

    #[test]
    fn an_answer_or_a_bus_that_is_back_ends_the_pauses() {
        let mut schedule = schedule(&[10, 10]);
        asked(&mut schedule, 100, Some(0));
        schedule.retry_failed(101 * SECOND_US);
        assert_eq!(schedule.due(101 * SECOND_US), Some(0));
        schedule.answered(0, 101 * SECOND_US);
        assert_eq!(schedule.next_us(), Some(110 * SECOND_US), "the other one was not moved");
        schedule.failed(0, 111 * SECOND_US);
        schedule.answered(1, 110 * SECOND_US);
        assert_eq!(schedule.next_us(), Some(120 * SECOND_US), "the first pause is a period again");
    }
}

//! When the LED is lit, pure.
//!
//! | state | pattern | reason |
//! | --- | --- | --- |
//! | all well | one short blink for a group made durable, at most 5 a second | what is durable is the promise |
//! | database away | two short blinks each second | a rhythm of its own: to be looked at, but nothing is lost yet |
//! | queue full | lit, with 5 short breaks a second | the brightest, and the opposite of many short blinks: to be mended now |
//! | stopping | dark | nothing is taken any more |

use crate::status::{DrainState, IntakeState};

/// A short blink, and a short break. The eye sees it, and at 5 a second they stay apart.
const SHORT_MS: u64 = 60;
/// From the beginning of a blink or break to that of the next.
const FIFTH_MS: u64 = 200;
const SECOND_MS: u64 = 1000;

/// What the LED tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Readings are taken and delivered.
    Well,
    /// Readings wait in the queue.
    DatabaseAway,
    /// Readings are dropped, or not taken.
    QueueFull,
    /// The gateway is about to end.
    Stopping,
}

/// Of two states at once, the one that is more urgent.
pub fn state(intake: IntakeState, drain: &DrainState, stopping: bool) -> State {
    if stopping {
        State::Stopping
    } else if intake.full.is_some() {
        State::QueueFull
    } else if drain.source.is_none() || drain.trouble.is_some() {
        State::DatabaseAway
    } else {
        State::Well
    }
}

/// Whether the LED is lit `now_ms` after the start; `blink_ms` is when the last blink for a group began.
pub fn is_lit(state: State, now_ms: u64, blink_ms: Option<u64>) -> bool {
    match state {
        State::Well => blink_ms.is_some_and(|began| now_ms.saturating_sub(began) < SHORT_MS),
        State::DatabaseAway => {
            let into_second = now_ms % SECOND_MS;
            into_second < SHORT_MS || (FIFTH_MS..FIFTH_MS + SHORT_MS).contains(&into_second)
        }
        State::QueueFull => now_ms % FIFTH_MS >= SHORT_MS,
        State::Stopping => false,
    }
}

/// A blink for each group made durable; groups that come faster than blinks may share one.
#[derive(Debug, Default)]
pub struct Blinks {
    shown: u64,
    began_ms: Option<u64>,
}

impl Blinks {
    /// When the last blink began, after a look at how many readings are `durable` at `now_ms`.
    pub fn look(&mut self, durable: u64, now_ms: u64) -> Option<u64> {
        let free = self.began_ms.is_none_or(|began| now_ms.saturating_sub(began) >= FIFTH_MS);
        if free && durable != self.shown {
            self.shown = durable;
            self.began_ms = Some(now_ms);
        }
        self.began_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Full;

    /// Every change of the LED within so many milliseconds, as when and to what.
    fn changes(until_ms: u64, lit: impl FnMut(u64) -> bool) -> Vec<(u64, bool)> {
        let mut found: Vec<(u64, bool)> = (0..until_ms).zip((0..until_ms).map(lit)).collect();
        found.dedup_by_key(|(_, lit)| *lit);
        found
    }

    /// The LED while all is well and readings become durable at these times.
    fn well(until_ms: u64, groups_ms: &[u64]) -> Vec<(u64, bool)> {
        let mut blinks = Blinks::default();
        changes(until_ms, |now_ms| {
            let durable = groups_ms.iter().filter(|group_ms| **group_ms <= now_ms).count();
            is_lit(State::Well, now_ms, blinks.look(u64::try_from(durable).unwrap(), now_ms))
        })
    }

    #[test]
    fn each_group_is_one_short_blink() {
        assert_eq!(well(5000, &[]), [(0, false)]);
        let expected = [(0, false), (300, true), (360, false), (700, true), (760, false)];
        assert_eq!(well(5000, &[300, 700]), expected);
    }

    #[test]
    fn there_are_at_most_five_blinks_a_second_and_the_last_group_has_one() {
        let every_10_ms: Vec<u64> = (0..100).map(|group| group * 10).collect();
        let found = well(3000, &every_10_ms);
        let begins: Vec<u64> = found.iter().filter(|(_, lit)| *lit).map(|(ms, _)| *ms).collect();
        assert_eq!(begins, [0, 200, 400, 600, 800, 1000]);
        assert_eq!(well(3000, &[0, 10]), [(0, true), (60, false), (200, true), (260, false)]);
    }

    #[test]
    fn the_other_patterns_go_on_for_ever() {
        for start_ms in [0, 86_400_000] {
            let pattern = |state| changes(1000, |now_ms| is_lit(state, start_ms + now_ms, None));
            let twice = [(0, true), (60, false), (200, true), (260, false)];
            assert_eq!(pattern(State::DatabaseAway), twice);
            let full = pattern(State::QueueFull);
            let breaks = [0, 200, 400, 600, 800].map(|ms| [(ms, false), (ms + 60, true)]);
            assert_eq!(full, breaks.concat());
            assert_eq!(pattern(State::Stopping), [(0, false)]);
        }
    }

    #[test]
    fn the_more_urgent_state_is_shown() {
        let away = DrainState::default();
        let well = DrainState { source: Some("db1:3306".to_owned()), ..DrainState::default() };
        let troubled = DrainState { trouble: Some("access denied".to_owned()), ..well.clone() };
        let room = IntakeState::default();
        let (cause, when_full) = (queue::pressure::Cause::Queue, config::WhenFull::DropNewest);
        let why = Full { cause, when_full, since_us: 0, dropped: 0 };
        let full = IntakeState { full: Some(why), ..room };
        assert_eq!(state(room, &well, false), State::Well);
        assert_eq!(state(room, &away, false), State::DatabaseAway);
        assert_eq!(state(room, &troubled, false), State::DatabaseAway);
        assert_eq!(state(full, &well, false), State::QueueFull);
        assert_eq!(state(full, &away, false), State::QueueFull);
        assert_eq!(state(full, &away, true), State::Stopping);
    }
}

//! What a source has brought, and whether it is connected: for people who look, not for the code that decides.

use crate::source::Content;
use crate::turn::WAITING;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a source is getting on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// What it is: a broker, a port, a bus.
    pub name: String,
    /// The other end answers.
    pub connected: bool,
    /// Why it does not, in the words of the log.
    pub trouble: Option<String>,
    /// Readings brought since the start.
    pub readings: u64,
    /// Payloads that could not be understood since the start.
    pub dead_letters: u64,
    /// Gaps reported since the start.
    pub gaps: u64,
    /// Stamp of the last reading, microseconds since 1970.
    pub last_us: Option<i64>,
    /// Since when it hears its nodes without a break, microseconds since 1970; none while it does not. A broker: since it took our
    /// subscriptions, or answered and still had them.
    #[serde(default)]
    pub connected_since_us: Option<i64>,
    /// When the other end was found not to answer any more, or not at all since the start, microseconds since 1970; none while it
    /// does.
    #[serde(default)]
    pub lost_since_us: Option<i64>,
    /// When the other end was last found not to answer any more, however soon it did again.
    #[serde(skip)]
    pub found_lost_us: Option<i64>,
    /// A broker only: at the last connect it still had our session, so that what was published meanwhile comes later.
    #[serde(default)]
    pub session_kept: bool,
}

impl SourceState {
    /// It is not asked since that is the other gateway's turn: nothing is wrong with it.
    pub fn waits_for_turn(&self) -> bool {
        self.trouble.as_deref() == Some(WAITING)
    }
}

/// Counts for one source; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<SourceState>>);

impl Meter {
    /// A meter that shows nothing yet.
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Mutex::new(SourceState { name: name.to_owned(), ..SourceState::default() })))
    }

    /// The other end answers, and everything that its nodes say is heard from now on: `now_us`, microseconds since 1970.
    pub fn connected(&self, now_us: i64) {
        let mut state = self.state_mut();
        (state.connected, state.trouble, state.lost_since_us) = (true, None, None);
        state.connected_since_us.get_or_insert(now_us);
    }

    /// A broker answers at `now_us`, microseconds since 1970. With our session it has our subscriptions, and at once sends what it
    /// kept; without, what its nodes say is heard once it has them again.
    pub fn reached(&self, session_kept: bool, now_us: i64) {
        let mut state = self.state_mut();
        (state.connected, state.trouble, state.lost_since_us) = (true, None, None);
        (state.session_kept, state.connected_since_us) = (session_kept, session_kept.then_some(now_us));
    }

    /// The other end does not answer at `now_us`, microseconds since 1970.
    pub fn lost(&self, why: &str, now_us: i64) {
        let mut state = self.state_mut();
        (state.connected, state.trouble, state.connected_since_us) = (false, Some(why.to_owned()), None);
        state.lost_since_us.get_or_insert(now_us);
        state.found_lost_us = state.lost_since_us;
    }

    /// Something was handed over.
    pub fn count(&self, brought: Brought) {
        let mut state = self.state_mut();
        match brought {
            Brought::Readings(readings, last_us) => {
                state.readings = state.readings.saturating_add(readings);
                state.last_us = Some(last_us);
            }
            Brought::DeadLetter => state.dead_letters = state.dead_letters.saturating_add(1),
            Brought::Gap => state.gaps = state.gaps.saturating_add(1),
            Brought::Nothing => {}
        }
    }

    /// How it is getting on.
    pub fn state(&self) -> SourceState {
        self.state_mut().clone()
    }

    fn state_mut(&self) -> MutexGuard<'_, SourceState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a content counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// So many readings, the last with this stamp.
    Readings(u64, i64),
    /// A dead letter.
    DeadLetter,
    /// A gap.
    Gap,
    /// Nothing new.
    Nothing,
}

impl From<&Content> for Brought {
    fn from(content: &Content) -> Self {
        match content {
            Content::Readings(readings) => {
                let last = readings.last().map_or(0, |reading| reading.stamp.wall_us);
                Self::Readings(u64::try_from(readings.len()).unwrap_or(u64::MAX), last)
            }
            Content::DeadLetter(_) => Self::DeadLetter,
            Content::Gap(_) => Self::Gap,
            Content::AlreadyQueued => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together_and_the_last_word_stands() {
        let meter = Meter::new("mqtt://b:1883");
        meter.clone().count(Brought::Readings(3, 17));
        meter.count(Brought::Gap);
        meter.lost("connection refused", 20);
        assert_eq!(meter.state().trouble.as_deref(), Some("connection refused"));
        assert!(!meter.state().waits_for_turn());
        meter.lost(WAITING, 25);
        assert!(meter.state().waits_for_turn());
        meter.connected(30);
        let expected = SourceState {
            name: "mqtt://b:1883".to_owned(),
            connected: true,
            readings: 3,
            gaps: 1,
            last_us: Some(17),
            connected_since_us: Some(30),
            found_lost_us: Some(20),
            ..SourceState::default()
        };
        assert_eq!(meter.state(), expected);
    }

    #[test]
    fn each_state_has_the_time_at_which_it_began() {
        let meter = Meter::new("mqtt://b:1883");
        let times = || (meter.state().connected_since_us, meter.state().lost_since_us);
        meter.lost("connection refused", 10);
        meter.lost("no route", 20);
        assert_eq!(times(), (None, Some(10)));
        meter.reached(false, 30);
        assert_eq!((times(), meter.state().session_kept), ((None, None), false), "connected, and not subscribed yet");
        meter.connected(40);
        meter.connected(50);
        assert_eq!((times(), meter.state().found_lost_us), ((Some(40), None), Some(10)));
        meter.lost("connection reset", 60);
        meter.reached(true, 70);
        meter.connected(80);
        assert_eq!((times(), meter.state().session_kept), ((Some(70), None), true), "what was kept came before 80");
        meter.reached(false, 90);
        assert_eq!(times(), (None, None), "what another connection heard is over");
    }
}

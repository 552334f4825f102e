//! Whether a beat is a sign of life, and what is known of the other gateway by it. Pure.
//!
//! Life is a new number, not a message that can be read: a mailbox goes on answering for the dead. Times are microseconds on a
//! clock that never steps.

use super::beat::Beat;
use super::offset::ClockOffset;
use super::rank::Rank;
use super::role::Role;
use super::state::Other;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Starts of the other one's process that are over, and would be old news.
const STARTS_KNOWN: usize = 16;
/// What a sketch that says `hello!` goes for: it does so only while it is active, and has no term.
const SKETCH: Rank = Rank { role: Role::Active, term: 0, priority: 8, gateway: u16::MAX };

/// Whether a beat says something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Nobody has heard it before.
    New,
    /// It is the newest one, over another link.
    Same,
    /// A newer one was heard.
    Old,
}

/// What the other gateway said last.
#[derive(Debug, Clone, Copy)]
struct Last {
    rank: Rank,
    /// None when it was a sketch's.
    beat: Option<Beat>,
    at_us: u64,
    clock_offset_ms: Option<i64>,
}

/// The other gateway.
#[derive(Debug, Default)]
pub struct Life {
    /// The start that speaks, and its highest number.
    now: Option<(u32, u32)>,
    over: VecDeque<u32>,
    last: Option<Last>,
    clock: ClockOffset,
    /// Since when no two beats were lost in a row.
    steady_since_us: Option<u64>,
}

impl Life {
    /// Whether this beat was heard before; from now on it was.
    pub fn take(&mut self, beat: &Beat) -> Age {
        let Beat { who, counter, .. } = beat;
        match self.now {
            Some((start, highest)) if start == who.start => {
                self.now = Some((start, highest.max(*counter)));
                return match counter.cmp(&highest) {
                    Ordering::Greater => Age::New,
                    Ordering::Equal => Age::Same,
                    Ordering::Less => Age::Old,
                };
            }
            _ if self.over.contains(&who.start) => return Age::Old,
            Some((start, _)) => self.over.push_back(start),
            None => {}
        }
        self.over.drain(..self.over.len().saturating_sub(STARTS_KNOWN));
        self.now = Some((who.start, *counter));
        Age::New
    }

    /// It lives, as of `at_us`; `now_ms` is our wall clock then, and `beat_us` how often it should be heard.
    pub fn lives(&mut self, beat: Option<Beat>, at_us: u64, now_ms: i64, beat_us: u64) {
        let of_beat =
            |beat: &Beat| Rank { role: beat.role, term: beat.term, priority: beat.priority, gateway: beat.who.gateway };
        let missed = self.last.is_none_or(|last| at_us.saturating_sub(last.at_us) > beat_us * 2);
        if missed || self.steady_since_us.is_none() {
            self.steady_since_us = Some(at_us);
        }
        let rank = beat.as_ref().map_or(SKETCH, of_beat);
        let clock_offset_ms = beat.and_then(|beat| {
            self.clock.take(&beat, at_us);
            self.clock.ms(at_us, now_ms)
        });
        self.last = Some(Last { rank, beat, at_us, clock_offset_ms });
    }

    /// What it is.
    pub fn rank(&self) -> Option<Rank> {
        self.last.map(|last| last.rank)
    }

    /// For how long it has been heard without loss, if it was heard within the last two beats.
    pub fn steady_us(&self, now_us: u64, beat_us: u64) -> u64 {
        let is_here = self.last.is_some_and(|last| now_us.saturating_sub(last.at_us) <= beat_us * 2);
        self.steady_since_us.filter(|_| is_here).map_or(0, |since| now_us.saturating_sub(since))
    }

    /// Being heard without loss begins anew.
    pub fn not_steady(&mut self) {
        self.steady_since_us = None;
    }

    /// When it was last heard.
    pub fn last_us(&self) -> Option<u64> {
        self.last.map(|last| last.at_us)
    }

    /// By how much its clock is ahead of ours, ms.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.last.and_then(|last| last.clock_offset_ms)
    }

    /// What people see of it.
    pub fn shown(&self, now_us: u64) -> Option<Other> {
        let Last { rank, beat, at_us, clock_offset_ms } = self.last?;
        Some(Other {
            role: rank.role,
            term: rank.term,
            priority: rank.priority,
            last_beat_ms_ago: now_us.saturating_sub(at_us) / 1000,
            clock_offset_ms,
            durable_through_ms: beat.map_or(0, |beat| beat.durable_through_ms),
            drained_through_ms: beat.map_or(0, |beat| beat.drained_through_ms),
            unwell: beat.is_some_and(|beat| beat.unwell),
            // A sketch does not say.
            reaches_database: beat.is_none_or(|beat| beat.reaches_database),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standby::beat::Identity;

    fn beat(start: u32, counter: u32) -> Beat {
        let who = Identity { site: 1, gateway: 2, start };
        Beat { priority: 2, counter, durable_through_ms: 9_000, ..Beat::first(who, Role::Standby) }
    }

    #[test]
    fn only_a_higher_number_or_a_new_start_is_life() {
        let mut life = Life::default();
        for (start, counter, age) in [
            (7, 5, Age::New),
            (7, 5, Age::Same),
            (7, 4, Age::Old),
            (7, 6, Age::New),
            (8, 1, Age::New),
            (7, 99, Age::Old),
            (8, 1, Age::Same),
            (8, 2, Age::New),
        ] {
            assert_eq!(life.take(&beat(start, counter)), age, "{start} {counter}");
        }
    }

    #[test]
    fn starts_are_forgotten_only_after_many() {
        let mut life = Life::default();
        for start in 0..1000 {
            assert_eq!(life.take(&beat(start, 1)), Age::New);
            assert!(start == 0 || life.take(&beat(start - 1, 50)) == Age::Old);
            assert!(life.over.len() <= STARTS_KNOWN);
        }
    }

    #[test]
    fn a_lost_beat_is_no_loss_for_the_steady_and_two_are() {
        let mut life = Life::default();
        for at in [0, 10, 20, 40, 50] {
            life.lives(Some(beat(1, 1)), at, 0, 10);
        }
        assert_eq!((life.steady_us(55, 10), life.steady_us(71, 10)), (55, 0));
        life.lives(Some(beat(1, 1)), 71, 0, 10);
        assert_eq!(life.steady_us(75, 10), 4);
    }

    #[test]
    fn a_sketch_is_active_without_a_term_and_after_everybody() {
        let mut life = Life::default();
        life.lives(None, 5_000, 0, 10);
        assert_eq!(life.rank(), Some(SKETCH));
        let other = life.shown(8_000).unwrap();
        assert_eq!((other.role, other.priority, other.last_beat_ms_ago), (Role::Active, 8, 3));
        life.lives(Some(beat(1, 1)), 9_000, 4_000, 10);
        assert_eq!(life.shown(9_000).unwrap().clock_offset_ms, Some(5_000));
    }
}

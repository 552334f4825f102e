//! What the passing of time means, and what it does not: only time in which this process ran, and a link worked, is silence.

use super::Situation;
use crate::standby::rank::Rank;
use crate::standby::role::{Event, Role, step};
use sensors::Stamp;

/// The holder's position in the database must not have moved for at least so long before it counts as gone.
const UNHEARD_AT_LEAST_US: u64 = 30_000_000;
/// For so long the other one must have been heard without loss before it is asked for the turn.
const STEADY_US: u64 = 60_000_000;
/// For so long after both were active the links are not believed when they are silent: they may carry nothing again.
const IN_DOUBT_US: u64 = 600_000_000;
/// An active gateway that has reached no database for so long gives its turn to one that does: a failover takes less.
const WITHOUT_DATABASE_US: u64 = 30_000_000;

impl Situation {
    /// The loop comes round. That it is late is this process's own doing, and no silence of the other one.
    pub fn come_round(&mut self, now: Stamp) {
        let now_us = now.boottime_us;
        let late_us = now_us.saturating_sub(self.planned_us);
        let passed_us = now_us.saturating_sub(self.looked_us);
        self.looked_us = now_us;
        let lease_is_over = self.lease_us.is_some_and(|lease_us| now_us > lease_us);
        if lease_is_over || late_us > self.setup.silence_us {
            self.stood_still(now);
        } else if late_us > self.setup.beat_us.saturating_mul(2) {
            self.quiet_us = 0;
        } else if self.ends.has_wire() {
            let hearing_us = now_us.saturating_sub(self.deaf_until_us);
            self.quiet_us = self.quiet_us.saturating_add(passed_us.min(hearing_us));
        }
        self.shift(now_us);
    }

    /// What follows from the time alone.
    pub fn look_at_time(&mut self, now: Stamp) {
        let now_us = now.boottime_us;
        if self.is_silent(now_us) {
            self.apply(Event::Silent, now);
        }
        if self.ends.is_cut(now_us, self.setup.beat_us, self.setup.silence_us) {
            self.apply(Event::Cut, now);
        }
        if self.role == Role::Isolated && self.is_unheard_of(now_us) {
            self.apply(Event::UnheardOf, now);
        }
        if self.role == Role::Leaving && !self.stopping && self.has_been(now_us) >= self.setup.silence_us {
            self.apply(Event::NotTaken, now);
        }
        if self.role == Role::Active && self.delivers_nothing(now_us) && self.other_would_deliver(now) {
            self.apply(Event::NoDatabase, now);
        }
        if self.wants_its_turn(now_us) {
            self.life.not_steady();
            self.apply(Event::Wanted, now);
        }
        self.wants_until_us = self.wants_until_us.filter(|until_us| now_us < *until_us);
    }

    /// Whether a beat is to be sent now: it is time, or something has changed.
    pub fn has_to_speak(&self, now: Stamp) -> bool {
        now.boottime_us >= self.beat_due_us || !self.changes.is_empty()
    }

    /// When to look again, microseconds from now.
    pub fn plan_us(&mut self, now: Stamp) -> u64 {
        let now_us = now.boottime_us;
        let left_us = self.setup.silence_us.saturating_sub(self.quiet_us);
        let waits_for_silence = left_us > 0 && self.ends.has_wire() && step(self.role, Event::Silent).is_some();
        let silent_us = if waits_for_silence { now_us.saturating_add(left_us) } else { u64::MAX };
        self.planned_us = self.beat_due_us.min(silent_us).max(now_us);
        self.planned_us - now_us
    }

    /// Everything that was being waited for begins anew, and what has lain about meanwhile is not news.
    fn stood_still(&mut self, now: Stamp) {
        self.quiet_us = 0;
        self.since_us = now.boottime_us;
        self.deaf_until_us = now.boottime_us.saturating_add(self.setup.beat_us);
        self.ends.stood_still(now.boottime_us);
        self.life.not_steady();
        self.apply(Event::StoodStill, now);
    }

    fn shift(&mut self, now_us: u64) {
        let beat_us = self.setup.beat_us.max(1);
        let over = now_us.saturating_sub(self.shift_due_us).checked_div(beat_us).unwrap_or(0);
        if now_us >= self.shift_due_us {
            (0..=over.min(64)).for_each(|_| self.ends.shift());
            self.shift_due_us = self.shift_due_us.saturating_add((over + 1).saturating_mul(beat_us));
        }
    }

    /// Nothing was heard for long enough, although a link works. A gateway that knows that its links carry nothing, or carried
    /// nothing lately, waits until the database has not heard of the other one either.
    fn is_silent(&self, now_us: u64) -> bool {
        let is_still = self.doubts_since_us(now_us).is_none_or(|since_us| self.holder_rests(now_us, since_us));
        self.ends.has_wire() && self.quiet_us >= self.setup.silence_us && is_still
    }

    /// Since when the silence has to be seen in the database too, if it has to.
    fn doubts_since_us(&self, now_us: u64) -> Option<u64> {
        let is_recent = |at_us: &u64| now_us.saturating_sub(*at_us) < IN_DOUBT_US;
        let silent_since_us = now_us.saturating_sub(self.quiet_us);
        self.deposed_us.or_else(|| self.deceived_us.filter(is_recent).map(|_| silent_since_us))
    }

    /// The database has answered for long, and the holder's position has not moved.
    fn is_unheard_of(&self, now_us: u64) -> bool {
        self.answers_since_us.is_some_and(|since_us| self.holder_rests(now_us, since_us.max(self.since_us)))
    }

    fn holder_rests(&self, now_us: u64, since_us: u64) -> bool {
        let moved_us = self.database.moved_boottime_us.unwrap_or(0).max(since_us);
        let span_us = UNHEARD_AT_LEAST_US.max(self.setup.silence_us.saturating_mul(3));
        now_us.saturating_sub(moved_us) >= span_us
    }

    /// It has had the time to find a database, and has found none.
    fn delivers_nothing(&self, now_us: u64) -> bool {
        let since_us = self.answered_us.max(self.since_us);
        !self.database.answers && now_us.saturating_sub(since_us) >= WITHOUT_DATABASE_US
    }

    fn other_would_deliver(&self, now: Stamp) -> bool {
        let other = self.life.shown(now.boottime_us);
        let delivers = other.is_some_and(|other| other.role == Role::Standby && other.reaches_database);
        delivers && self.successor(now).is_ok()
    }

    fn has_been(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.since_us)
    }

    fn wants_its_turn(&self, now_us: u64) -> bool {
        let goes_first = self.life.rank().is_some_and(|other| {
            let waiting = Rank { role: Role::Standby, ..other };
            other.role == Role::Active && self.rank().event(&waiting) == Event::OtherWaitsSecond
        });
        let is_ready = self.setup.preempt && self.role == Role::Standby && !self.marks.unwell && self.database.answers;
        is_ready && goes_first && self.life.steady_us(now_us, self.setup.beat_us) >= STEADY_US
    }
}

//! What is heard, over the links and of the database.

use super::{Situation, micros};
use crate::standby::beat::{Beat, Heard, hear};
use crate::standby::inputs::GroupView;
use crate::standby::life::Age;
use crate::standby::link::{News, What};
use crate::standby::role::{Event, Role};
use sensors::Stamp;
use std::time::Duration;

impl Situation {
    /// A link tells something.
    pub fn news(&mut self, news: &News, now: Stamp) {
        match &news.what {
            What::Up => self.ends.up(news.link, now.boottime_us),
            What::Down(why) => self.ends.down(news.link, why, now.boottime_us),
            What::Bytes { .. } if now.boottime_us < self.deaf_until_us => {}
            What::Bytes { bytes, age } => self.bytes(news.link, bytes, *age, now),
        }
    }

    /// The database has told something, or does not answer.
    pub fn database(&mut self, view: GroupView, now: Stamp) {
        self.highest = self.highest.max(short(view.term));
        self.answers_since_us = view.answers.then(|| self.answers_since_us.unwrap_or(now.boottime_us));
        if self.role == Role::Active && short(view.term) > self.term {
            if self.is_other(view.holder.as_ref()) {
                self.deposed_us = Some(now.boottime_us);
                self.apply(Event::Deposed, now);
            } else if view.holder.is_some() {
                // Its claim was lost or too low, and was made again.
                self.term = short(view.term);
            }
        }
        self.database = view;
    }

    fn bytes(&mut self, link: usize, bytes: &[u8], age: Duration, now: Stamp) {
        let heard = hear(bytes, self.setup.me);
        self.warnings.heard(heard, link, self.ends.name(link), now.boottime_us);
        match heard {
            Heard::Beat(beat) => self.beat(link, beat, age, now),
            Heard::Hello => {
                self.ends.heard(link, now.boottime_us);
                self.alive(None, age, now);
            }
            Heard::Echo | Heard::SameId | Heard::OtherSite | Heard::OtherVersion(_) | Heard::Garbage => {}
        }
    }

    fn beat(&mut self, link: usize, beat: Beat, age: Duration, now: Stamp) {
        self.highest = self.highest.max(beat.term);
        let is = self.life.take(&beat);
        if is != Age::Old {
            self.ends.heard(link, now.boottime_us);
        }
        if is == Age::New {
            self.alive(Some(beat), age, now);
        }
    }

    /// A sign of life that came into being `age` ago. One that is older than the silence says nothing of now.
    fn alive(&mut self, beat: Option<Beat>, age: Duration, now: Stamp) {
        let age_us = micros(age);
        if age_us >= self.setup.silence_us {
            return;
        }
        let then_ms = now.wall_us.saturating_sub(i64::try_from(age_us).unwrap_or(i64::MAX)) / 1000;
        self.life.lives(beat, now.boottime_us.saturating_sub(age_us), then_ms, self.setup.beat_us);
        self.quiet_us = self.quiet_us.min(age_us);
        self.deposed_us = None;
        self.warnings.clock(self.life.clock_offset_ms());
        if let Some(other) = self.life.rank() {
            self.apply(self.rank().event(&other), now);
        }
        let is_asked = |beat: Beat| beat.wants_turn && beat.role == Role::Standby && !beat.unwell;
        if beat.is_some_and(is_asked) {
            self.apply(Event::HandOver, now);
        }
    }
}

/// A term as beats have it.
fn short(term: u64) -> u32 {
    u32::try_from(term).unwrap_or(u32::MAX)
}

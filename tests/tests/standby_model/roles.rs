//! Beats, and what becomes of the roles.

use super::defect::Defect;
use super::sentence;
use super::world::{Beat, SECOND_US, SILENCE_US, World};
use gateway::standby::rank::Rank;
use gateway::standby::role::{Action, Event, Role, step};

/// For so long the database has heard nothing of a gateway.
const UNHEARD_US: i64 = 30 * SECOND_US;

impl World {
    /// The loop of a gateway does something: it runs, and has seen to it that it stood still.
    fn loops(&self, gateway: usize) -> bool {
        self.gateways[gateway].runs() && !self.gateways[gateway].stood_still
    }

    /// A beat goes out; it may be lost, or late: the next one takes its place.
    pub fn send(&mut self, gateway: usize) -> bool {
        let can = self.loops(gateway) && self.gateways[gateway].end_works;
        if can && !self.is_cut[gateway] {
            let drained_us = self.gateways[gateway].drained_us;
            self.beats[gateway] = Some(Beat { rank: self.rank(gateway), drained_us });
        }
        can
    }

    pub fn hear(&mut self, gateway: usize, defect: Option<Defect>) -> bool {
        let other = 1 - gateway;
        if !self.loops(gateway) || !self.gateways[gateway].end_works || self.beats[other].is_none() {
            return false;
        }
        let Some(beat) = self.beats[other].take() else { return false };
        let now_us = self.now_us;
        let own = &mut self.gateways[gateway];
        own.beat_us = now_us;
        own.seen_term = own.seen_term.max(beat.rank.term);
        let before = self.rank(gateway);
        self.happens(gateway, event(&before, &beat.rank, defect));
        self.gateways[gateway].heard = Some((self.rank(gateway), beat));
        let keeps = before.role != Role::Active || beat.rank.role != Role::Active || before.term <= beat.rank.term;
        let is_active = self.gateways[gateway].role == Role::Active;
        self.breaks_unless(keeps || is_active, sentence::NEWER_TERM);
        true
    }

    pub fn happens(&mut self, gateway: usize, event: Event) -> bool {
        let own = &mut self.gateways[gateway];
        let Some(row) = step(own.role, event) else { return false };
        own.role = row.to;
        if row.action == Action::Claim {
            own.seen_term += 1;
            (own.term, own.has_claimed) = (own.seen_term, false);
        }
        // From here on it waits anew, for a beat or for somebody who takes the turn.
        (own.beat_us, own.role_us) = (self.now_us, self.now_us);
        true
    }

    pub fn is_silent(&mut self, gateway: usize, defect: Option<Defect>) -> bool {
        let own = &self.gateways[gateway];
        let (is_due, event) = match own.role {
            Role::Leaving => (self.now_us - own.role_us >= SILENCE_US, Event::NotTaken),
            _ => (own.end_works && self.now_us - own.beat_us >= SILENCE_US, Event::Silent),
        };
        let is_missed = match event {
            Event::Silent => defect == Some(Defect::WaitsForTheSilent),
            _ => defect == Some(Defect::TurnsAreLost),
        };
        self.loops(gateway) && is_due && !is_missed && self.happens(gateway, event)
    }

    pub fn end_breaks(&mut self, gateway: usize) -> bool {
        let can = self.loops(gateway) && self.gateways[gateway].end_works;
        if can {
            self.gateways[gateway].end_works = false;
            self.happens(gateway, Event::Cut);
        }
        can
    }

    /// Its end works again: silence begins to count now.
    pub fn end_works(&mut self, gateway: usize) -> bool {
        let (now_us, own) = (self.now_us, &mut self.gateways[gateway]);
        let can = own.runs() && !own.end_works;
        if can {
            (own.end_works, own.beat_us) = (true, now_us);
        }
        can
    }

    pub fn sees_that_it_stood_still(&mut self, gateway: usize, defect: Option<Defect>) -> bool {
        let own = &mut self.gateways[gateway];
        if !own.runs() || !own.stood_still {
            return false;
        }
        own.stood_still = false;
        own.beat_us = self.now_us;
        if defect != Some(Defect::GoesOnAfterStandingStill) {
            self.happens(gateway, Event::StoodStill);
        }
        let both = self.gateways.iter().all(|gateway| gateway.role == Role::Active);
        self.breaks_unless(!both, sentence::STOOD_STILL);
        true
    }

    /// No link, but the database has not heard of the other one for long.
    pub fn is_unheard_of(&mut self, gateway: usize) -> bool {
        let is_due = self.now_us - self.database.moved_us[1 - gateway] >= UNHEARD_US;
        let can = self.loops(gateway) && !self.gateways[gateway].end_works && !self.database.is_away;
        can && is_due && self.happens(gateway, Event::UnheardOf)
    }

    /// People hand the turn over, or force it.
    pub fn is_told(&mut self, gateway: usize, event: Event) -> bool {
        self.loops(gateway) && self.happens(gateway, event)
    }
}

fn event(own: &Rank, other: &Rank, defect: Option<Defect>) -> Event {
    match defect {
        Some(Defect::RankWithoutTerm) => Rank { term: 0, ..*own }.event(&Rank { term: 0, ..*other }),
        Some(Defect::NobodyGivesWay) if own.event(other) == Event::OtherActiveFirst => Event::OtherActiveSecond,
        Some(Defect::NobodyGoesFirst) if own.event(other) == Event::OtherWaitsSecond => Event::OtherWaitsFirst,
        _ => own.event(other),
    }
}

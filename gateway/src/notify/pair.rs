//! What of two gateways is worth telling. Pure.
//!
//! A link that comes and goes is no flood: a takeover is told at most once a minute, and somebody who is alone must have been so for
//! ten seconds, and must have heard the other one for a minute until that is over.

use super::EventKind;
use crate::standby::role::Role;
use crate::standby::state::StandbyState;
use std::time::Duration;
use tokio::time::Instant;

/// From one takeover that is told to the next.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// Being alone for less is not worth telling.
const ALONE_AFTER: Duration = Duration::from_secs(10);
/// Being heard for less does not end it.
const BACK_AFTER: Duration = Duration::from_secs(60);

/// What was seen, and told, last.
#[derive(Debug)]
pub struct SeenPair {
    gateway: String,
    /// For so long the other one may be silent, in milliseconds.
    silence_ms: u64,
    /// It was told that this gateway is active, and when that or the opposite was.
    told_active: bool,
    told_at: Option<Instant>,
    /// A takeover is still to be told.
    waits: bool,
    /// It was told that this gateway is alone.
    told_alone: bool,
    /// Since when the opposite of that is so; none while it is not.
    opposite_since: Option<Instant>,
    alone_since: Option<Instant>,
}

impl SeenPair {
    /// Nothing was told yet.
    pub fn new(gateway: String, silence: Duration) -> Self {
        Self {
            gateway,
            silence_ms: u64::try_from(silence.as_millis()).unwrap_or(u64::MAX),
            told_active: false,
            told_at: None,
            waits: false,
            told_alone: false,
            opposite_since: None,
            alone_since: None,
        }
    }

    /// What is to be told now.
    pub fn look(&mut self, state: &StandbyState, now: Instant) -> Vec<(EventKind, String)> {
        self.takeover(state, now).into_iter().chain(self.alone(state, now)).collect()
    }

    /// When to look again although nothing has changed.
    pub fn due(&self) -> Option<Instant> {
        let takeover = self.told_at.filter(|_| self.waits).map(|at| at + TOLD_EVERY);
        let alone = self.opposite_since.map(|since| since + self.patience());
        takeover.into_iter().chain(alone).min()
    }

    fn takeover(&mut self, state: &StandbyState, now: Instant) -> Option<(EventKind, String)> {
        let is_active = lasting(state.role);
        self.waits = is_active.is_some_and(|is_active| is_active != self.told_active);
        let is_early = self.told_at.is_some_and(|at| now.duration_since(at) < TOLD_EVERY);
        if !self.waits || is_early {
            return None;
        }
        let is_active = !self.told_active;
        (self.told_active, self.told_at, self.waits) = (is_active, Some(now), false);
        let (gateway, reason) = (&self.gateway, &state.reason);
        let text = match is_active {
            true => format!("{gateway} is active in term {}: {reason}", state.term),
            false => format!("{gateway} is no longer active: {reason}"),
        };
        Some((EventKind::Takeover, text))
    }

    fn alone(&mut self, state: &StandbyState, now: Instant) -> Option<(EventKind, String)> {
        let why = self.why_alone(state);
        if why.is_some() == self.told_alone {
            self.opposite_since = None;
            return None;
        }
        let since = *self.opposite_since.get_or_insert(now);
        if now.duration_since(since) < self.patience() {
            return None;
        }
        (self.told_alone, self.opposite_since) = (why.is_some(), None);
        let before = std::mem::replace(&mut self.alone_since, why.is_some().then_some(since));
        Some(match why {
            Some(why) => (EventKind::StandbyAlone, format!("{} {why}", self.gateway)),
            None => (EventKind::StandbyBack, back(&self.gateway, before.map(|before| since.duration_since(before)))),
        })
    }

    /// Why nobody would take over from this gateway, or it would not from the other one.
    fn why_alone(&self, state: &StandbyState) -> Option<String> {
        let is_heard = state.other.as_ref().is_some_and(|other| other.last_beat_ms_ago < self.silence_ms);
        let what = match state.role {
            Role::Isolated => format!("cannot tell whether the other gateway lives: {}", state.reason),
            Role::Active if !is_heard => {
                "does not hear the other gateway, so nobody takes over when this one fails".to_owned()
            }
            Role::Standby if !is_heard => {
                "does not hear the other gateway, which the database names as the active one".to_owned()
            }
            _ => return None,
        };
        let troubles = state.links.iter().filter_map(|link| Some(format!("{}: {}", link.name, link.trouble.as_ref()?)));
        let parts: Vec<String> = std::iter::once(what).chain(troubles).chain(state.warnings.iter().cloned()).collect();
        Some(parts.join("; "))
    }

    fn patience(&self) -> Duration {
        if self.told_alone { BACK_AFTER } else { ALONE_AFTER }
    }
}

/// Whether it is active; none for a role that is only passed through.
fn lasting(role: Role) -> Option<bool> {
    match role {
        Role::Active => Some(true),
        Role::Standby | Role::Isolated => Some(false),
        Role::Starting | Role::Leaving => None,
    }
}

fn back(gateway: &str, after: Option<Duration>) -> String {
    let after = after.map_or_else(String::new, |after| format!(" after {} s", after.as_secs()));
    format!("{gateway} and the other gateway hear each other again{after}")
}

#[cfg(test)]
mod tests;

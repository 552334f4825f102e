//! What does not fit between two gateways of a site, in sentences that say what to do. Pure.

use super::said::{Said, SaidSource};
use std::collections::BTreeSet;
use std::time::Duration;

/// Clocks further apart are told. They are never used for anything.
const CLOCKS_APART_US: i64 = 5_000_000;

/// A gateway with `[standby]`, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub gateway: String,
    /// The version of its program.
    pub version: String,
    /// How far its clock is ahead of ours at least, microseconds; below 0 when it is behind.
    pub clock_ahead_us: i64,
    /// What it says of itself; none when this program cannot read it.
    pub said: Option<Said>,
}

/// One sentence for each thing that does not fit; what makes a gateway take over wrongly comes first.
#[must_use]
pub fn differences(own: &Member, other: &Member) -> Vec<String> {
    let pair = Pair { own: &own.gateway, other: &other.gateway };
    let mut found = match (&own.said, &other.said) {
        (Some(own), Some(other)) => {
            let mut found = pair.rhythm(own, other);
            found.extend(pair.sources(own, other));
            found
        }
        _ => vec![format!(
            "what {} says of its sources cannot be read here: put the same version of fieldgate on both gateways",
            pair.other
        )],
    };
    found.extend(pair.versions(&own.version, &other.version));
    found.extend(pair.clocks(other.clock_ahead_us));
    found
}

/// The names of both.
#[derive(Clone, Copy)]
struct Pair<'a> {
    own: &'a str,
    other: &'a str,
}

impl Pair<'_> {
    fn swapped(self) -> Self {
        Self { own: self.other, other: self.own }
    }

    fn rhythm(self, own: &Said, other: &Said) -> Vec<String> {
        let mut found: Vec<String> = self.too_slow(own, other).into_iter().collect();
        found.extend(self.swapped().too_slow(other, own));
        if found.is_empty() {
            found.extend(self.unequal("standby.beat", &time(own.beat_ms), &time(other.beat_ms)));
            found.extend(self.unequal("standby.silence", &time(own.silence_ms), &time(other.silence_ms)));
        }
        if own.priority == other.priority {
            let Self { own: first, other: second } = self;
            found.push(format!(
                "standby.priority is {} on both {first} and {second}, so their ids decide which goes first: write another on one of them",
                own.priority
            ));
        }
        found
    }

    /// The other one takes the time between two beats, or one beat that was lost, for a silence.
    fn too_slow(self, own: &Said, other: &Said) -> Option<String> {
        let Self { own: slow, other: impatient } = self;
        let (beat, silence) = (time(own.beat_ms), time(other.silence_ms));
        let why = if own.beat_ms >= other.silence_ms {
            format!("{impatient} takes over although {slow} lives")
        } else if own.beat_ms.saturating_mul(5) > other.silence_ms.saturating_mul(2) {
            format!("{impatient} takes over when a single beat is lost")
        } else {
            return None;
        };
        Some(format!(
            "WRONG TAKEOVERS: {slow} gives a beat every {beat}, {impatient} waits {silence} for one, so {why}: write one standby.beat and one standby.silence on both"
        ))
    }

    fn unequal(self, key: &str, own: &str, other: &str) -> Option<String> {
        let Self { own: first, other: second } = self;
        (own != other).then(|| format!("{key} is {own} on {first} and {other} on {second}: write the same on both"))
    }

    fn sources(self, own: &Said, other: &Said) -> Vec<String> {
        let (own, other) = (own.by_what_they_hear(), other.by_what_they_hear());
        let names: BTreeSet<&str> = own.keys().chain(other.keys()).copied().collect();
        let compare = |name| match (own.get(name), other.get(name)) {
            (Some(own), Some(other)) => self.source(own, other),
            (Some(own), None) => vec![self.only_here(own)],
            (None, Some(other)) => vec![self.swapped().only_here(other)],
            (None, None) => Vec::new(),
        };
        names.into_iter().flat_map(compare).collect()
    }

    fn only_here(self, source: &SaidSource) -> String {
        let (Self { own, other }, SaidSource { hears, while_standby, .. }) = (self, source);
        format!(
            "{hears} is \"{while_standby}\" on {own} and not shared on {other}: add it there with the same while_standby, or write \"deliver\" on {own} if {other} never hears it"
        )
    }

    fn source(self, own: &SaidSource, other: &SaidSource) -> Vec<String> {
        let Self { own: first, other: second } = self;
        let hears = &own.hears;
        if own.kind != other.kind {
            return vec![format!(
                "{hears} is in [[{}]] on {first} and in [[{}]] on {second}: if they are two nodes, give one another name",
                own.kind, other.kind
            )];
        }
        let mut found: Vec<String> = self
            .unequal(&format!("while_standby of {hears}"), &own.while_standby, &other.while_standby)
            .into_iter()
            .collect();
        let keys: BTreeSet<&String> = own.details.keys().chain(other.details.keys()).collect();
        let word =
            |source: &SaidSource, key: &str| source.details.get(key).cloned().unwrap_or_else(|| "not there".into());
        let details = keys.into_iter().filter_map(|key| {
            let (key, own, other) = (format!("{key} of {hears}"), word(own, key), word(other, key));
            self.unequal(&key, &own, &other)
        });
        found.extend(details);
        found
    }

    fn versions(self, own: &str, other: &str) -> Option<String> {
        let Self { own: first, other: second } = self;
        (own != other).then(|| {
            format!(
                "{first} runs fieldgate {own} and {second} {other}: put the same version of fieldgate on both gateways"
            )
        })
    }

    fn clocks(self, ahead_us: i64) -> Option<String> {
        let Self { own, other } = self;
        let side = if ahead_us > 0 { "ahead of" } else { "behind" };
        (ahead_us.saturating_abs() > CLOCKS_APART_US).then(|| {
            let seconds = ahead_us.unsigned_abs() / 1_000_000;
            format!("{other}'s clock is at least {seconds} s {side} {own}'s; look at the time service of both")
        })
    }
}

fn time(milliseconds: u64) -> String {
    format!("{:?}", Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests;

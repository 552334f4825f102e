//! Tells people what they have to know at once: an outage, a failover, a full queue, damage in the queue; and of two gateways, a
//! takeover, and that one is alone.
//!
//! It only looks at what the parts show of themselves anyway, and never waits for whoever is told: neither a program that
//! hangs nor a broker that is away can hold up the drain.

pub mod command;
mod pair;

use crate::standby::state::StandbyState;
use crate::status::{DrainState, Full, IntakeState};
use jiff::Timestamp;
use pair::SeenPair;
use serde::Serialize;
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

/// Events that wait to be told.
pub const EVENTS_WAITING: usize = 64;
/// A source that is away for less is not worth waking anybody.
const OUTAGE_AFTER: Duration = Duration::from_secs(10);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// No server has taken writes for more than ten seconds.
    Outage,
    /// One does again.
    OutageEnd,
    /// A new term began.
    Failover,
    /// There is no room: readings are dropped, or not taken.
    QueueFull,
    /// There is again.
    QueueRoom,
    /// The queue's store could not be used.
    QueueDamaged,
    /// This gateway of two became the active one, or is it no longer.
    Takeover,
    /// It does not hear the other one: nobody takes over when it fails.
    StandbyAlone,
    /// It does again.
    StandbyBack,
}

impl EventKind {
    /// Its name, as programs get it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::OutageEnd => "outage-end",
            Self::Failover => "failover",
            Self::QueueFull => "queue-full",
            Self::QueueRoom => "queue-room",
            Self::QueueDamaged => "queue-damaged",
            Self::Takeover => "takeover",
            Self::StandbyAlone => "standby-alone",
            Self::StandbyBack => "standby-back",
        }
    }
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind it is.
    pub kind: EventKind,
    /// What happened, in a sentence.
    pub text: String,
    /// When, microseconds since 1970.
    pub at_us: i64,
}

/// An event as it is published.
#[derive(Serialize)]
struct Published<'a> {
    kind: EventKind,
    text: &'a str,
    /// RFC 3339, UTC.
    at: String,
    gateway: &'a str,
    site: &'a str,
}

/// Hands events to whoever is to be told.
pub struct Teller {
    /// This gateway.
    pub gateway: String,
    /// Its site.
    pub site: String,
    /// To the command.
    pub command: Option<mpsc::Sender<Event>>,
    /// To the topic, as JSON.
    pub topic: Option<mpsc::Sender<Vec<u8>>>,
}

impl Teller {
    /// Hands over; what finds no room is logged and forgotten.
    pub fn tell(&self, event: &Event) {
        if let Some(command) = &self.command {
            hand_over("the command", command, event.clone());
        }
        if let Some((topic, json)) = self.topic.as_ref().zip(self.json(event)) {
            hand_over("the topic", topic, json);
        }
    }

    fn json(&self, event: &Event) -> Option<Vec<u8>> {
        let at = Timestamp::from_microsecond(event.at_us).map(|at| at.to_string()).unwrap_or_default();
        let published = Published { kind: event.kind, text: &event.text, at, gateway: &self.gateway, site: &self.site };
        serde_json::to_vec(&published).inspect_err(|error| warn!("an event cannot be written as JSON: {error}")).ok()
    }
}

fn hand_over<T>(to: &str, sender: &mpsc::Sender<T>, what: T) {
    if let Err(TrySendError::Full(_)) = sender.try_send(what) {
        warn!("{EVENTS_WAITING} events wait for {to} of [notify] already; one is not told");
    }
}

/// What is watched.
pub struct Watched {
    /// This gateway.
    pub gateway: String,
    /// The drain.
    pub drain: watch::Receiver<DrainState>,
    /// The intake.
    pub intake: watch::Receiver<IntakeState>,
    /// The loop of the role, and for how long the other gateway may be silent; none for a gateway alone.
    pub standby: Option<(watch::Receiver<StandbyState>, Duration)>,
}

/// Watches for as long as the gateway lives, and tells what changes.
pub async fn watch(watched: Watched, tell: impl Fn(EventKind, String)) {
    let Watched { gateway, mut drain, mut intake, standby } = watched;
    let (mut standby, silence) = standby.map_or((None, Duration::MAX), |(shown, silence)| (Some(shown), silence));
    let (mut seen, mut pair) = (Seen::default(), SeenPair::new(gateway, silence));
    loop {
        let now = Instant::now();
        let mut found = seen.look(&drain.borrow_and_update(), *intake.borrow_and_update(), now);
        found.extend(standby.iter_mut().flat_map(|shown| pair.look(&shown.borrow_and_update(), now)));
        found.into_iter().for_each(|(kind, text)| tell(kind, text));
        let due = seen.due().into_iter().chain(pair.due()).min();
        let changed = tokio::select! {
            changed = drain.changed() => changed,
            changed = intake.changed() => changed,
            changed = changed(standby.as_mut()) => changed,
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => Ok(()),
        };
        if changed.is_err() {
            // A part has ended, and with it the gateway: whoever waits for the parts says why.
            pending::<()>().await;
        }
    }
}

async fn changed<T>(watched: Option<&mut watch::Receiver<T>>) -> Result<(), watch::error::RecvError> {
    match watched {
        Some(watched) => watched.changed().await,
        None => pending().await,
    }
}

/// What was seen, and told, last.
#[derive(Debug, Default)]
struct Seen {
    without_source_since: Option<Instant>,
    outage_told: bool,
    failover: Option<String>,
    full: Option<Full>,
}

impl Seen {
    fn look(&mut self, drain: &DrainState, intake: IntakeState, now: Instant) -> Vec<(EventKind, String)> {
        let mut found: Vec<_> = self.outage(drain, now).into_iter().collect();
        if drain.failover != self.failover {
            self.failover.clone_from(&drain.failover);
            found.extend(drain.failover.iter().map(|text| (EventKind::Failover, text.clone())));
        }
        found.extend(match (self.full, intake.full) {
            (None, Some(full)) => Some((EventKind::QueueFull, full.words())),
            (Some(full), None) => Some((EventKind::QueueRoom, full.over())),
            _ => None,
        });
        self.full = intake.full;
        found
    }

    fn outage(&mut self, drain: &DrainState, now: Instant) -> Option<(EventKind, String)> {
        let Some(source) = &drain.source else {
            let since = *self.without_source_since.get_or_insert(now);
            let begins = !self.outage_told && now.duration_since(since) >= OUTAGE_AFTER;
            self.outage_told |= begins;
            let promotion = drain.promotion.as_ref().map_or_else(String::new, |words| format!("; {words}"));
            let text = || format!("{}; readings stay in the queue{promotion}", drain.why);
            return begins.then(|| (EventKind::Outage, text()));
        };
        let since = self.without_source_since.take()?;
        let text = || format!("{source} takes writes after {} s without a source", now.duration_since(since).as_secs());
        std::mem::take(&mut self.outage_told).then(|| (EventKind::OutageEnd, text()))
    }

    /// When to look again although nothing has changed.
    fn due(&self) -> Option<Instant> {
        self.without_source_since.filter(|_| !self.outage_told).map(|since| since + OUTAGE_AFTER)
    }
}

#[cfg(test)]
mod tests;

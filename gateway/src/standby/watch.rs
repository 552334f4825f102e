//! The loop that feeds the table of roles, and does what comes of it: beats, the lease, the log, and what people see.
//!
//! All that is to be decided is in [`situation`](super::situation).

use super::beat::{Frame, Identity};
use super::ends::LinkName;
use super::inputs::{Ask, GroupView, Marks};
use super::link::News;
use super::requests::Requests;
use super::role::Action;
use super::situation::{Setup, Situation, micros};
use super::state::StandbyState;
use sensors::{SampleClock, Stamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::info;

/// For the last beat to get out of the machine.
const FAREWELL: Duration = Duration::from_millis(100);

/// Says until when the buses that only one may ask may be asked, microseconds of CLOCK_BOOTTIME; none: at once not any more.
pub type Grant = Box<dyn Fn(Option<u64>) + Send>;

/// Everything the loop needs.
pub struct Watch {
    /// `[standby]`.
    pub settings: config::Standby,
    /// The site, and this gateway's id.
    pub names: (String, String),
    /// This start of the process, at random.
    pub start: u32,
    /// The newest term that this gateway knew when it last ran; 0 for none.
    pub first_term: u64,
    /// The links, in the order of their numbers.
    pub links: Vec<LinkName>,
    /// What they tell.
    pub news: mpsc::Receiver<News>,
    /// What they send.
    pub outgoing: watch::Sender<Frame>,
    /// What people ask.
    pub asks: mpsc::Receiver<Ask>,
    /// What the drain sees in the database.
    pub database: watch::Receiver<GroupView>,
    /// How far the readings have come.
    pub marks: watch::Receiver<Marks>,
    /// To the sources.
    pub grant: Grant,
    /// To people.
    pub shown: watch::Sender<StandbyState>,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// True once the gateway stops.
    pub stop: watch::Receiver<bool>,
}

/// What has ended the wait.
enum Woken {
    News(News),
    Ask(Ask),
    Other,
}

impl Watch {
    /// Runs until the gateway stops, and has said so to the other one by then.
    pub async fn run(mut self) {
        let mut situation = Situation::new(self.setup(), self.links.clone(), self.clock.stamp());
        let mut requests = Requests::default();
        let mut woken = Woken::Other;
        loop {
            let now = self.clock.stamp();
            situation.come_round(now);
            self.take(woken, &mut situation, &mut requests, now);
            situation.look_at_time(now);
            let stops = *self.stop.borrow();
            if stops {
                situation.stop(now);
            }
            self.act(&mut situation, stops, now);
            requests.settle(&situation, now);
            self.shown.send_replace(situation.shown(now));
            if stops {
                return sleep(FAREWELL).await;
            }
            woken = self.wait(Duration::from_micros(situation.plan_us(now))).await;
        }
    }

    fn setup(&self) -> Setup {
        let (site, gateway) = &self.names;
        Setup {
            me: Identity::new(site, gateway, self.start),
            gateway: gateway.clone(),
            priority: self.settings.priority,
            beat_us: micros(self.settings.beat),
            silence_us: micros(self.settings.silence),
            preempt: self.settings.preempt,
            first_term: self.first_term,
        }
    }

    /// Everything that has come since the last round, in the order in which it came.
    fn take(&mut self, woken: Woken, situation: &mut Situation, requests: &mut Requests, now: Stamp) {
        situation.set_marks(*self.marks.borrow());
        let ask = match woken {
            Woken::News(news) => {
                situation.news(&news, now);
                None
            }
            Woken::Ask(ask) => Some(ask),
            Woken::Other => None,
        };
        while let Ok(news) = self.news.try_recv() {
            situation.news(&news, now);
        }
        situation.database(self.database.borrow_and_update().clone(), now);
        for ask in ask.into_iter().chain(std::iter::from_fn(|| self.asks.try_recv().ok())) {
            requests.take(ask, situation, now);
        }
    }

    fn act(&self, situation: &mut Situation, speaks: bool, now: Stamp) {
        let speaks = speaks || situation.has_to_speak(now);
        for row in situation.take_changes() {
            info!(role = %row.to, term = situation.term(), "{}", row.reason);
            if row.action == Action::Rest {
                (self.grant)(None);
            }
        }
        if speaks {
            self.outgoing.send_replace(situation.speak(now));
            if let Some(lease_us) = situation.lease_us() {
                (self.grant)(Some(lease_us));
            }
        }
    }

    /// Waits for something to do, at most so long.
    async fn wait(&mut self, most: Duration) -> Woken {
        tokio::select! {
            Some(news) = self.news.recv() => Woken::News(news),
            Some(ask) = self.asks.recv() => Woken::Ask(ask),
            Ok(()) = self.database.changed() => Woken::Other,
            Ok(()) = self.stop.changed() => Woken::Other,
            () = sleep(most) => Woken::Other,
        }
    }
}

#[cfg(test)]
mod tests;

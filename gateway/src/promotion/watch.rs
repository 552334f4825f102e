//! The task of a running gateway that promotes by itself: looks at the gates while nobody takes writes, and does the chores while
//! somebody does.

use super::{Failure, Hands, Login, Promotion, Record, Rules, Switchover, do_chores};
use crate::database::Account;
use crate::status::DrainState;
use crate::topology::promote::chores::{Task, chores, left_behind};
use crate::topology::promote::{Answer, Gate, Situation, consider};
use crate::topology::switchover::{Begun, begun};
use crate::topology::{Choice, View, choose};
use config::Config;
use sensors::SampleClock;
use sensors::backoff::Backoff;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

/// After a try that failed: from one to thirty seconds until the next.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// Gates that wait for time only are looked at again so often.
const AGAIN: Duration = Duration::from_secs(1);

/// What people see of it, in the state of the drain.
pub type Told = watch::Sender<DrainState>;

/// The task.
pub struct Promoter {
    /// The configuration, for the servers and their database.
    pub config: Config,
    /// The account that may promote.
    pub account: Account,
    /// By which rules.
    pub rules: Rules,
    /// What the probes see.
    pub views: watch::Receiver<Vec<View>>,
    /// Lets them look at once.
    pub look: Arc<Notify>,
    /// Where the highest term stands, and where people read how far it is.
    pub told: Told,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
}

/// What it keeps from one look to the next.
struct Memory {
    without_source_since: Option<Instant>,
    not_before: Instant,
    backoff: Backoff,
    /// Why the last try failed, as it was said.
    failed: Option<String>,
    /// The gate that was said to be shut, and why.
    said: Option<(Gate, String)>,
    /// That the small file could not be written, as it was said.
    said_failure: Option<String>,
}

impl Memory {
    /// That it cannot be written is said once.
    fn settle(&mut self, record: &mut Record, views: &[View]) {
        let words = record.settle(views).err().map(|failure| failure.to_string());
        if let Some(words) = words.as_ref().filter(|words| self.said_failure.as_ref() != Some(*words)) {
            warn!("{words}");
        }
        self.said_failure = words;
    }
}

impl Promoter {
    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let backoff = Backoff::new(SHORTEST, LONGEST, u64::from(std::process::id()));
        let (not_before, failed, said, said_failure) = (Instant::now(), None, None, None);
        let mut memory = Memory { without_source_since: None, not_before, backoff, failed, said, said_failure };
        loop {
            let due = self.look(&mut memory).await;
            tokio::select! {
                changed = self.views.changed() => if changed.is_err() { return },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// One look; when to look again although nothing has changed.
    async fn look(&mut self, memory: &mut Memory) -> Option<Instant> {
        let views = self.views.borrow_and_update().clone();
        let record = Record::open(&self.config.gateway.state_dir);
        let shown_term = self.told.borrow().highest_term;
        let highest_term = shown_term.max(record.term());
        let choice = choose(&views, highest_term);
        if choice.source.is_some() {
            return self.with_source(memory, views, &choice, record).await;
        }
        if views.iter().any(View::is_unasked) {
            return None;
        }
        let now = Instant::now();
        let since = *memory.without_source_since.get_or_insert(now);
        if now < memory.not_before {
            return Some(memory.not_before);
        }
        let behind = left_behind(&views);
        if !behind.is_empty() {
            return self.do_chores(memory, views, &behind, None, record).await;
        }
        if let Some(begun) = begun(&views, highest_term) {
            return self.go_on(memory, views, begun, highest_term, since).await;
        }
        let situation = Situation {
            views: &views,
            highest_term: shown_term,
            without_source: Some(now.duration_since(since)),
            now_us: self.clock.stamp().wall_us,
            grace: self.rules.grace,
            cooldown: self.rules.cooldown,
        };
        let considered = consider(&situation);
        if !considered.is_open_but(&[]) {
            self.say(memory, considered.first_shut());
            // The end of grace is met exactly; all else is seen by the probes, or by and by.
            let end_of_grace = since + self.rules.grace;
            return Some(if end_of_grace > now { end_of_grace.min(now + AGAIN) } else { now + AGAIN });
        }
        self.promote(memory, views, shown_term, since, record).await
    }

    async fn promote(
        &mut self,
        memory: &mut Memory,
        views: Vec<View>,
        highest_term: u64,
        since: Instant,
        record: Record,
    ) -> Option<Instant> {
        let began = Instant::now();
        let hands = Hands::new(&self.config, &self.account, views);
        let (rules, clock, seen) = (self.rules.clone(), Arc::clone(&self.clock), Some(self.views.clone()));
        let waited = Some(began.duration_since(since));
        let promotion = Promotion::new(rules, hands, record, clock, highest_term, waited, seen);
        let told = self.told.clone();
        let tell = |words: &str| {
            info!("promotion: {words}");
            told.send_modify(|state| state.promotion = Some(words.to_owned()));
        };
        match promotion.run(tell).await {
            Ok((promoted, hands, _)) => {
                info!(
                    term = promoted.term,
                    "{} takes writes, {} ms after the gates opened",
                    hands.name(promoted.server),
                    began.elapsed().as_millis()
                );
                hands.close().await;
                memory.backoff.reset();
                self.look.notify_waiters();
                // Until the probes have seen it.
                memory.not_before = Instant::now() + AGAIN;
                Some(memory.not_before)
            }
            Err(failure) => {
                self.failed(memory, &failure);
                memory.not_before = Instant::now() + memory.backoff.delay();
                Some(memory.not_before)
            }
        }
    }

    /// A switchover whose command was killed is finished; one that still runs holds the lock, and the next look waits.
    async fn go_on(
        &mut self,
        memory: &mut Memory,
        views: Vec<View>,
        Begun { from, to }: Begun,
        highest_term: u64,
        since: Instant,
    ) -> Option<Instant> {
        let due = since + self.rules.grace;
        if Instant::now() < due {
            return Some(due);
        }
        let login = Login::of(&self.config).ok().flatten();
        let (hands, rules) = (Hands::new(&self.config, &self.account, views), self.rules.clone());
        let clock = Arc::clone(&self.clock);
        let mut switchover = Switchover::new(hands, rules, login, clock, (from, to), highest_term).only_if_begun();
        let done = match switchover.is_announced().await {
            Ok(true) => switchover.run(|words| info!("switchover: {words}")).await,
            Ok(false) => Err(Failure::Shut(
                "a term names a server that follows a closed one, and no switchover has given it".to_owned(),
            )),
            Err(failure) => Err(failure),
        };
        match done {
            Ok(switched) => {
                switched.left.iter().for_each(|words| warn!("{words}"));
                memory.backoff.reset();
                memory.not_before = Instant::now() + AGAIN;
            }
            Err(failure) => {
                self.failed(memory, &failure);
                memory.not_before = Instant::now() + memory.backoff.delay();
            }
        }
        switchover.into_hands().close().await;
        self.look.notify_waiters();
        Some(memory.not_before)
    }

    /// The log hears of each failure once, until something else is the matter.
    fn failed(&mut self, memory: &mut Memory, failure: &Failure) {
        let words = format!("no server is promoted: {failure}");
        let is_new = memory.failed.as_ref() != Some(&words);
        match failure {
            _ if !is_new => {}
            Failure::Database(_) | Failure::Record(..) | Failure::NotApplied { .. } => {
                error!("{words}; it is tried again")
            }
            _ => warn!("{words}"),
        }
        (memory.said, memory.failed) = (None, Some(words.clone()));
        self.told.send_modify(|state| state.promotion = Some(words));
    }

    async fn with_source(
        &mut self,
        memory: &mut Memory,
        views: Vec<View>,
        choice: &Choice,
        mut record: Record,
    ) -> Option<Instant> {
        (memory.without_source_since, memory.said, memory.failed) = (None, None, None);
        self.told.send_if_modified(|state| state.promotion.take().is_some());
        // Before that the probes may not have seen yet what was stopped just now.
        if Instant::now() >= memory.not_before {
            memory.settle(&mut record, &views);
        }
        let tasks = chores(&views, choice.source?, record.stopped());
        if tasks.is_empty() {
            return None;
        }
        self.do_chores(memory, views, &tasks, choice.source, record).await
    }

    async fn do_chores(
        &mut self,
        memory: &mut Memory,
        views: Vec<View>,
        tasks: &[Task],
        source: Option<usize>,
        mut record: Record,
    ) -> Option<Instant> {
        if Instant::now() < memory.not_before {
            return Some(memory.not_before);
        }
        let mut hands = Hands::new(&self.config, &self.account, views);
        let now_us = self.clock.stamp().wall_us;
        let (done, is_all) = do_chores(&mut hands, tasks, source, &mut record, &self.rules, now_us).await;
        done.iter().for_each(|words| info!("{words}"));
        hands.close().await;
        self.look.notify_waiters();
        if is_all {
            memory.backoff.reset();
        }
        // Until the probes have seen what was done.
        memory.not_before = Instant::now() + memory.backoff.delay();
        Some(memory.not_before)
    }

    /// The log hears of each gate once, or again when its reason changes for another cause than time.
    fn say(&self, memory: &mut Memory, shut: Option<&Answer>) {
        let Some(Answer { gate, why, .. }) = shut else { return };
        let is_time = matches!(gate, Gate::Grace | Gate::Cooldown);
        let is_new = memory.said.as_ref().is_none_or(|(said, words)| said != gate || (!is_time && words != why));
        let words = format!("no server is promoted: {why}");
        if is_new {
            warn!("{words}");
            memory.said = Some((*gate, why.clone()));
        }
        self.told.send_modify(|state| state.promotion = Some(words));
    }
}

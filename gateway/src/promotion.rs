//! Lets another server become the source, where that is ours to do: steps over real connections, each checked, decided by the
//! pure rules of [`crate::topology::promote`].
//!
//! A promotion may end after any step: the gateway may be killed, a server may die. So nothing here has to be taken up again where
//! it ended. Whoever comes next looks at the servers and begins anew, and finds done what was done. Only what cannot be seen
//! is written to a small file: which servers were stopped, and the number of the term.

mod chores;
mod failure;
mod follow;
mod hands;
mod record;
mod rejoin;
mod statements;
mod steps;
mod switchover;
mod watch;

pub use chores::do_chores;
pub use failure::Failure;
pub use follow::Login;
pub use hands::Hands;
pub use record::Record;
pub use rejoin::rejoin;
pub use switchover::{Stage, Switched, Switchover, closed_source_for};
pub use watch::{Promoter, Told};

use crate::database::Account;
use crate::topology::promote::steps::{Step, after};
use crate::topology::promote::{Considered, Gate, Situation, Way, consider};
use crate::topology::{View, choose};
use config::Config;
use sensors::SampleClock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as channel;

/// Who promotes, and by which rules.
#[derive(Clone)]
pub struct Rules {
    /// This gateway.
    pub gateway: String,
    /// Its site.
    pub site: String,
    /// `mysql.promote.grace`.
    pub grace: Duration,
    /// `mysql.promote.cooldown`.
    pub cooldown: Duration,
    /// How long a candidate may stand still while it applies what it has received.
    pub patience: Duration,
    /// Gates for which somebody answers who has asked for the promotion.
    pub waived: Vec<Gate>,
}

impl Rules {
    /// As configured; none without `[mysql.promote]`.
    pub fn of(config: &Config) -> Option<Self> {
        let promote = config.mysql.promote.as_ref()?;
        Some(Self {
            gateway: config.gateway.id.to_string(),
            site: config.gateway.site.to_string(),
            grace: promote.grace,
            cooldown: promote.cooldown,
            patience: config.mysql.query_timeout,
            waived: Vec::new(),
        })
    }
}

/// The account that may promote, with the gateway's own database; none without `[mysql.promote]`.
pub fn account(config: &Config, password: Option<String>) -> Option<Account> {
    let promote = config.mysql.promote.as_ref()?;
    let account = Account::named(config, &promote.user, password);
    Some(Account { database: Some(config.mysql.database.clone()), ..account })
}

/// A server that became the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// Its place in the configuration.
    pub server: usize,
    /// Its term.
    pub term: u64,
}

/// One promotion, from the lock to a server that is open for writes.
pub struct Promotion {
    rules: Rules,
    hands: Hands,
    record: Record,
    clock: Arc<dyn SampleClock>,
    /// The highest that any server has shown. One that was given and shown by none does not count: nobody has been opened with it.
    highest_term: u64,
    without_source: Option<Duration>,
    /// What the probes of a running gateway go on to see; none in a command.
    seen: Option<channel::Receiver<Vec<View>>>,
    next: Option<Step>,
    candidate: Option<(usize, Way)>,
    term: u64,
}

impl Promotion {
    /// Nothing has been done yet.
    pub fn new(
        rules: Rules,
        hands: Hands,
        record: Record,
        clock: Arc<dyn SampleClock>,
        highest_term: u64,
        without_source: Option<Duration>,
        seen: Option<channel::Receiver<Vec<View>>>,
    ) -> Self {
        let (next, candidate) = (Some(Step::Lock), None);
        Self { rules, hands, record, clock, highest_term, without_source, seen, next, candidate, term: 0 }
    }

    /// Does every step, and starts again what was stopped when one fails.
    ///
    /// # Errors
    /// [`Failure`] of the step that failed.
    pub async fn run(mut self, mut tell: impl FnMut(&str)) -> Result<(Promoted, Hands, Record), Failure> {
        while self.next.is_some() {
            match self.step().await {
                Ok(words) => tell(&words),
                Err(failure) => {
                    self.give_up().await;
                    return Err(failure);
                }
            }
        }
        let server = self.candidate.map_or(0, |(server, _)| server);
        Ok((Promoted { server, term: self.term }, self.hands, self.record))
    }

    /// Does the next step; says what was done. Whoever calls no further leaves it as a killed gateway would.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn step(&mut self) -> Result<String, Failure> {
        let Some(step) = self.next else { return Ok(String::new()) };
        let words = match step {
            Step::Lock => self.lock().await?,
            Step::LookAgain => self.look_again().await?,
            Step::StopReceiving => self.stop_receiving().await?,
            Step::Apply => self.apply().await?,
            Step::Reset => self.reset().await?,
            Step::RaiseTerm => self.raise_term().await?,
            Step::Spread => self.spread().await?,
            Step::Open => self.open().await?,
        };
        self.next = after(step, self.candidate.map_or(Way::Promote, |(_, way)| way));
        Ok(words)
    }

    /// The step that comes next; none when the server is open for writes.
    pub fn next(&self) -> Option<Step> {
        self.next
    }

    /// Whom it has chosen; none before it has looked at the servers.
    pub fn chosen(&self) -> Option<usize> {
        self.candidate.map(|(index, _)| index)
    }

    /// Every gate, as things are now.
    pub fn considered(&self) -> Considered {
        consider(&Situation {
            views: self.hands.views(),
            highest_term: self.highest_term,
            without_source: self.without_source,
            now_us: self.clock.stamp().wall_us,
            grace: self.rules.grace,
            cooldown: self.rules.cooldown,
        })
    }

    /// Whom the gates let through.
    fn choose(&mut self) -> Result<(usize, Way), Failure> {
        let considered = self.considered();
        let shut = considered.answers.iter().find(|answer| !answer.open && !self.rules.waived.contains(&answer.gate));
        if let Some(answer) = shut {
            return Err(Failure::Shut(answer.why.clone()));
        }
        let candidate = considered.candidate.ok_or_else(|| Failure::Shut("there is no candidate".to_owned()))?;
        self.candidate = Some(candidate);
        Ok(candidate)
    }

    /// Before anything that cannot be taken back. The probes of a running gateway ask all servers all the time: while one takes
    /// writes nobody else may, and one that answers again may have been locked by somebody else.
    async fn still_may(&mut self) -> Result<(), Failure> {
        if let Some(seen) = &self.seen {
            let views = seen.borrow().clone();
            let choice = choose(&views, self.highest_term);
            if choice.source.is_some() {
                return Err(Failure::SourceIsBack(choice.why));
            }
            let is_new = |(index, view): &(usize, &View)| view.facts().is_some() && self.hands.facts(*index).is_none();
            if let Some((_, view)) = views.iter().enumerate().find(is_new) {
                return Err(Failure::Shut(format!("{} answers again: all servers are asked once more", view.name)));
            }
        }
        self.hands.confirm_lock().await?;
        match self.candidate {
            Some((index, _)) if !self.hands.holds_lock(index) => {
                Err(Failure::Shut(format!("the promotion lock at {} was lost", self.hands.name(index))))
            }
            _ => Ok(()),
        }
    }

    /// Nobody answers for it that fewer than half of the servers answer.
    fn needs_majority(&self) -> bool {
        !self.rules.waived.contains(&Gate::Majority)
    }
}

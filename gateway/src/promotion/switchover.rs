//! A planned change of the source, under load: steps, each checked, and taken back when one fails.
//!
//! The term is raised at the old source once it is closed, and still replicates: so whatever happens afterwards no server gets a
//! transaction that the others lack, and a term that names another server than the one that shows it tells everybody that a
//! switchover was begun. Who comes next can finish it or take it back.

mod back;
mod begun;

pub use begun::closed_source_for;

use super::follow::{Login, follow};
use super::statements::{self, Channel};
use super::{Failure, Hands, Rules};
use crate::database::{Family, Session};
use crate::event::Event;
use crate::term_row;
use crate::topology::{Facts, Term};
use sensors::SampleClock;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long writes may stand still before it is taken back.
const STANDSTILL: Duration = Duration::from_secs(5);

/// One step between a source that takes writes and another one that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Close the old source for writes.
    Close,
    /// Raise the term there, naming the new one.
    RaiseTerm,
    /// Wait until the new one has everything.
    CatchUp,
    /// Let it forget whom it followed.
    Release,
    /// Open it for writes.
    Open,
}

/// From which server to which.
pub struct Switchover {
    hands: Hands,
    rules: Rules,
    login: Option<Login>,
    clock: Arc<dyn SampleClock>,
    from: usize,
    to: usize,
    highest_term: u64,
    next: Option<Stage>,
    closed_at: Instant,
    /// Only one that somebody else has begun is to be finished.
    must_be_begun: bool,
    /// Somebody had closed the old source before, so it is not opened when this is taken back.
    was_closed: bool,
}

/// What a switchover has come to.
#[derive(Debug)]
pub struct Switched {
    /// What could not be done after the new source took writes; empty when all is well.
    pub left: Vec<String>,
}

impl Switchover {
    /// Nothing has been done yet. Without a login the old source is left closed and follows nobody.
    pub fn new(
        hands: Hands,
        rules: Rules,
        login: Option<Login>,
        clock: Arc<dyn SampleClock>,
        (from, to): (usize, usize),
        highest_term: u64,
    ) -> Self {
        let (next, closed_at) = (Some(Stage::Close), Instant::now());
        let (must_be_begun, was_closed) = (false, false);
        Self { hands, rules, login, clock, from, to, highest_term, next, closed_at, must_be_begun, was_closed }
    }

    /// The same, only to finish what somebody else has begun: while the old source takes writes there is nothing to do.
    pub fn only_if_begun(self) -> Self {
        Self { must_be_begun: true, ..self }
    }

    /// What is done, a sentence a step.
    pub fn in_words(&self) -> Vec<String> {
        let (from, to) = (self.hands.name(self.from), self.hands.name(self.to));
        vec![
            "take the promotion lock, and look at the servers again".to_owned(),
            format!("close {from} for writes"),
            format!("raise the term at {from}, naming {to}"),
            format!("wait until {to} has everything"),
            format!("let {to} forget whom it followed, and open it for writes"),
            format!("let {from} follow {to}"),
            format!("let the other replicas follow {to}"),
        ]
    }

    /// Does it. `tell` hears of each step.
    ///
    /// # Errors
    /// [`Failure`] of the step that failed; the old source takes writes again then, or the words say that it does not.
    pub async fn run(&mut self, mut tell: impl FnMut(&str)) -> Result<Switched, Failure> {
        tell(&self.begin().await?);
        while let Some(stage) = self.next {
            match self.step().await {
                Ok(words) => tell(&words),
                Err(failure) => return Err(self.take_back(failure, stage).await),
            }
        }
        Ok(Switched { left: self.let_follow(&mut tell).await })
    }

    /// The step that comes next; none when the new source takes writes.
    pub fn next(&self) -> Option<Stage> {
        self.next
    }

    /// Takes the lock, looks again, and finds where to go on; says so.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn begin(&mut self) -> Result<String, Failure> {
        // By hand it does not matter how many servers answer.
        self.hands.lock(self.must_be_begun).await?;
        self.hands.ask_all().await;
        let (next, words) = if self.hands.facts(self.from).is_some_and(|source| source.read_only) {
            self.where_it_was_left().await?
        } else if self.must_be_begun {
            return Err(Failure::SourceIsBack(format!("{} takes writes again", self.hands.name(self.from))));
        } else {
            self.check()?;
            (Stage::Close, "all is ready, and the promotion lock is held".to_owned())
        };
        self.next = Some(next);
        Ok(words)
    }

    /// Does the next step; says what was done. Whoever calls no further leaves it as a killed command would.
    ///
    /// # Errors
    /// [`Failure`]; nothing has been taken back then.
    pub async fn step(&mut self) -> Result<String, Failure> {
        let Some(stage) = self.next else { return Ok(String::new()) };
        let (words, next) = match stage {
            Stage::Close => (self.close().await?, Some(Stage::RaiseTerm)),
            Stage::RaiseTerm => (self.raise_term().await?, Some(Stage::CatchUp)),
            Stage::CatchUp => (self.catch_up().await?, Some(Stage::Release)),
            Stage::Release => (self.release().await?, Some(Stage::Open)),
            Stage::Open => (self.open().await?, None),
        };
        self.next = next;
        Ok(words)
    }

    /// The connections, to do more with or to close.
    pub fn into_hands(self) -> Hands {
        self.hands
    }

    /// Only a replica that is well and has nothing of its own may take over, and the old source must be able to follow it.
    ///
    /// # Errors
    /// [`Failure::Shut`] with the reason.
    pub fn check(&self) -> Result<(), Failure> {
        let (from, to) = (self.hands.name(self.from), self.hands.name(self.to));
        let no = |why: String| Err(Failure::Shut(why));
        let Some(source) = self.hands.facts(self.from) else { return no(format!("{from} does not answer")) };
        let Some(facts) = self.hands.facts(self.to) else { return no(format!("{to} does not answer")) };
        if let Some(why) = facts.not_promotable(Some(source)) {
            return no(format!("{to}: {why}"));
        }
        let channel = match facts.replication.as_slice() {
            [channel] if channel.upstream_id == source.server_id => channel,
            _ => return no(format!("{to} does not follow {from}, or not {from} alone")),
        };
        // One that was begun may have stopped both threads; what is still missing then is asked for once they run again.
        let must_run = !source.read_only;
        match channel {
            _ if !facts.read_only => no(format!("{to} is open for writes while it follows")),
            channel if !channel.by_gtid => no(format!("{to} replicates by file and position; GTIDs are needed")),
            channel if must_run && (!channel.connected || !channel.applying) => no(format!(
                "{to} does not receive and apply: {}",
                channel.error().as_deref().unwrap_or("it was stopped")
            )),
            _ => Ok(()),
        }
    }

    /// For all but our own account, which has yet to raise the term there.
    async fn close(&mut self) -> Result<String, Failure> {
        self.closed_at = Instant::now();
        let session = self.hands.session(self.from).await?;
        // It waits for transactions that are open: not for ever, as nobody else can begin one meanwhile.
        session.run(&format!("SET SESSION lock_wait_timeout = {}", patience_s())).await?;
        session.run(statements::CLOSE_FOR_OTHERS).await?;
        Ok(format!("{} is closed for writes", self.hands.name(self.from)))
    }

    async fn raise_term(&mut self) -> Result<String, Failure> {
        let (from, to) = (self.hands.name(self.from).to_owned(), self.hands.name(self.to).to_owned());
        let server = self.hands.facts(self.to).map(|facts| facts.identity.clone()).unwrap_or_default();
        let term = self.highest_term.saturating_add(1);
        let text = format!("{to} takes over from {from} by command: it is the source {}", in_term(term));
        self.give_term(self.from, Term { number: term, server }, &text).await?;
        let session = self.hands.session(self.from).await?;
        let close = statements::close(session.family());
        session.run(close).await?;
        Ok(format!("the term is {term}"))
    }

    /// Writes a term and an event at a server that is closed for everybody else.
    async fn give_term(&mut self, index: usize, term: Term, text: &str) -> Result<(), Failure> {
        let (at_us, site, gateway) = (self.clock.stamp().wall_us, &self.rules.site, &self.rules.gateway);
        let event = Event { at_us, site, gateway, kind: "switchover", text, count: None };
        let session = self.hands.session(index).await?;
        if let Some(statement) = statements::write_while_closed(session.family()) {
            session.run(statement).await?;
        }
        let before = term_row::read(session).await?;
        Ok(term_row::raise(session, before.as_ref(), &term, &event).await?)
    }

    async fn catch_up(&mut self) -> Result<String, Failure> {
        let name = self.hands.name(self.to).to_owned();
        let source = self.hands.session(self.from).await?;
        let (family, reached) = (source.family(), reached(source).await?);
        let target = self.hands.session(self.to).await?;
        let answer = target.ask(&statements::wait_for(family, &reached, patience_s())).await?;
        if answer.first().and_then(|row| row.first()?.as_i64()) != Some(0) {
            let why = format!("it does not get to {reached} within {} s", patience_s());
            return Err(Failure::NotApplied { server: name, why });
        }
        Ok(format!("{name} has everything"))
    }

    async fn release(&mut self) -> Result<String, Failure> {
        self.hands.confirm_lock().await?;
        let family = self.hands.session(self.to).await?.family();
        let channels = self.hands.facts(self.to).map(|facts| facts.replication.clone()).unwrap_or_default();
        for name in channels.iter().map(|channel| channel.channel.as_str()) {
            let channel = Channel { family, name };
            self.hands.run(self.to, &[channel.stop(), channel.forget()]).await?;
        }
        Ok(format!("{} follows nobody", self.hands.name(self.to)))
    }

    async fn open(&mut self) -> Result<String, Failure> {
        self.hands.confirm_lock().await?;
        self.hands.run(self.to, &[statements::OPEN]).await?;
        let (name, ms) = (self.hands.name(self.to), self.closed_at.elapsed().as_millis());
        Ok(format!("{name} takes writes; they stood still for {ms} ms"))
    }

    /// The old source, then all that followed it.
    async fn let_follow(&mut self, tell: &mut impl FnMut(&str)) -> Vec<String> {
        let upstream_id = self.hands.facts(self.from).map(|facts| facts.server_id);
        let is_of_source = |facts: &Facts| facts.replication.iter().any(|one| Some(one.upstream_id) == upstream_id);
        let others = self.hands.answering().into_iter().filter(|index| *index != self.to && *index != self.from);
        let others: Vec<usize> = others.filter(|index| self.hands.facts(*index).is_some_and(is_of_source)).collect();
        let mut left = Vec::new();
        for index in std::iter::once(self.from).chain(others) {
            let name = self.hands.name(index).to_owned();
            match self.follow(index, self.to).await {
                Ok(()) => tell(&format!("{name} follows {}", self.hands.name(self.to))),
                Err(error) => left.push(format!("{name} does not follow: {error}; try `fieldgate db rejoin {name}`")),
            }
        }
        left
    }

    async fn follow(&mut self, index: usize, source: usize) -> Result<(), Failure> {
        follow(&mut self.hands, index, source, self.login.as_ref(), self.rules.patience).await
    }
}

/// How long one statement may wait for others.
fn patience_s() -> u64 {
    STANDSTILL.as_secs().saturating_sub(2)
}

/// As events say it, and as they are found again.
fn in_term(term: u64) -> String {
    format!("in term {term}")
}

/// Every transaction of a server, in the form that others can wait for.
async fn reached(session: &mut Session) -> Result<String, Failure> {
    let sql = match session.family() {
        Family::MariaDb => "SELECT @@global.gtid_binlog_pos",
        Family::MySql => "SELECT @@global.gtid_executed",
    };
    let rows = session.ask(sql).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_text()).unwrap_or_default().replace('\n', ""))
}

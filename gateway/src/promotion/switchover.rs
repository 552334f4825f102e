//! A planned change of the source, under load: seven steps, each checked, and taken back when one fails.
//!
//! The term is raised at the old source, where it still replicates: so whatever happens afterwards no server gets a transaction
//! that the others lack. Taken back, the next connection of a gateway raises it once more, as after any failover.

use super::statements::{self, Channel, Upstream};
use super::{Failure, Hands, Rules};
use crate::database::{Family, Session};
use crate::event::Event;
use crate::term_row;
use crate::topology::{Facts, Replication, Term};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The account that replicas log in with.
#[derive(Clone)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whether replicas are to encrypt their connections.
    pub tls: bool,
}

/// From which server to which.
pub struct Switchover {
    /// The connections.
    pub hands: Hands,
    /// Who asks for it.
    pub rules: Rules,
    /// What the old source follows the new one with.
    pub login: Login,
    /// The source.
    pub from: usize,
    /// The server that is to be it.
    pub to: usize,
    /// The highest term ever seen.
    pub highest_term: u64,
}

/// How long writes may stand still before it is taken back.
const STANDSTILL: Duration = Duration::from_secs(5);
/// How often it is looked whether a server follows.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// What a switchover has come to.
#[derive(Debug)]
pub struct Switched {
    /// For how long no server took writes.
    pub standstill: Duration,
    /// What could not be done after the new source took writes; empty when all is well.
    pub left: Vec<String>,
}

impl Switchover {
    /// What is done, a sentence a step.
    pub fn in_words(&self) -> Vec<String> {
        let (from, to) = (self.hands.name(self.from), self.hands.name(self.to));
        vec![
            "take the promotion lock, and look at the servers again".to_owned(),
            format!("raise the term at {from}, naming {to}"),
            format!("close {from} for writes"),
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
    pub async fn run(&mut self, now_us: i64, mut tell: impl FnMut(&str)) -> Result<Switched, Failure> {
        self.hands.lock(false).await?;
        self.hands.ask_all().await;
        self.check()?;
        tell("all is ready, and the promotion lock is held");
        let term = self.raise_term(now_us).await?;
        tell(&format!("the term is {term}"));
        let closed = Instant::now();
        if let Err(failure) = self.close_and_catch_up(&mut tell).await {
            return Err(self.take_back(failure, false).await);
        }
        if let Err(failure) = self.open().await {
            return Err(self.take_back(failure, true).await);
        }
        let standstill = closed.elapsed();
        tell(&format!("{} takes writes; they stood still for {} ms", self.hands.name(self.to), standstill.as_millis()));
        let left = self.let_follow(&mut tell).await;
        Ok(Switched { standstill, left })
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
        if source.read_only {
            return no(format!("{from} has been closed for writes by somebody else"));
        }
        if let Some(why) = facts.not_promotable(Some(source)) {
            return no(format!("{to}: {why}"));
        }
        let channel = match facts.replication.as_slice() {
            [channel] if channel.upstream_id == source.server_id => channel,
            _ => return no(format!("{to} does not follow {from}, and nobody else")),
        };
        match channel {
            _ if !facts.read_only => no(format!("{to} is open for writes while it follows")),
            channel if !channel.by_gtid => no(format!("{to} replicates by file and position; GTIDs are needed")),
            channel if !channel.connected || !channel.applying => no(format!(
                "{to} does not receive and apply: {}",
                channel.error().as_deref().unwrap_or("it was stopped")
            )),
            _ => Ok(()),
        }
    }

    async fn raise_term(&mut self, now_us: i64) -> Result<u64, Failure> {
        let number = self.highest_term.saturating_add(1);
        let server = self.hands.facts(self.to).map(|facts| facts.identity.clone()).unwrap_or_default();
        let (from, to) = (self.hands.name(self.from).to_owned(), self.hands.name(self.to).to_owned());
        let text = format!("{to} takes over from {from} by command: it is the source in term {number}");
        let (site, gateway) = (self.rules.site.clone(), self.rules.gateway.clone());
        let event =
            Event { at_us: now_us, site: &site, gateway: &gateway, kind: "switchover", text: &text, count: None };
        let session = self.hands.session(self.from).await?;
        let before = term_row::read(session).await?;
        term_row::raise(session, before.as_ref(), &Term { number, server }, &event).await?;
        Ok(number)
    }

    async fn close_and_catch_up(&mut self, tell: &mut impl FnMut(&str)) -> Result<(), Failure> {
        let (from, to) = (self.from, self.to);
        let session = self.hands.session(from).await?;
        let family = session.family();
        // It waits for transactions that are open: not for ever, as nobody else can begin one meanwhile.
        session.run(&format!("SET SESSION lock_wait_timeout = {}", STANDSTILL.as_secs().saturating_sub(2))).await?;
        session.run(statements::close(family)).await?;
        tell(&format!("{} is closed for writes", self.hands.name(from)));
        let reached = reached(self.hands.session(from).await?).await?;
        let target = self.hands.session(to).await?;
        let wait = statements::wait_for(family, &reached, STANDSTILL.as_secs().saturating_sub(2));
        let answer = target.ask(&wait).await?;
        if answer.first().and_then(|row| row.first()?.as_i64()) != Some(0) {
            let why = format!("it does not get to {reached} within {} s", STANDSTILL.as_secs().saturating_sub(2));
            return Err(Failure::NotApplied { server: self.hands.name(to).to_owned(), why });
        }
        tell(&format!("{} has everything", self.hands.name(to)));
        Ok(())
    }

    async fn open(&mut self) -> Result<(), Failure> {
        self.hands.confirm_lock().await?;
        let family = self.hands.session(self.to).await?.family();
        let name = self.hands.facts(self.to).and_then(|facts| facts.replication.first()).map(|one| one.channel.clone());
        let channel = Channel { family, name: name.as_deref().unwrap_or_default() };
        let statements = [channel.stop(), channel.forget(), statements::OPEN.to_owned()];
        Ok(self.hands.run(self.to, &statements).await?)
    }

    /// Opens the old source again. Once the new one may be open, it is asked first: never both.
    async fn take_back(&mut self, failure: Failure, may_be_open: bool) -> Failure {
        let (from, to) = (self.hands.name(self.from).to_owned(), self.hands.name(self.to).to_owned());
        if may_be_open {
            let asked = self.hands.ask(self.to).await;
            match self.hands.facts(self.to).map(|facts| facts.read_only) {
                Some(true) => {}
                Some(false) => return Failure::Shut(format!("{failure}; {to} takes writes all the same")),
                None => {
                    let why = asked.err().map(|error| error.explained()).unwrap_or_default();
                    return Failure::Shut(format!(
                        "{failure}; {to} does not say whether it takes writes ({why}), so {from} stays closed. \
                         When {to} answers: if it is closed, SET GLOBAL read_only = 0 at {from}"
                    ));
                }
            }
            if let Err(error) = self.follow(self.to, self.from).await {
                tracing::warn!("{to} does not follow {from} again: {error}");
            }
        }
        let opened = self.hands.run(self.from, &[statements::OPEN]).await;
        match opened {
            Ok(()) => Failure::Shut(format!("{failure}; taken back: {from} takes writes again")),
            Err(error) => {
                Failure::Shut(format!("{failure}; {from} could not be opened again ({error}): open it by hand"))
            }
        }
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
        follow(&mut self.hands, index, source, &self.login, self.rules.patience).await
    }
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

/// Lets a server follow the source, and waits until it receives. One that has followed somebody before keeps its account.
pub async fn follow(
    hands: &mut Hands,
    index: usize,
    source: usize,
    login: &Login,
    patience: Duration,
) -> Result<(), Failure> {
    hands.ask(index).await?;
    let channel = hands.facts(index).and_then(|facts| facts.replication.first().cloned());
    let family = hands.session(index).await?.family();
    let server = hands.address(source)?.clone();
    let name = channel.as_ref().map(|channel: &Replication| channel.channel.clone()).unwrap_or_default();
    let words = Channel { family, name: &name };
    let new = (login.user.as_str(), login.password.as_str());
    let upstream = Upstream { server: &server, login: channel.is_none().then_some(new), tls: login.tls };
    let mut statements = vec![words.stop(), words.follow(&upstream), words.start()];
    if channel.is_none() {
        statements.remove(0);
        statements.splice(0..0, statements::begin_at_own_position(family).map(str::to_owned));
    }
    hands.run(index, &statements).await?;
    wait_connected(hands, index, patience).await
}

async fn wait_connected(hands: &mut Hands, index: usize, patience: Duration) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        hands.ask(index).await?;
        let channel = hands.facts(index).and_then(|facts| facts.replication.first().cloned()).unwrap_or_default();
        if channel.connected && channel.applying {
            return Ok(());
        }
        if began.elapsed() >= patience {
            let why = channel.error().unwrap_or_else(|| "it does not receive".to_owned());
            return Err(Failure::Shut(why));
        }
        sleep(ASK_EVERY).await;
    }
}

//! A connection to each server as the account that may promote, what each says over it, and the promotion lock.

use super::failure::Failure;
use crate::command::deadlines;
use crate::database::{Account, DbError, Deadlines, Session};
use crate::origin::Origins;
use crate::topology::probe::Probe;
use crate::topology::same::same_as;
use crate::topology::{Facts, View};
use config::{Config, ServerAddress};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// One for everything that lets another server become the source, at every server: whoever holds more than half of them
/// is alone.
const LOCK: &str = "'fieldgate promotion'";
/// A gateway that lost its power leaves the lock behind; after so long without a word from it the server gives the
/// connection up, and the lock with it.
const IDLE_SECONDS: u32 = 60;

/// The connections, and what the servers said.
pub struct Hands {
    all: Vec<Hand>,
    views: Vec<View>,
    needs_majority: bool,
}

struct Hand {
    probe: Probe,
    account: Account,
    deadlines: Deadlines,
    session: Option<Session>,
    holds_lock: bool,
}

impl Hands {
    /// No connection yet; what the servers have said so far.
    pub fn new(config: &Config, account: &Account, views: Vec<View>) -> Self {
        let (gateway, site) = (config.gateway.id.to_string(), config.gateway.site.to_string());
        let origins = Origins { gateway, site, ..Origins::default() };
        let origins = watch::Sender::new(Arc::new(origins)).subscribe();
        let hand = |index| {
            let probe = Probe::of(config, account, index, origins.clone(), Arc::new(Notify::new()))?;
            let (account, deadlines) = (account.clone(), deadlines(config));
            Some(Hand { probe, account, deadlines, session: None, holds_lock: false })
        };
        Self { all: (0..views.len()).filter_map(hand).collect(), views, needs_majority: true }
    }

    /// What each server said last.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// What a server said last; none when it does not answer.
    pub fn facts(&self, index: usize) -> Option<&Facts> {
        self.views.get(index).and_then(View::facts)
    }

    /// The name of a server.
    pub fn name(&self, index: usize) -> &str {
        self.views.get(index).map_or("", |view| view.name.as_str())
    }

    /// Its address as configured.
    ///
    /// # Errors
    /// When there is no such server.
    pub fn address(&self, index: usize) -> Result<&ServerAddress, DbError> {
        self.all.get(index).map(|hand| &hand.probe.server).ok_or_else(|| DbError::closed("mysql.servers"))
    }

    /// The places of all servers that answer, each server once.
    pub fn answering(&self) -> Vec<usize> {
        let views = self.views.iter().enumerate();
        let distinct = views.filter(|(index, view)| view.facts().is_some() && same_as(&self.views, *index).is_none());
        distinct.map(|(index, _)| index).collect()
    }

    /// The connection to a server, made if there is none.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn session(&mut self, index: usize) -> Result<&mut Session, DbError> {
        let hand = self.all.get_mut(index).ok_or_else(|| DbError::closed("mysql.servers"))?;
        let open = match hand.session.take().filter(Session::is_open) {
            Some(open) => open,
            None => {
                hand.holds_lock = false;
                Session::open(&hand.probe.server, &hand.account, hand.deadlines).await?
            }
        };
        Ok(hand.session.insert(open))
    }

    /// Runs statements at a server, one after the other.
    ///
    /// # Errors
    /// [`DbError`] of the first that fails; what it did is then unknown.
    pub async fn run<S: AsRef<str>>(&mut self, index: usize, statements: &[S]) -> Result<(), DbError> {
        let session = self.session(index).await?;
        for statement in statements {
            session.run(statement.as_ref()).await?;
        }
        Ok(())
    }

    /// Asks a server what it is now.
    ///
    /// # Errors
    /// [`DbError`]; the view says the same.
    pub async fn ask(&mut self, index: usize) -> Result<(), DbError> {
        let answer = match self.session(index).await {
            Ok(_) => self.facts_over(index).await,
            Err(error) => Err(error),
        };
        let Some(view) = self.views.get_mut(index) else { return Ok(()) };
        match answer {
            Ok(facts) => {
                view.answered(facts);
                Ok(())
            }
            Err(error) => {
                view.failed(error.explained());
                Err(error)
            }
        }
    }

    async fn facts_over(&mut self, index: usize) -> Result<Facts, DbError> {
        let Some(Hand { probe, session: Some(session), .. }) = self.all.get_mut(index) else {
            return Err(DbError::closed("mysql.servers"));
        };
        probe.facts(session).await
    }

    /// Asks all servers that answered before; the view of one that does not says so.
    pub async fn ask_all(&mut self) {
        for index in self.answering() {
            let _ = self.ask(index).await;
        }
    }

    /// Takes the lock at every server that answers. Without `majority` it does not matter how many those are.
    ///
    /// # Errors
    /// [`Failure`] when another gateway has it anywhere, or fewer than the majority gave it.
    pub async fn lock(&mut self, majority: bool) -> Result<(), Failure> {
        self.needs_majority = majority;
        for index in self.answering() {
            let sql = format!("SELECT GET_LOCK({LOCK}, 0)");
            match self.lock_at(index, &sql).await {
                Ok(true) => self.note_lock(index),
                Ok(false) => return Err(Failure::Locked(self.name(index).to_owned())),
                Err(error) => self.lost(index, &error),
            }
        }
        self.is_majority()
    }

    /// Makes sure that the lock is still held at the majority: a connection that broke has given it up.
    ///
    /// # Errors
    /// [`Failure`] when it is not.
    pub async fn confirm_lock(&mut self) -> Result<(), Failure> {
        for index in self.answering() {
            let sql = format!("SELECT IS_USED_LOCK({LOCK}) = CONNECTION_ID()");
            if !self.holds_lock(index) {
                continue;
            }
            match self.lock_at(index, &sql).await {
                Ok(true) => {}
                Ok(false) => self.forget_lock(index),
                Err(error) => self.lost(index, &error),
            }
        }
        self.is_majority()
    }

    async fn lock_at(&mut self, index: usize, sql: &str) -> Result<bool, DbError> {
        let session = self.session(index).await?;
        session.run(&format!("SET SESSION wait_timeout = {IDLE_SECONDS}")).await?;
        let rows = session.ask(sql).await?;
        Ok(rows.first().and_then(|row| row.first()?.as_u64()) == Some(1))
    }

    fn note_lock(&mut self, index: usize) {
        if let Some(hand) = self.all.get_mut(index) {
            hand.holds_lock = true;
        }
    }

    fn forget_lock(&mut self, index: usize) {
        if let Some(hand) = self.all.get_mut(index) {
            hand.holds_lock = false;
        }
    }

    fn lost(&mut self, index: usize, error: &DbError) {
        self.forget_lock(index);
        if let Some(view) = self.views.get_mut(index) {
            view.failed(error.explained());
        }
    }

    fn is_majority(&self) -> Result<(), Failure> {
        let (held, all) = (self.all.iter().filter(|hand| hand.holds_lock).count(), self.servers());
        if held * 2 > all || !self.needs_majority {
            return Ok(());
        }
        let is_silent =
            |(index, view): &(usize, &View)| view.facts().is_none() && same_as(&self.views, *index).is_none();
        let silent = self.views.iter().enumerate().filter(is_silent);
        let why: Vec<String> = silent.map(|(_, view)| format!("{}: {}", view.name, view.trouble())).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        Err(Failure::TooFew { held, all, why })
    }

    /// How many servers there are, each counted once.
    pub fn servers(&self) -> usize {
        (0..self.views.len()).filter(|index| same_as(&self.views, *index).is_none()).count()
    }

    /// Whether the lock is held at this server.
    pub fn holds_lock(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(|hand| hand.holds_lock)
    }

    /// Says goodbye everywhere, which gives the lock back.
    pub async fn close(self) {
        for session in self.all.into_iter().filter_map(|hand| hand.session) {
            session.close().await;
        }
    }
}

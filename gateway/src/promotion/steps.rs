//! What each step does at the servers.

use super::chores::carry_out;
use super::statements::{self, Channel};
use super::{Failure, Promotion};
use crate::database::Family;
use crate::event::Event;
use crate::term_row;
use crate::topology::promote::Way;
use crate::topology::promote::chores::chores;
use crate::topology::{Facts, Replication, Term, newest_term};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tracing::warn;

/// How often a candidate is asked whether it has applied everything.
const ASK_EVERY: Duration = Duration::from_millis(20);

impl Promotion {
    pub(super) async fn lock(&mut self) -> Result<String, Failure> {
        self.hands.lock(self.needs_majority()).await?;
        Ok("the promotion lock is held".to_owned())
    }

    pub(super) async fn look_again(&mut self) -> Result<String, Failure> {
        self.hands.ask_all().await;
        let (index, way) = self.choose()?;
        let doing = if way == Way::Promote { "be promoted" } else { "be opened again" };
        Ok(format!("all gates are open: {} is to {doing}", self.hands.name(index)))
    }

    /// With both threads stopped a replica of MariaDB would throw away what it has not applied, so the applying ones run on.
    pub(super) async fn stop_receiving(&mut self) -> Result<String, Failure> {
        let mut stopped = Vec::new();
        for index in self.hands.answering() {
            let Some(facts) = self.hands.facts(index).cloned() else { continue };
            let channels = facts.replication.iter().filter(|channel| self.is_from_the_source(channel));
            for channel in channels.cloned().collect::<Vec<_>>() {
                self.still_may().await?;
                self.record.stop(&facts.identity)?;
                self.stop_receiving_at(index, &channel).await?;
                stopped.push(self.hands.name(index).to_owned());
            }
        }
        self.hands.ask_all().await;
        let (index, _) = self.choose()?;
        let stopped = if stopped.is_empty() { "nobody".to_owned() } else { stopped.join(", ") };
        Ok(format!("stopped receiving: {stopped}; {} has all that any of them has", self.hands.name(index)))
    }

    /// A replica of a replica goes on: whom it follows answers.
    fn is_from_the_source(&self, channel: &Replication) -> bool {
        let is_upstream = |facts: &Facts| facts.server_id == channel.upstream_id;
        !self.hands.answering().into_iter().filter_map(|index| self.hands.facts(index)).any(is_upstream)
    }

    async fn stop_receiving_at(&mut self, index: usize, channel: &Replication) -> Result<(), Failure> {
        let words = Channel { family: self.family(index).await?, name: &channel.channel };
        if channel.receiving && !channel.applying && channel.apply_error.is_none() {
            self.hands.run(index, &[words.start_applying()]).await?;
        }
        Ok(self.hands.run(index, &[words.stop_receiving()]).await?)
    }

    /// As long as it moves it has time.
    pub(super) async fn apply(&mut self) -> Result<String, Failure> {
        let index = self.candidate()?;
        let (mut moved_at, mut confirmed_at, mut before) = (Instant::now(), Instant::now(), String::new());
        loop {
            self.hands.ask(index).await?;
            let facts = self.hands.facts(index).cloned().unwrap_or_default();
            if facts.replication.iter().all(|channel| channel.applied_all) {
                return Ok(format!("{} has applied all that it has received", self.hands.name(index)));
            }
            if facts.executed != before {
                (moved_at, before) = (Instant::now(), facts.executed.clone());
            }
            let error = facts
                .replication
                .iter()
                .filter(|channel| !channel.applying)
                .find_map(|channel| channel.apply_error.clone())
                .map(|error| error.to_string());
            let stuck = moved_at.elapsed() >= self.rules.patience;
            if let Some(why) =
                error.or_else(|| stuck.then(|| format!("nothing has moved for {:?}", self.rules.patience)))
            {
                return Err(Failure::NotApplied { server: self.hands.name(index).to_owned(), why });
            }
            if confirmed_at.elapsed() >= Duration::from_secs(1) {
                self.still_may().await?;
                confirmed_at = Instant::now();
            }
            sleep(ASK_EVERY).await;
        }
    }

    pub(super) async fn reset(&mut self) -> Result<String, Failure> {
        self.still_may().await?;
        let index = self.candidate()?;
        let facts = self.hands.facts(index).cloned().unwrap_or_default();
        let family = self.family(index).await?;
        self.rehearse(index).await?;
        for channel in &facts.replication {
            let words = Channel { family, name: &channel.channel };
            if let Err(error) = self.hands.run(index, &[words.stop(), words.forget()]).await {
                // With both threads stopped it would apply nothing more when the source is back.
                let _ = self.hands.run(index, &[words.start()]).await;
                return Err(error.into());
            }
        }
        self.record.forget(&facts.identity)?;
        Ok(format!("{} follows nobody", self.hands.name(index)))
    }

    /// Writes what the next step writes and takes it back: who lacks a right for it must not leave a server that follows nobody.
    async fn rehearse(&mut self, index: usize) -> Result<(), Failure> {
        if let Some(statement) = statements::write_while_closed(self.family(index).await?) {
            self.hands.run(index, &[statement]).await?;
        }
        let (at_us, site, gateway) = (self.clock.stamp().wall_us, &self.rules.site, &self.rules.gateway);
        let event = Event { at_us, site, gateway, kind: "failover", text: "taken back", count: None };
        let session = self.hands.session(index).await?;
        term_row::rehearse(session, &event).await.map_err(|error| match error.code {
            Some(1290) => Failure::Shut(format!(
                "{}: the account that promotes may not write to a closed server: it lacks READ_ONLY ADMIN, or CONNECTION_ADMIN on \
                 MySQL (`fieldgate db schema` prints its rights)",
                error.server
            )),
            _ => error.into(),
        })
    }

    /// While it is still closed for everybody else, so that no other gateway comes before its term.
    pub(super) async fn raise_term(&mut self) -> Result<String, Failure> {
        self.still_may().await?;
        let index = self.candidate()?;
        let identity = self.hands.facts(index).map(|facts| facts.identity.clone()).unwrap_or_default();
        self.term = newest_term(self.hands.views()).max(self.highest_term).max(self.record.term()).saturating_add(1);
        self.record.give(self.term)?;
        if let Some(statement) = statements::write_while_closed(self.family(index).await?) {
            self.hands.run(index, &[statement]).await?;
        }
        let name = self.hands.name(index).to_owned();
        let was = if self.candidate.is_some_and(|(_, way)| way == Way::Reopen) { "opened again" } else { "promoted" };
        let text = format!("{name} was {was} by this gateway: it is the source in term {}", self.term);
        let (at_us, site, gateway) = (self.clock.stamp().wall_us, self.rules.site.clone(), self.rules.gateway.clone());
        let event = Event { at_us, site: &site, gateway: &gateway, kind: "failover", text: &text, count: None };
        let after = Term { number: self.term, server: identity };
        let session = self.hands.session(index).await?;
        let before = term_row::read(session).await?;
        term_row::raise(session, before.as_ref(), &after, &event).await?;
        Ok(format!("{name} has term {}", self.term))
    }

    /// Who is opened while nobody else shows its term may be forgotten by a gateway that sees only the others later, and another
    /// would be opened in the same term. A replica that cannot follow, or not soon, does not keep everybody waiting for ever.
    pub(super) async fn spread(&mut self) -> Result<String, Failure> {
        self.still_may().await?;
        let index = self.candidate()?;
        self.hands.ask_all().await;
        let (tasks, now_us) = (chores(self.hands.views(), index, self.record.stopped()), self.clock.stamp().wall_us);
        let (done, _) = carry_out(&mut self.hands, &tasks, Some(index), &mut self.record, &self.rules, now_us).await;
        let began = Instant::now();
        let (shown, all) = loop {
            let (shown, all) = (self.showing(), self.hands.servers());
            let is_enough = shown * 2 > all || (!self.needs_majority() && shown == self.hands.answering().len());
            if is_enough || began.elapsed() >= self.rules.patience {
                break (shown, all);
            }
            sleep(ASK_EVERY).await;
            self.hands.ask_all().await;
        };
        self.still_may().await?;
        let name = self.hands.name(index);
        if shown * 2 <= all {
            warn!(
                "{name} is opened although only {shown} of {all} servers show its term: the others do not follow it soon enough"
            );
        }
        let followers = if done.is_empty() { String::new() } else { format!("; {}", done.join("; ")) };
        Ok(format!("{shown} of {all} servers show term {}{followers}", self.term))
    }

    /// How many servers show the new term.
    fn showing(&self) -> usize {
        let shows = |index: &usize| {
            self.hands.facts(*index).and_then(|facts| facts.term.as_ref()).is_some_and(|term| term.number == self.term)
        };
        self.hands.answering().iter().filter(|index| shows(index)).count()
    }

    pub(super) async fn open(&mut self) -> Result<String, Failure> {
        self.still_may().await?;
        let index = self.candidate()?;
        self.hands.run(index, &[statements::OPEN]).await?;
        self.hands.ask(index).await?;
        if self.hands.facts(index).is_none_or(|facts| facts.read_only) {
            return Err(Failure::Shut(format!("{} is still closed for writes", self.hands.name(index))));
        }
        Ok(format!("{} takes writes", self.hands.name(index)))
    }

    /// Lets receive again whoever was stopped; one that has forgotten whom it followed is left for the next try.
    pub(super) async fn give_up(mut self) {
        for index in self.hands.answering() {
            let Some(facts) = self.hands.facts(index).cloned() else { continue };
            if !self.record.stopped().contains(&facts.identity) {
                continue;
            }
            let mut all_started = true;
            for channel in &facts.replication {
                let Ok(family) = self.family(index).await else { continue };
                let words = Channel { family, name: &channel.channel };
                all_started &= self.hands.run(index, &[words.start_receiving()]).await.is_ok();
            }
            if all_started && let Err(failure) = self.record.forget(&facts.identity) {
                tracing::warn!("{failure}");
            }
        }
        self.hands.close().await;
    }

    fn candidate(&self) -> Result<usize, Failure> {
        self.candidate.map(|(index, _)| index).ok_or_else(|| Failure::Shut("there is no candidate".to_owned()))
    }

    async fn family(&mut self, index: usize) -> Result<Family, Failure> {
        Ok(self.hands.session(index).await?.family())
    }
}

//! A switchover that somebody has begun is finished, or taken back.

use super::{Stage, Switchover, in_term};
use crate::database::Cell;
use crate::promotion::Failure;
use crate::promotion::statements::Channel;
use crate::topology::gtid::beyond;
use crate::topology::switchover::{Begun, begun, follows};
use crate::topology::{Facts, View};

/// From which closed source a switchover to this server can begin or go on while nobody takes writes; the server itself, when it
/// is that source and only has to be opened again.
pub fn closed_source_for(views: &[View], to: usize, highest_term: u64) -> Option<usize> {
    if views.iter().any(View::is_open_for_writes) {
        return None;
    }
    match begun(views, highest_term) {
        Some(Begun { from, to: named }) => (to == from || to == named).then_some(from),
        None if is_closed_source(views, to, highest_term) => Some(to),
        None => (0..views.len())
            .filter(|from| is_closed_source(views, *from, highest_term))
            .find(|from| follows(views, to, *from)),
    }
}

/// Whether it has the newest term and follows nobody, and the server that its term names answers: what that one has is known.
fn is_closed_source(views: &[View], index: usize, highest_term: u64) -> bool {
    let Some(facts) = views.get(index).and_then(View::facts) else { return false };
    let Some(term) = facts.term.as_ref().filter(|term| term.number >= highest_term) else { return false };
    let is_named = |other: &Facts| other.identity == term.server && other.replication.is_empty();
    facts.replication.is_empty() && views.iter().filter_map(View::facts).any(is_named)
}

impl Switchover {
    /// Where it goes on when the old source is closed already, and in words.
    pub(super) async fn where_it_was_left(&mut self) -> Result<(Stage, String), Failure> {
        let (from, to) = (self.hands.name(self.from).to_owned(), self.hands.name(self.to).to_owned());
        let found = closed_source_for(self.hands.views(), self.to, self.highest_term);
        let is_begun = begun(self.hands.views(), self.highest_term).is_some();
        if found != Some(self.from) || self.from == self.to || (self.must_be_begun && !is_begun) {
            return Err(Failure::Shut(format!("{from} is closed for writes, and {to} cannot take over from it now")));
        }
        self.check()?;
        let family = self.hands.session(self.to).await?.family();
        let name = self.hands.facts(self.to).and_then(|facts| facts.replication.first()).map(|one| one.channel.clone());
        let channel = Channel { family, name: name.as_deref().unwrap_or_default() };
        self.hands.run(self.to, &[channel.start()]).await?;
        if is_begun {
            return Ok((Stage::CatchUp, format!("the switchover from {from} to {to}, which was begun, goes on")));
        }
        self.was_closed = true;
        Ok((Stage::Close, format!("{from} is closed already, and the promotion lock is held")))
    }

    /// Whether the term that names the new source was given to it by a switchover, as its event says.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn is_announced(&mut self) -> Result<bool, Failure> {
        let words = Cell::text(format!("%{}", in_term(self.highest_term)));
        let sql = "SELECT COUNT(*) FROM events WHERE kind = 'switchover' AND text LIKE ?";
        let rows = self.hands.session(self.from).await?.ask_with(sql, vec![words]).await?;
        Ok(rows.first().and_then(|row| row.first()?.as_u64()).is_some_and(|found| found > 0))
    }

    /// Opens the closed source again, if no other server has anything that it lacks; says what was done.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn reopen(&mut self) -> Result<String, Failure> {
        self.hands.lock(false).await?;
        self.hands.ask_all().await;
        let name = self.hands.name(self.to).to_owned();
        if closed_source_for(self.hands.views(), self.to, self.highest_term) != Some(self.to) {
            return Err(Failure::Shut(format!("{name} is not the source that was closed")));
        }
        let own = self.hands.facts(self.to).cloned().unwrap_or_default();
        for index in self.hands.answering().into_iter().filter(|index| *index != self.to) {
            let more = self.hands.facts(index).map(|facts| beyond(facts, &own)).unwrap_or_default();
            if !more.is_empty() {
                let other = self.hands.name(index);
                return Err(Failure::Shut(format!("{other} has transactions that {name} lacks: {}", more.join(", "))));
            }
        }
        let term = self.open_again(self.to).await?;
        Ok(format!("{name} takes writes again, in term {term}"))
    }
}

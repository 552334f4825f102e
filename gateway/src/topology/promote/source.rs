//! Which server was the source last, and whether it is gone. Pure.

use super::Situation;
use crate::topology::{Closed, Facts, Term, View};

/// The last source, by the highest term that any server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastSource {
    /// A configured server.
    Known(usize),
    /// One of those that have not answered since this program started.
    Silent(Term),
    /// None of the configured servers.
    Elsewhere(Term),
    /// No server shows a term.
    Never,
}

/// Who closed a source that answers and refuses writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedBy {
    /// It has started again since anybody wrote to it.
    ItsStart,
    /// Its term was raised, and nobody has written to it since: a promotion that was not finished.
    NotYetOpened,
    /// Somebody closed it while it ran.
    Somebody,
}

/// The last source.
pub fn last_source(views: &[View]) -> LastSource {
    let terms = views.iter().filter_map(|view| view.last_facts()?.term.as_ref());
    let Some(term) = terms.max_by_key(|term| term.number) else { return LastSource::Never };
    let is_named = |view: &View| view.last_facts().is_some_and(|facts| facts.identity == term.server);
    // Of several names of it one that answers: it is not gone as long as any of them leads to it.
    let names = views.iter().enumerate().filter(|(_, view)| is_named(view));
    match names.min_by_key(|(index, view)| (view.facts().is_none(), *index)) {
        Some((index, view)) => upstream_of_begun(views, view).unwrap_or(LastSource::Known(index)),
        None if views.iter().any(|view| view.last_facts().is_none()) => LastSource::Silent(term.clone()),
        None => LastSource::Elsewhere(term.clone()),
    }
}

/// A term that names a replica is that of a switchover that was begun and not finished: until then whom it follows is the source.
fn upstream_of_begun(views: &[View], named: &View) -> Option<LastSource> {
    let facts = named.last_facts().filter(|facts| facts.read_only)?;
    let [channel] = facts.replication.as_slice() else { return None };
    let is_upstream = |view: &View| view.last_facts().is_some_and(|facts| facts.server_id == channel.upstream_id);
    match views.iter().position(is_upstream) {
        Some(index) => {
            let follows_nobody = views.get(index)?.last_facts()?.replication.is_empty();
            follows_nobody.then_some(LastSource::Known(index))
        }
        None if views.iter().any(|view| view.last_facts().is_none()) => facts.term.clone().map(LastSource::Silent),
        None => None,
    }
}

/// The highest term that was ever seen or that any server shows.
pub fn newest_term(situation: &Situation<'_>) -> u64 {
    situation.highest_term.max(crate::topology::newest_term(situation.views))
}

/// Who closed this server; none when it is no closed source.
pub fn closed_by(facts: &Facts, now_us: i64) -> Option<ClosedBy> {
    if !facts.is_closed_source() {
        return None;
    }
    let Closed { up_s, by_statement } = facts.closed?;
    let last_written_us = facts.last_written_us;
    let up_us = i64::try_from(up_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    let started_us = now_us.saturating_sub(up_us);
    let is_before = |then: Option<i64>| last_written_us.is_none_or(|written| then.is_some_and(|then| written < then));
    Some(if is_before(facts.term_since_us) {
        ClosedBy::NotYetOpened
    } else if by_statement.map_or_else(|| is_before(Some(started_us)), |by_statement| !by_statement) {
        ClosedBy::ItsStart
    } else {
        ClosedBy::Somebody
    })
}

/// Whether the last source is out of the way, and why.
pub fn is_gone(situation: &Situation<'_>) -> (bool, String) {
    let index = match last_source(situation.views) {
        LastSource::Known(index) => index,
        LastSource::Silent(term) => {
            return (
                true,
                format!("the source of term {} ({}) is none of the servers that answer", term.number, term.server),
            );
        }
        LastSource::Elsewhere(term) => {
            return (false, format!("the source of term {} ({}) is not in mysql.servers", term.number, term.server));
        }
        LastSource::Never => return (false, "no server says which one was the source: there was none yet".to_owned()),
    };
    let Some(view) = situation.views.get(index) else { return (false, String::new()) };
    let name = &view.name;
    let Some(facts) = view.facts() else {
        return (true, format!("the source {name} cannot be asked ({})", view.trouble()));
    };
    match closed_by(facts, situation.now_us) {
        Some(ClosedBy::ItsStart) => (true, format!("the source {name} has restarted and is closed by its own start")),
        Some(ClosedBy::NotYetOpened) => (true, format!("the promotion of {name} was begun and not finished")),
        Some(ClosedBy::Somebody) => {
            (false, format!("the source {name} answers and refuses writes: somebody closed it while it ran"))
        }
        None if !facts.read_only => (false, format!("the source {name} answers and is open for writes")),
        None if facts.replication.is_empty() => {
            (false, format!("the source {name} answers and is closed for a switchover that was not finished"))
        }
        None => (false, format!("the source {name} answers and follows another server")),
    }
}

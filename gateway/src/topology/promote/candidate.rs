//! The best server to take writes: of those that may, the one that has received all that any other has. Pure.

use super::source::{ClosedBy, LastSource, closed_by, last_source};
use super::{Situation, Way};
use crate::topology::gtid::{Reached, reached};
use crate::topology::same::same_as;
use crate::topology::words::join;
use crate::topology::{Facts, View};

/// A server that may take writes, and how far it has come.
struct Fit {
    index: usize,
    way: Way,
    reached: Reached,
    /// Of two that are equal the one goes on that a promotion was begun with.
    follows_nobody: bool,
}

/// The best, or why there is none.
pub fn best(situation: &Situation<'_>) -> Result<(usize, Way), String> {
    let answers: Vec<Result<Fit, String>> = (0..situation.views.len()).map(|index| fit(situation, index)).collect();
    let all: Vec<&Fit> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let has_all = |one: &&&Fit| all.iter().all(|other| one.reached.covers(&other.reached));
    let best = all.iter().filter(has_all).min_by_key(|fit| (fit.way != Way::Reopen, !fit.follows_nobody, fit.index));
    match best {
        Some(best) => Ok((best.index, best.way)),
        None if all.is_empty() => {
            Err(format!("no server can be promoted: {}", join(answers.into_iter().filter_map(Result::err))))
        }
        None => {
            let names = all.iter().filter_map(|fit| situation.views.get(fit.index)).map(|view| view.name.clone());
            Err(format!("each of {} has received what another of them lacks", names.collect::<Vec<_>>().join(", ")))
        }
    }
}

fn fit(situation: &Situation<'_>, index: usize) -> Result<Fit, String> {
    let Some(view) = situation.views.get(index) else { return Err(String::new()) };
    let facts = view.facts().ok_or_else(|| format!("{} does not answer", view.name))?;
    if let Some(other) = same_as(situation.views, index).and_then(|other| situation.views.get(other)) {
        return Err(format!("{} is the same server as {}", view.name, other.name));
    }
    let way = way(situation, view, facts).map_err(|why| format!("{}: {why}", view.name))?;
    let reached = reached(facts).ok_or_else(|| format!("{}: it does not tell its GTIDs", view.name))?;
    Ok(Fit { index, way, reached, follows_nobody: facts.replication.is_empty() })
}

/// How it would become the source, or why it must not.
fn way(situation: &Situation<'_>, view: &View, facts: &Facts) -> Result<Way, String> {
    if !facts.read_only {
        return Err("it is open for writes already".to_owned());
    }
    if facts.cluster.is_some() {
        return Err("it is a member of a cluster, which chooses for itself".to_owned());
    }
    let last_source = match last_source(situation.views) {
        LastSource::Known(source) => situation.views.get(source),
        _ => None,
    };
    match closed_by(view, situation.now_us) {
        Some(ClosedBy::ItsStart | ClosedBy::NotYetOpened) => return Ok(Way::Reopen),
        Some(ClosedBy::Somebody) => return Err("somebody closed it while it ran".to_owned()),
        None => {}
    }
    // A source that was promoted and failed before it was opened says nothing of what a replica of the one before has.
    let former = last_source.and_then(View::last_facts).filter(|former| former.identity != facts.identity);
    if let Some(why) = facts.not_promotable(former) {
        return Err(why);
    }
    match facts.replication.as_slice() {
        [] if facts.term.as_ref().is_some_and(|term| term.number >= situation.highest_term) => Ok(Way::Promote),
        [] => Err("it follows nobody and does not have the newest term".to_owned()),
        [channel] if !channel.applying && !channel.applied_all && channel.error().is_some() => {
            Err(format!("its replication has stopped with an error ({})", channel.error().unwrap_or_default()))
        }
        [_] => Ok(Way::Promote),
        _ => Err("it follows several servers".to_owned()),
    }
}

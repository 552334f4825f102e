//! The best server to take writes: of those that may, the one that has received all that any other has. Pure.

use super::source::{ClosedBy, LastSource, closed_by, last_source, newest_term};
use super::{Situation, Way};
use crate::topology::gtid::{Reached, errant, reached};
use crate::topology::same::same_as;
use crate::topology::words::join;
use crate::topology::{Facts, View};

/// A server that may take writes, and how far it has come.
struct Fit {
    index: usize,
    way: Way,
    reached: Reached,
    term: u64,
    /// Its term was raised, and nobody has written to it since: what it had before that, on MariaDB without its own number.
    before_its_term: Option<Reached>,
    /// Of two that are equal the one goes on that a promotion was begun with.
    follows_nobody: bool,
}

impl Fit {
    /// Whether it has all of another. MariaDB's numbers do not tell one history from another, so a server that does not
    /// show the last failover has not all of one that does: either it will show it once it has applied it, or what it has
    /// is of the time before.
    fn has_all_of(&self, other: &Self) -> bool {
        match (&self.before_its_term, &other.before_its_term) {
            (Some(before), _) if other.term < self.term => before.covers(&other.reached),
            (_, Some(before)) if self.term < other.term => self.reached.covers(before),
            _ => self.term >= other.term && self.reached.covers(&other.reached),
        }
    }
}

/// The best, or why there is none.
pub fn best(situation: &Situation<'_>) -> Result<(usize, Way), String> {
    let answers: Vec<Result<Fit, String>> = (0..situation.views.len()).map(|index| fit(situation, index)).collect();
    let all: Vec<&Fit> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let has_all = |one: &&&Fit| all.iter().all(|other| one.has_all_of(other));
    let best = all.iter().filter(has_all).min_by_key(|fit| (fit.way != Way::Reopen, !fit.follows_nobody, fit.index));
    match best {
        Some(best) => Ok((best.index, best.way)),
        None if all.is_empty() => {
            Err(format!("no server can be promoted: {}", join(answers.into_iter().filter_map(Result::err))))
        }
        None => {
            let names = all.iter().filter_map(|fit| situation.views.get(fit.index)).map(|view| view.name.as_str());
            Err(format!("none of {} has all that the others have", names.collect::<Vec<_>>().join(" and ")))
        }
    }
}

fn fit(situation: &Situation<'_>, index: usize) -> Result<Fit, String> {
    let Some(view) = situation.views.get(index) else { return Err(String::new()) };
    let facts = view.facts().ok_or_else(|| format!("{} does not answer", view.name))?;
    if let Some(other) = same_as(situation.views, index).and_then(|other| situation.views.get(other)) {
        return Err(format!("{} is the same server as {}", view.name, other.name));
    }
    let way = way(situation, facts).map_err(|why| format!("{}: {why}", view.name))?;
    let before = is_begun(situation, facts).then(|| reached(&before_its_term(facts))).flatten();
    let reached = reached(facts).ok_or_else(|| format!("{}: it does not tell its GTIDs", view.name))?;
    let follows_nobody = facts.replication.is_empty();
    Ok(Fit { index, way, reached, term: facts.term_number(), before_its_term: before, follows_nobody })
}

fn is_begun(situation: &Situation<'_>, facts: &Facts) -> bool {
    closed_by(facts, situation.now_us) == Some(ClosedBy::NotYetOpened)
}

/// Without what it has written itself, where that takes the numbers of what others may have: on MariaDB.
fn before_its_term(facts: &Facts) -> Facts {
    let (_, others) = by_writer(facts);
    let executed = if others.is_empty() || others.contains(':') { facts.executed.clone() } else { others };
    Facts { executed, ..facts.clone() }
}

/// How it would become the source, or why it must not.
fn way(situation: &Situation<'_>, facts: &Facts) -> Result<Way, String> {
    if !facts.read_only {
        return Err("it is open for writes already".to_owned());
    }
    if facts.cluster.is_some() {
        return Err("it is a member of a cluster, which chooses for itself".to_owned());
    }
    let (own, newest) = (facts.term_number(), newest_term(situation));
    match closed_by(facts, situation.now_us) {
        Some(_) if own < newest => {
            return Err(format!(
                "it was the source before a later failover (its term is {own}, the newest is {newest})"
            ));
        }
        Some(ClosedBy::ItsStart | ClosedBy::NotYetOpened) => return Ok(Way::Reopen),
        Some(ClosedBy::Somebody) => return Err("somebody closed it while it ran".to_owned()),
        None => {}
    }
    let former = former(situation, facts);
    let why = facts.not_promotable(former).or_else(|| left_out(situation, facts));
    if let Some(why) = why.or_else(|| if former.is_none() { alone_with(situation.views, facts) } else { None }) {
        return Err(why);
    }
    match facts.replication.as_slice() {
        [] if own >= newest => Ok(Way::Promote),
        [] => Err("it follows nobody and does not have the newest term".to_owned()),
        [channel] if !channel.applying && !channel.applied_all && channel.apply_error.is_some() => {
            let error = channel.apply_error.as_ref().map(ToString::to_string).unwrap_or_default();
            Err(format!("its replication has stopped with an error ({error})"))
        }
        [_] => Ok(Way::Promote),
        _ => Err("it follows several servers".to_owned()),
    }
}

/// The last source, against which others are measured. One that was promoted and failed before it was opened says nothing of
/// what a replica of the one before has.
fn former<'a>(situation: &Situation<'a>, facts: &Facts) -> Option<&'a Facts> {
    let LastSource::Known(index) = last_source(situation.views) else { return None };
    let former = situation.views.get(index)?.last_facts()?;
    Some(former).filter(|former| !is_begun(situation, former) && former.identity != facts.identity)
}

/// What it has from before the last failover that did not get into it, as those tell that show that failover.
fn left_out(situation: &Situation<'_>, facts: &Facts) -> Option<String> {
    let others = others(situation.views, facts).filter(|other| !is_begun(situation, other));
    let newer = others.filter(|other| other.term_number() > facts.term_number());
    let example = newer.filter_map(|other| errant(facts, other)).next()?;
    Some(format!("it has transactions from before the last failover that did not get into it ({example})"))
}

/// What it has written itself and nobody else has: told without the last source, which has not been seen.
fn alone_with(views: &[View], facts: &Facts) -> Option<String> {
    let own = Facts { executed: by_writer(facts).0, gtid_origin: facts.gtid_origin.clone(), ..Facts::default() };
    let lacked_by_all: Option<Vec<String>> = others(views, facts).map(|other| errant(&own, other)).collect();
    let example = lacked_by_all?.into_iter().next()?;
    Some(format!("it has transactions of its own that no other server has ({example})"))
}

fn others<'a>(views: &'a [View], facts: &'a Facts) -> impl Iterator<Item = &'a Facts> {
    views.iter().filter_map(View::last_facts).filter(|other| other.identity != facts.identity)
}

/// Its GTIDs, apart: those of what it has written itself, and those of others.
fn by_writer(facts: &Facts) -> (String, String) {
    let origin = facts.gtid_origin.to_lowercase();
    let is_own = |part: &&str| {
        let part = part.to_lowercase();
        part.split('-').nth(1) == Some(origin.as_str()) || part.split(':').next() == Some(origin.as_str())
    };
    let (own, others): (Vec<&str>, Vec<&str>) = facts.executed.split(',').map(str::trim).partition(is_own);
    (own.join(","), others.join(","))
}

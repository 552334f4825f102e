//! Why a server was chosen, or none, in one sentence. Pure.

use super::switchover::{Begun, begun};
use super::{Facts, Replication, View};

/// Why this server takes writes.
pub(super) fn why_source(views: &[View], index: usize) -> String {
    let Some((name, facts)) = answer(views, index) else { return String::new() };
    format!("{name} takes writes: it is writable, {} and {}", follows(facts), term(facts))
}

/// Why this member of a cluster, all of whose members take writes.
pub(super) fn why_cluster(views: &[View], index: usize, members: usize) -> String {
    let Some((name, facts)) = answer(views, index) else { return String::new() };
    format!("{name} takes writes: it is one of {members} members of a cluster that are in step, and {}", term(facts))
}

/// Why nobody takes writes. A restore of everything looks like a source that was left behind; only the operator knows.
pub(super) fn why_none(views: &[View], answers: &[Result<(), String>], highest_term: u64) -> String {
    let is_left_behind = |facts: &Facts| {
        !facts.read_only
            && facts.term.as_ref().is_some_and(|term| term.server == facts.identity && term.number < highest_term)
    };
    let left_behind = views.iter().find(|view| view.facts().is_some_and(is_left_behind));
    let if_restored = left_behind.map_or_else(String::new, |view| {
        format!("; if {0} was restored from a backup, say so: fieldgate db accept-restored {0}", view.name)
    });
    let reasons = join(answers.iter().filter_map(|answer| answer.clone().err()));
    format!("no server takes writes: {reasons}{if_restored}{}", if_begun(views, highest_term))
}

fn if_begun(views: &[View], highest_term: u64) -> String {
    let name = |index: usize| views.get(index).map_or("", |view| view.name.as_str());
    begun(views, highest_term).map_or_else(String::new, |Begun { from, to }| {
        let (from, to) = (name(from), name(to));
        format!(
            "; a switchover from {from} to {to} was begun and not finished: `fieldgate db switchover --to {to}` finishes it, \
             --to {from} takes it back"
        )
    })
}

/// Which servers take writes although only one may, and how they differ.
pub(super) fn why_several(views: &[View], several: &[usize]) -> String {
    let describe = |index: &usize| {
        let (name, facts) = answer(views, *index)?;
        let term = facts
            .term
            .as_ref()
            .map_or_else(|| "no term".to_owned(), |term| format!("term {} of {}", term.number, term.server));
        let stopped = stopped(facts).map_or_else(String::new, |stopped| format!(", {stopped}"));
        Some(format!("{name} ({term}{stopped})"))
    };
    let names = join(several.iter().filter_map(describe));
    format!("several servers take writes: {names}; make all but one read-only")
}

fn answer(views: &[View], index: usize) -> Option<(&str, &Facts)> {
    let view = views.get(index)?;
    Some((view.name.as_str(), view.facts()?))
}

/// A server that was promoted by STOP SLAVE alone looks like a replica that somebody stopped and left writable, so
/// the sentence says which of its upstreams it knows.
fn follows(facts: &Facts) -> String {
    match stopped(facts) {
        _ if facts.replication.is_empty() => "follows no other server".to_owned(),
        Some(stopped) => format!("{stopped} with nothing left to apply"),
        None => "has all that its read-only partner has".to_owned(),
    }
}

fn stopped(facts: &Facts) -> Option<String> {
    let is_stopped = !facts.replication.is_empty() && facts.replication.iter().all(Replication::is_stopped_and_applied);
    let upstreams = facts.replication.iter().map(|channel| channel.upstream.as_str()).collect::<Vec<_>>();
    is_stopped.then(|| format!("has stopped following {}", upstreams.join(" and ")))
}

fn term(facts: &Facts) -> String {
    match &facts.term {
        Some(term) if term.server == facts.identity => format!("holds term {}", term.number),
        Some(term) => format!("is new in this place (term {} names another server)", term.number),
        None => "has no term yet".to_owned(),
    }
}

pub(super) fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

//! The choice: from what each server said, which one takes writes. Pure.

use super::ring::ring_of;
use super::same::same_as;
use super::words::{join, why_cluster, why_none, why_several, why_source};
use super::{Choice, Facts, Replication, View};

/// Chooses the source. `highest_term` is the highest term ever seen, on any server, also before a restart.
pub fn choose(views: &[View], highest_term: u64) -> Choice {
    let answers: Vec<Result<(), String>> =
        (0..views.len()).map(|index| may_be_source(views, index, highest_term)).collect();
    let candidates: Vec<usize> =
        answers.iter().enumerate().filter(|(_, answer)| answer.is_ok()).map(|(index, _)| index).collect();
    let (source, why) = match candidates.as_slice() {
        [] => (None, why_none(views, &answers, highest_term)),
        [only] => (Some(*only), why_source(views, *only)),
        several => match member_of_one_cluster(views, several) {
            Some(member) => (Some(member), why_cluster(views, member, several.len())),
            None => (None, why_several(views, several)),
        },
    };
    let strays = if candidates.is_empty() { Vec::new() } else { strays(views, answers) };
    Choice { source, why, strays }
}

/// What is said of servers that are open for writes and refused. A second name of one server is no stray, and neither is a
/// member that is getting back in step with its cluster.
fn strays(views: &[View], answers: Vec<Result<(), String>>) -> Vec<String> {
    let is_open = |index: usize, view: &View| {
        let may_write = |facts: &Facts| !facts.read_only && facts.cluster.as_ref().is_none_or(|member| member.synced);
        view.facts().is_some_and(may_write) && same_as(views, index).is_none()
    };
    let refused = views.iter().enumerate().zip(answers).filter(|((index, view), _)| is_open(*index, view));
    refused.filter_map(|(_, answer)| answer.err()).collect()
}

/// Whether a server may be the source, or the reason why not.
fn may_be_source(views: &[View], index: usize, highest_term: u64) -> Result<(), String> {
    let Some(view) = views.get(index) else { return Err(String::new()) };
    let name = &view.name;
    let facts = view.facts().ok_or_else(|| format!("{name} cannot be asked ({})", view.trouble()))?;
    if let Some(other) = same_as(views, index).and_then(|other| views.get(other)) {
        return Err(format!("{name} is the same server as {}", other.name));
    }
    if facts.read_only {
        return Err(format!("{name} is read-only"));
    }
    if let Some(member) = facts.cluster.as_ref().filter(|member| !member.synced) {
        return Err(format!("{name} is not in step with its cluster ({})", member.state));
    }
    if let Some(term) = &facts.term
        && term.server == facts.identity
        && term.number < highest_term
    {
        return Err(format!(
            "{name} was the source before a later failover (its term is {}, the highest seen is {highest_term})",
            term.number
        ));
    }
    if facts.replication.iter().all(Replication::is_stopped_and_applied) || is_co_source(facts, views) {
        return Ok(());
    }
    Err(still_follows(views, index, facts))
}

/// A writable server all of whose upstreams answer and are read-only: the writable half of a pair that replicates both
/// ways. Not before it has everything of theirs: what it still receives or applies would come after what we write.
fn is_co_source(facts: &Facts, all: &[View]) -> bool {
    facts.replication.iter().all(|replication| {
        let upstream = all.iter().filter_map(View::facts).find(|other| other.server_id == replication.upstream_id);
        let has_nothing_new =
            |other: &Facts| other.read_only && follows_only(other, facts.server_id) && has_all_of(facts, other);
        replication.applied_all && upstream.is_some_and(has_nothing_new)
    })
}

fn follows_only(facts: &Facts, server_id: u64) -> bool {
    facts.replication.iter().all(|replication| replication.upstream_id == server_id)
}

/// Whether a server is as far with each of our streams as another one.
fn has_all_of(facts: &Facts, other: &Facts) -> bool {
    other.cursors.iter().all(|(stream, there)| facts.cursors.get(stream).is_some_and(|here| here >= there))
}

/// Names the upstreams that are still in the way, or the ring that the server is part of.
fn still_follows(views: &[View], index: usize, facts: &Facts) -> String {
    let name = views.get(index).map_or("", |view| view.name.as_str());
    let ring = ring_of(views, index);
    if ring.len() > 2 {
        let names = ring.iter().chain([&index]).filter_map(|index| views.get(*index)).map(|view| view.name.as_str());
        let names = names.collect::<Vec<_>>().join(" from ");
        return format!(
            "{name} takes writes in a ring of {} servers, which has no beginning ({names}): stop the replication of {name}, \
             with STOP SLAVE and RESET SLAVE ALL",
            ring.len()
        );
    }
    let in_the_way = facts.replication.iter().filter(|channel| !channel.is_stopped_and_applied());
    format!("{name} is writable but still follows {}", join(in_the_way.map(|channel| channel.upstream.clone())))
}

/// Several members of one cluster are one database with several doors: the one that the term names, so that all who ask
/// stay with it while it is in step, else the first as configured. None when any of them is not of that cluster.
fn member_of_one_cluster(views: &[View], several: &[usize]) -> Option<usize> {
    let of = |index: &usize| views.get(*index).and_then(View::facts);
    let cluster = |index: &usize| of(index)?.cluster.as_ref().map(|member| member.uuid.as_str());
    let first = several.first()?;
    let uuid = cluster(first).filter(|uuid| !uuid.is_empty())?;
    if several.iter().any(|index| cluster(index) != Some(uuid)) {
        return None;
    }
    let newest = several.iter().filter_map(|index| of(index)?.term.as_ref()).max_by_key(|term| term.number);
    let is_named = |index: &&usize| newest.is_some_and(|term| of(index).is_some_and(|f| f.identity == term.server));
    Some(*several.iter().find(is_named).unwrap_or(first))
}

//! What is left to do at the other servers once one takes writes: the old source is closed whenever it answers, and replicas
//! that followed it follow the new one. Pure.
//!
//! Told from what the servers say alone, so that it does not matter which gateway has promoted, and whether it was killed.

use crate::topology::gtid::errant;
use crate::topology::same::{is_same_server, same_as};
use crate::topology::{Facts, Replication, View, newest_term_now};
use std::collections::BTreeSet;

/// What is to be done at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chore {
    /// Close it for writes: it was left behind by a failover.
    Close,
    /// Let it follow the source instead of the server it follows.
    Follow,
    /// Let it receive again: a promotion that was given up has stopped that.
    Receive,
}

/// A chore, where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The server's place in the configuration.
    pub server: usize,
    /// What.
    pub chore: Chore,
    /// Why, in words.
    pub why: String,
}

/// Everything that is left to do while the server at `source` takes writes, or is about to. `stopped` are the identities of servers that a promotion
/// has stopped from receiving.
pub fn chores(views: &[View], source: usize, stopped: &BTreeSet<String>) -> Vec<Task> {
    let Some((own, facts)) = views.get(source).and_then(|view| Some((view, view.facts()?))) else { return Vec::new() };
    // Before its term is raised nothing tells it from a server that was opened by mistake.
    if facts.term.as_ref().is_none_or(|term| term.server != facts.identity) {
        return Vec::new();
    }
    let others = views
        .iter()
        .enumerate()
        .filter(|(index, view)| *index != source && !is_same_server(own, view) && same_as(views, *index).is_none());
    others.filter_map(|(server, view)| task(views, facts, own, (server, view), stopped)).collect()
}

/// While nobody takes writes: servers that are open although another that answers shows a later term. They are closed before
/// another one is opened. One that only what is remembered speaks against may have been restored from a backup.
pub fn left_behind(views: &[View]) -> Vec<Task> {
    let newest = newest_term_now(views);
    let task = |(server, view): (usize, &View)| {
        let facts = view.facts().filter(|facts| !facts.read_only)?;
        let term = facts.term.as_ref().filter(|term| term.server == facts.identity && term.number < newest)?;
        let why = format!("{} was the source in term {}, and there is term {newest}", view.name, term.number);
        Some(Task { server, chore: Chore::Close, why })
    };
    views.iter().enumerate().filter_map(task).collect()
}

fn task(
    views: &[View],
    source: &Facts,
    own: &View,
    (server, view): (usize, &View),
    stopped: &BTreeSet<String>,
) -> Option<Task> {
    let facts = view.facts().filter(|facts| !facts.is_in_cluster_with(source))?;
    let task = |chore, why| Some(Task { server, chore, why });
    if !facts.read_only {
        let term = facts.term.as_ref().filter(|term| term.server == facts.identity)?;
        let newer = source.term.as_ref().filter(|newer| newer.number > term.number)?;
        let why = format!(
            "{} was the source in term {}, and {} is in term {}",
            view.name, term.number, own.name, newer.number
        );
        return task(Chore::Close, why);
    }
    let [channel] = facts.replication.as_slice() else { return None };
    if channel.upstream_id == source.server_id {
        let was_stopped = !channel.receiving && stopped.contains(&facts.identity);
        return was_stopped
            .then_some(())
            .and_then(|()| task(Chore::Receive, format!("{} was stopped for a promotion", view.name)));
    }
    let is_left = leads_to_the_source(views, channel, source) || follows_a_stranger(views, channel);
    if !channel.by_gtid || is_left || errant(facts, source).is_some() {
        return None;
    }
    task(Chore::Follow, format!("{} follows {}, and {} is the source", view.name, channel.upstream, own.name))
}

/// A replica of a replica is left as it is, as long as the way leads to the source; also while a server on that way does not
/// answer.
fn leads_to_the_source(views: &[View], channel: &Replication, source: &Facts) -> bool {
    let mut on_the_way = BTreeSet::from([channel.upstream_id]);
    for _ in views {
        let known = views.iter().filter_map(View::last_facts).filter(|facts| on_the_way.contains(&facts.server_id));
        let further: Vec<u64> = known.flat_map(|facts| &facts.replication).map(|next| next.upstream_id).collect();
        on_the_way.extend(further);
    }
    on_the_way.contains(&source.server_id)
}

/// It follows a server that is none of ours. A server that has not been seen yet may be one of ours, and a replica that has
/// started and reached nobody does not know whom it follows.
fn follows_a_stranger(views: &[View], channel: &Replication) -> bool {
    let may_be = |view: &View| view.last_facts().is_none_or(|facts| facts.server_id == channel.upstream_id);
    channel.upstream_id != 0 && !views.iter().any(may_be)
}

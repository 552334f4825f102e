//! The gates, one function each. Pure.

use super::candidate::best;
use super::source::is_gone;
use super::{Answer, Considered, Gate, Situation, Way};
use crate::topology::same::same_as;
use crate::topology::{Facts, Replication, View, choose};
use std::time::Duration;

/// Looks at every gate.
pub fn consider(situation: &Situation<'_>) -> Considered {
    let candidate = best(situation);
    let is_reopened = matches!(candidate, Ok((_, Way::Reopen)));
    let found = [
        (Gate::NobodyWrites, nobody_writes(situation)),
        (Gate::SourceGone, is_gone(situation)),
        (Gate::Gtid, gtid(situation)),
        (Gate::NobodyReceives, nobody_receives(situation)),
        (Gate::Majority, majority(situation)),
        (Gate::Candidate, named(situation, &candidate)),
        (Gate::Grace, grace(situation)),
        (Gate::Cooldown, if is_reopened { reopened() } else { cooldown(situation) }),
    ];
    let answers = found.map(|(gate, (open, why))| Answer { gate, open, why });
    Considered { answers: answers.into(), candidate: candidate.ok() }
}

/// Also a server that must not be written to is in the way as long as others may write to it.
fn nobody_writes(situation: &Situation<'_>) -> (bool, String) {
    let Situation { views, highest_term, .. } = *situation;
    if views.iter().any(View::is_unasked) {
        return (false, "not every server has been asked yet".to_owned());
    }
    let choice = choose(views, highest_term);
    if choice.source.is_some() {
        return (false, choice.why);
    }
    let open: Vec<&str> =
        views.iter().filter(|view| view.is_open_for_writes()).map(|view| view.name.as_str()).collect();
    match open.as_slice() {
        [] => (true, "no server is open for writes".to_owned()),
        [only] => (false, format!("{only} is open for writes and must not be: make it read-only")),
        several => (false, format!("{} are open for writes: make all but one read-only", several.join(" and "))),
    }
}

fn gtid(situation: &Situation<'_>) -> (bool, String) {
    let by_position = |(view, channel): &(&View, &Replication)| (!channel.by_gtid).then(|| view.name.clone());
    let names: Vec<String> = channels(situation).iter().filter_map(by_position).collect();
    match names.as_slice() {
        [] => (true, "replication goes by GTIDs".to_owned()),
        some => (
            false,
            format!(
                "replication by file and position, from which nobody can tell who has what, at {}: set \
                 MASTER_USE_GTID = slave_pos, or SOURCE_AUTO_POSITION = 1",
                some.join(", ")
            ),
        ),
    }
}

fn reopened() -> (bool, String) {
    (true, "does not matter: no other server becomes the source".to_owned())
}

/// A replica that holds a server for alive that does not answer here may be right: then the way from here to it is what is
/// broken. It does not matter which one that is, as somebody else may have promoted it. Of a frozen one they say so for as
/// long as `slave_net_timeout` (`replica_net_timeout`).
fn nobody_receives(situation: &Situation<'_>) -> (bool, String) {
    let answers = |id: u64| situation.views.iter().filter_map(View::facts).any(|facts| facts.server_id == id);
    let still =
        channels(situation).into_iter().filter(|(_, channel)| channel.connected && !answers(channel.upstream_id));
    let names: Vec<String> = still.map(|(view, channel)| format!("{} from {}", view.name, channel.upstream)).collect();
    match names.as_slice() {
        [] => (true, "no replica receives from a server that does not answer here".to_owned()),
        some => (false, format!("the way from here may be what is broken: {} still receives", some.join(", "))),
    }
}

fn channels<'a>(situation: &Situation<'a>) -> Vec<(&'a View, &'a Replication)> {
    let of = |view: &'a View| {
        view.facts().into_iter().flat_map(move |facts| facts.replication.iter().map(move |one| (view, one)))
    };
    situation.views.iter().flat_map(of).collect()
}

/// Whoever sees less than half cannot know what the others do.
fn majority(situation: &Situation<'_>) -> (bool, String) {
    let views = situation.views;
    let servers = || views.iter().enumerate().filter(|(index, _)| same_as(views, *index).is_none());
    let (all, answering) = (servers().count(), servers().filter(|(_, view)| view.facts().is_some()).count());
    let open = answering * 2 > all;
    let words =
        if open { "" } else { ", which is not more than half of them: those that are away may have promoted one" };
    (open, format!("{answering} of {all} servers answer{words}"))
}

fn named(situation: &Situation<'_>, candidate: &Result<(usize, Way), String>) -> (bool, String) {
    let (index, way) = match candidate {
        Ok(found) => *found,
        Err(why) => return (false, why.clone()),
    };
    let name = situation.views.get(index).map_or("", |view| view.name.as_str());
    (
        true,
        match way {
            Way::Promote => format!("{name} has received all that any other that can be promoted has"),
            Way::Reopen => format!("{name} has everything and only has to be opened"),
        },
    )
}

fn grace(situation: &Situation<'_>) -> (bool, String) {
    let (waited, grace) = (situation.without_source.unwrap_or_default(), situation.grace);
    let open = waited >= grace;
    let words = format!("no server has taken writes for {:.1} s", waited.as_secs_f64());
    (open, if open { words } else { format!("{words}, and grace is {:.1} s", grace.as_secs_f64()) })
}

/// From the term rows of those that answer: a promotion that did not get beyond its server is none. Nor is the first
/// source. While the clock is behind that of the last failover nothing is promoted.
fn cooldown(situation: &Situation<'_>) -> (bool, String) {
    if situation.cooldown.is_zero() {
        return (true, "there is no cooldown".to_owned());
    }
    let last = situation.views.iter().filter_map(|view| term_and_time(view.facts()?)).max();
    let Some((_, since_us)) = last.filter(|(number, _)| *number > 1) else {
        return (true, "there has been no failover yet".to_owned());
    };
    let ago_us = situation.now_us.saturating_sub(since_us);
    let Ok(ago) = u64::try_from(ago_us).map(Duration::from_micros) else {
        return (false, "the last failover lies in the future by this machine's clock: set the clock, or ask for it with `fieldgate db failover`".to_owned());
    };
    let open = ago >= situation.cooldown;
    let words = format!("the last failover was {} s ago", ago.as_secs());
    (open, if open { words } else { format!("{words}, and cooldown is {} s", situation.cooldown.as_secs()) })
}

fn term_and_time(facts: &Facts) -> Option<(u64, i64)> {
    Some((facts.term.as_ref()?.number, facts.term_since_us?))
}

//! How far servers have come, by GTIDs: who has received what, and what one has that another lacks. Pure.

use super::{Intervals, positions, uuid_sets};
use crate::topology::Facts;
use std::collections::BTreeMap;

/// Every transaction that a server has executed or received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// MariaDB numbers the transactions of a domain one after the other, whoever writes them: the last of each domain.
    Positions(BTreeMap<u64, u64>),
    /// MySQL numbers those of each server: sorted runs by name.
    Sets(BTreeMap<String, Intervals>),
}

/// What a server has; none when it does not tell. What it has received and not applied counts only while one of its two
/// threads runs: with both stopped, MariaDB throws its relay log away at the next start.
pub fn reached(facts: &Facts) -> Option<Reached> {
    let running = facts.replication.iter().filter(|channel| channel.receiving || channel.applying);
    let received = running.map(|channel| channel.received.as_str());
    let parts: Vec<&str> = received.chain([facts.executed.as_str()]).filter(|part| !part.is_empty()).collect();
    if let Some(sets) = parts.iter().map(|part| uuid_sets(part)).collect::<Option<Vec<_>>>() {
        return (!sets.is_empty()).then(|| Reached::Sets(union(sets)));
    }
    let all: Vec<_> = parts.iter().map(|part| positions(part)).collect::<Option<Vec<_>>>()?;
    Some(Reached::Positions(last_of_domains(all.into_iter().flatten())))
}

/// Whether a position of MariaDB reaches another: has the number of each of its domains. One that is not understood does not.
pub fn reaches(here: &str, there: &str) -> bool {
    let last = |text| positions(text).map(|all| Reached::Positions(last_of_domains(all.into_iter())));
    last(here).zip(last(there)).is_some_and(|(here, there)| here.covers(&there))
}

fn last_of_domains(all: impl Iterator<Item = ((u64, String), u64)>) -> BTreeMap<u64, u64> {
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for ((domain, _), number) in all {
        let seen = last.entry(domain).or_default();
        *seen = number.max(*seen);
    }
    last
}

impl Reached {
    /// Whether nothing of the other is missing here.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Positions(here), Self::Positions(there)) => {
                there.iter().all(|(domain, number)| here.get(domain).is_some_and(|here| here >= number))
            }
            (Self::Sets(here), Self::Sets(there)) => missing(there, here).is_empty(),
            _ => false,
        }
    }
}

/// The transactions that a server has executed and the source has not, as spans; none when the server can follow it. The
/// server must have been asked first, so that what the source writes meanwhile is no difference.
pub fn beyond(server: &Facts, source: &Facts) -> Vec<String> {
    match (uuid_sets(&server.executed), uuid_sets(&source.executed)) {
        (Some(here), Some(there)) => missing(&union(vec![here]), &union(vec![there])),
        _ => beyond_positions(server, source),
    }
}

/// Numbers of a server that the source does not know at all may be older than the source itself, which was then made from a
/// copy; the server's own are not excused.
fn beyond_positions(server: &Facts, source: &Facts) -> Vec<String> {
    let (Some(here), Some(there)) = (positions(&server.executed), positions(&source.executed)) else {
        return Vec::new();
    };
    let span = |((domain, writer), last): (&(u64, String), &u64)| {
        let known = there.get(&(*domain, writer.clone())).copied();
        let known = known.or_else(|| (*writer == server.gtid_origin).then_some(0))?;
        (known < *last).then(|| run(&format!("{domain}-{writer}-"), (known + 1, *last)))
    };
    here.iter().filter_map(span).collect()
}

/// What is in `of` and not in `known`, as spans.
fn missing(of: &BTreeMap<String, Intervals>, known: &BTreeMap<String, Intervals>) -> Vec<String> {
    let spans = of.iter().flat_map(|(name, runs)| {
        let known = known.get(name).map(Vec::as_slice).unwrap_or_default();
        runs.iter().flat_map(|span| without(*span, known)).map(move |span| run(&format!("{name}:"), span))
    });
    spans.collect()
}

fn run(prefix: &str, (first, last): (u64, u64)) -> String {
    if first == last { format!("{prefix}{first}") } else { format!("{prefix}{first} to {last}") }
}

/// What is left of a run without others, which come in order.
fn without((first, last): (u64, u64), known: &[(u64, u64)]) -> Intervals {
    let (mut left, mut next) = (Vec::new(), first);
    for (from, to) in known.iter().filter(|(from, to)| *to >= first && *from <= last) {
        if next < *from {
            left.push((next, from - 1));
        }
        next = next.max(to.saturating_add(1));
    }
    if next <= last {
        left.push((next, last));
    }
    left
}

/// All runs by name, in order and joined where they touch.
fn union(all: Vec<BTreeMap<String, Intervals>>) -> BTreeMap<String, Intervals> {
    let mut joined: BTreeMap<String, Intervals> = BTreeMap::new();
    for (name, runs) in all.into_iter().flatten() {
        joined.entry(name).or_default().extend(runs);
    }
    for runs in joined.values_mut() {
        runs.sort_unstable();
        let mut whole: Intervals = Vec::new();
        for (first, last) in runs.drain(..) {
            match whole.last_mut().filter(|(_, before)| first <= before.saturating_add(1)) {
                Some((_, before)) => *before = last.max(*before),
                None => whole.push((first, last)),
            }
        }
        *runs = whole;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Replication;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn facts(origin: &str, executed: &str, received: &str) -> Facts {
        let channel = Replication { received: received.to_owned(), applying: true, ..Replication::default() };
        Facts {
            gtid_origin: origin.to_owned(),
            executed: executed.to_owned(),
            replication: vec![channel],
            ..Facts::default()
        }
    }

    fn covers(one: (&str, &str), other: (&str, &str)) -> bool {
        let reached = |(executed, received)| reached(&facts("2", executed, received)).unwrap();
        reached(one).covers(&reached(other))
    }

    #[test]
    fn what_was_received_counts_as_reached() {
        assert!(covers(("0-1-90", "0-1-100"), ("0-1-95", "")));
        assert!(!covers(("0-1-90", ""), ("0-1-80", "0-1-91")));
        assert!(
            covers(("0-1-90,0-2-91", ""), ("0-1-90", "0-1-91")),
            "numbers of a domain are one row, whoever wrote them"
        );
        assert!(!covers(("0-1-90", ""), ("0-1-90,5-1-1", "")), "another domain");
        let set = |runs: &str| format!("{A}:{runs}");
        assert!(covers((&set("1-90"), &set("80-100")), (&set("1-95"), "")));
        assert!(!covers((&set("1-90:92-100"), ""), (&set("1-91"), "")));
        assert!(covers((&format!("{A}:1-9,\n{B}:1-3"), ""), (&format!("{B}:2"), &set("1-9"))));
        assert!(!covers(("0-1-90", ""), (&set("1-9"), "")), "two families");
    }

    #[test]
    fn a_relay_log_of_two_stopped_threads_is_not_counted() {
        let mut stopped = facts("2", "0-1-90", "0-1-100");
        stopped.replication[0].applying = false;
        assert_eq!(reached(&stopped), Some(Reached::Positions([(0, 90)].into())));
        assert_eq!(reached(&facts("2", "", "")), None);
    }

    #[test]
    fn what_the_source_lacks_is_named_exactly() {
        let lacks = |server: &str, source: &str| beyond(&facts("1", server, ""), &facts("2", source, ""));
        assert_eq!(lacks("0-1-100", "0-1-100,0-2-101"), [""; 0]);
        assert_eq!(lacks("0-1-120", "0-1-100,0-2-101"), ["0-1-101 to 120"]);
        assert_eq!(lacks("0-1-101", "0-1-100"), ["0-1-101"]);
        assert_eq!(lacks("0-9-5", "0-1-100"), [""; 0], "perhaps from before the source was made");
        assert_eq!(lacks("0-1-5", "0-2-100"), ["0-1-1 to 5"], "its own");
        assert_eq!(
            lacks(&format!("{A}:1-9:12"), &format!("{A}:1-4:6")),
            [format!("{A}:5"), format!("{A}:7 to 9"), format!("{A}:12")]
        );
        assert_eq!(lacks(&format!("{A}:1-9"), &format!("{A}:1-4:5-9,{B}:1")), [""; 0]);
    }

    #[test]
    fn touching_runs_are_one() {
        let set = |text: &str| uuid_sets(text).unwrap();
        let joined = union(vec![set(&format!("{A}:5-6:1-3")), set(&format!("{A}:4:9"))]);
        assert_eq!(joined[A], [(1, 6), (9, 9)]);
    }
}

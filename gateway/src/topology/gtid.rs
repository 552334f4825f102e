//! Transactions that a replica has and its source has not: only as much of GTIDs as it takes to see that. Pure.
//!
//! Both servers are asked at different moments, and what the source itself writes goes on meanwhile, so its own
//! transactions say nothing. Those of all others do: while it is the source, nobody else writes.

mod reached;
mod short;

pub use reached::{Reached, beyond, reached, reaches};
pub use short::short;

use super::Facts;
use std::collections::BTreeMap;

/// An example of a transaction that `replica` has and `source` has not; none when there is no such, or a server does not
/// tell its GTIDs.
pub fn errant(replica: &Facts, source: &Facts) -> Option<String> {
    if replica.executed.is_empty() || source.executed.is_empty() {
        return None;
    }
    match (uuid_sets(&replica.executed), uuid_sets(&source.executed)) {
        (Some(here), Some(there)) => errant_of_sets(&here, &there, &source.gtid_origin),
        _ => errant_of_positions(replica, source),
    }
}

/// MariaDB keeps the last number per domain and server, so `0-1-100,0-2-7`. A number of a server that the source does not
/// know may be older than the source itself, which was then made from a copy; the replica's own numbers are not excused.
fn errant_of_positions(replica: &Facts, source: &Facts) -> Option<String> {
    let (here, there) = (positions(&replica.executed)?, positions(&source.executed)?);
    let excess = |((domain, server), number): &(&(u64, String), &u64)| {
        let known = there.get(&(*domain, server.clone()));
        let is_more = known.map_or(*server == replica.gtid_origin, |known| known < *number);
        *server != source.gtid_origin && is_more
    };
    let ((domain, server), number) = here.iter().find(excess)?;
    Some(format!("{domain}-{server}-{number}"))
}

fn positions(text: &str) -> Option<BTreeMap<(u64, String), u64>> {
    let position = |part: &str| {
        let mut numbers = part.trim().split('-');
        let (domain, server, number) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(((domain.parse().ok()?, server.to_owned()), number.parse().ok()?))
    };
    text.split(',').map(position).collect()
}

/// First and last number of each run.
type Intervals = Vec<(u64, u64)>;

/// MySQL keeps sets, so `uuid:1-5:7,uuid:1-3`; a tag stands between its uuid and its numbers and belongs to the name.
fn uuid_sets(text: &str) -> Option<BTreeMap<String, Intervals>> {
    let mut sets: BTreeMap<String, Intervals> = BTreeMap::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let mut pieces = part.split(':').map(str::trim);
        let uuid = pieces.next().filter(|uuid| uuid.len() == 36)?.to_lowercase();
        let mut name = uuid.clone();
        for piece in pieces {
            match interval(piece) {
                Some(interval) => sets.entry(name.clone()).or_default().push(interval),
                None => name = format!("{uuid}:{piece}"),
            }
        }
    }
    (!sets.is_empty()).then_some(sets)
}

fn interval(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn errant_of_sets(
    here: &BTreeMap<String, Intervals>,
    there: &BTreeMap<String, Intervals>,
    own_of_source: &str,
) -> Option<String> {
    let of_others = here.iter().filter(|(name, _)| !name.starts_with(&own_of_source.to_lowercase()));
    of_others
        .filter_map(|(name, intervals)| {
            let known = there.get(name).map(Vec::as_slice).unwrap_or_default();
            let number = intervals.iter().find_map(|interval| first_outside(*interval, known))?;
            Some(format!("{name}:{number}"))
        })
        .next()
}

/// The first number of an interval that is in none of the others; they come in order.
fn first_outside((first, last): (u64, u64), known: &[(u64, u64)]) -> Option<u64> {
    let next = known.iter().fold(
        first,
        |next, (from, to)| {
            if *from <= next && next <= *to { to.saturating_add(1) } else { next }
        },
    );
    (next <= last).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn found(replica: (&str, &str), source: (&str, &str)) -> Option<String> {
        let facts = |(origin, executed): (&str, &str)| Facts {
            gtid_origin: origin.to_owned(),
            executed: executed.to_owned(),
            ..Facts::default()
        };
        errant(&facts(replica), &facts(source))
    }

    #[test]
    fn mariadb_compares_per_domain_and_server() {
        let source = ("1", "0-1-100,0-3-7");
        assert_eq!(found(("2", "0-1-90,0-3-7"), source), None);
        assert_eq!(found(("2", "0-1-120,0-3-7"), source), None, "asked later than the source");
        assert_eq!(found(("2", "0-1-90,0-3-8"), source).as_deref(), Some("0-3-8"), "of the source before");
        assert_eq!(found(("2", "0-1-90,0-2-91"), source).as_deref(), Some("0-2-91"), "its own");
        assert_eq!(found(("2", "0-1-90,0-9-5"), source), None, "perhaps from before the source was made");
        assert_eq!(found(("2", "0-1-90,5-3-1"), source), None, "another domain");
        assert_eq!(found(("2", ""), source), None);
    }

    #[test]
    fn mysql_compares_sets() {
        let source = format!("{A}:1-100,\n{B}:1-5:8");
        let found = |replica: &str| found((B, replica), (A, &source));
        assert_eq!(found(&format!("{A}:1-90,{B}:1-5")), None);
        assert_eq!(found(&format!("{A}:1-120,{B}:1-3:8")), None);
        assert_eq!(found(&format!("{A}:1-90,{B}:1-6")), Some(format!("{B}:6")));
        assert_eq!(found(&format!("{A}:1-90,{B}:8-9")), Some(format!("{B}:9")));
        assert_eq!(found(&format!("{A}:1-90,{B}:1-5:tag:1")), Some(format!("{B}:tag:1")));
    }

    #[test]
    fn an_interval_may_be_covered_by_several() {
        assert_eq!(first_outside((1, 9), &[(1, 4), (5, 9)]), None);
        assert_eq!(first_outside((1, 9), &[(1, 4), (6, 9)]), Some(5));
        assert_eq!(first_outside((3, 3), &[]), Some(3));
    }
}

//! How far a server has come, short enough to compare two at a glance. Pure.

use super::{Intervals, positions, uuid_sets};
use std::collections::BTreeMap;

/// So much of a uuid is shown: servers that were set up on one machine share its end.
const UUID_SHOWN: usize = 8;

/// MariaDB: the last transaction of each domain. MySQL: for each server the beginning of its uuid and its last transaction,
/// and how many before that are missing. Empty where the server does not tell.
pub fn short(executed: &str) -> String {
    match uuid_sets(executed) {
        Some(sets) => sets.iter().map(|(name, runs)| of_set(name, runs)).collect::<Vec<_>>().join(","),
        None => of_positions(executed),
    }
}

fn of_positions(executed: &str) -> String {
    let mut last: BTreeMap<u64, (u64, String)> = BTreeMap::new();
    for ((domain, server), number) in positions(executed).into_iter().flatten() {
        let newest = last.entry(domain).or_default();
        if number > newest.0 {
            *newest = (number, server);
        }
    }
    let words = last.iter().map(|(domain, (number, server))| format!("{domain}-{server}-{number}"));
    words.collect::<Vec<_>>().join(",")
}

/// A tag behind the uuid is shown whole.
fn of_set(name: &str, runs: &Intervals) -> String {
    let (uuid, tag) = name.split_once(':').map_or((name, String::new()), |(uuid, tag)| (uuid, format!(":{tag}")));
    let last = runs.iter().map(|(_, last)| *last).max().unwrap_or(0);
    let here: u64 = runs.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1)).sum();
    let missing = match last.saturating_sub(here) {
        0 => String::new(),
        missing => format!(" ({missing} missing)"),
    };
    format!("{}{tag}:{last}{missing}", uuid.get(..UUID_SHOWN).unwrap_or(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_can_be_compared_at_a_glance() {
        const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
        assert_eq!(short(""), "");
        assert_eq!(short("0-1-100"), "0-1-100");
        assert_eq!(short("0-1-100,0-3-107,5-3-1"), "0-3-107,5-3-1");
        assert_eq!(short(&format!("{A}:1-100")), "3e11fa47:100");
        assert_eq!(
            short(&format!("{A}:1-90:93-100,\n{B}:7:t:1-2")),
            "3e11fa47:100 (2 missing),4e11fa47:7 (6 missing),4e11fa47:t:2"
        );
    }
}

//! Which readings may leave the queue. Pure.
//!
//! A reading may leave when it is in the source and as many promotable replicas as configured have it; a replica
//! that does not answer still counts, with the cursor it showed last. Only servers of the source's term count: the
//! cursor of a source that was left behind by a failover says nothing about a replica.

use super::{Facts, View};
use config::KeepUntil;

/// The last number of `stream` that may leave, from its cursor in the source and the views of all servers.
pub fn may_leave(stream: u64, in_source: u64, source: usize, views: &[View], keep_until: KeepUntil) -> u64 {
    let Some(term) = views.get(source).and_then(View::facts).and_then(|facts| facts.term.as_ref()) else { return 0 };
    let has = |facts: &Facts| match &facts.term {
        Some(own) if own == term => facts.cursors.get(&stream).copied().unwrap_or(0),
        _ => 0,
    };
    let others = views.iter().enumerate().filter(|(index, _)| *index != source).map(|(_, view)| view.last_facts());
    let mut cursors: Vec<u64> = others
        .filter(|facts| facts.is_none_or(|facts| facts.not_promotable().is_none()))
        .map(|facts| facts.map_or(0, has))
        .collect();
    cursors.sort_unstable_by(|a, b| b.cmp(a));
    let enough = match keep_until {
        KeepUntil::All => cursors.last().copied().unwrap_or(u64::MAX),
        KeepUntil::Count(0) => u64::MAX,
        KeepUntil::Count(count) => cursors.get(count - 1).copied().unwrap_or(0),
    };
    enough.min(in_source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Replication, Term};

    fn view(name: &str, term: u64, cursor: u64) -> View {
        let mut view = View::unasked(name.to_owned());
        view.answered(Facts {
            identity: name.to_owned(),
            crash_safe: true,
            term: Some(Term { number: term, server: "a".to_owned() }),
            cursors: [(7, cursor)].into(),
            ..Facts::default()
        });
        view
    }

    #[test]
    fn the_slowest_promotable_replica_decides() {
        let views = [view("a", 1, 100), view("b", 1, 80), view("c", 1, 60)];
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::All), 60);
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::Count(1)), 80);
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::Count(0)), 100);
        assert_eq!(may_leave(7, 50, 0, &views, KeepUntil::All), 50, "never more than the source has");
        assert_eq!(may_leave(8, 100, 0, &views, KeepUntil::All), 0, "a stream that no replica knows");
        assert_eq!(may_leave(7, 100, 0, &views[..1], KeepUntil::All), 100, "a server alone");
    }

    #[test]
    fn a_replica_that_does_not_answer_counts_with_what_it_showed_last() {
        let mut away = view("b", 1, 80);
        away.failed("no answer".to_owned());
        let never = View::unasked("c".to_owned());
        assert_eq!(may_leave(7, 100, 0, &[view("a", 1, 100), away.clone()], KeepUntil::All), 80);
        assert_eq!(may_leave(7, 100, 0, &[view("a", 1, 100), away, never], KeepUntil::All), 0);
    }

    #[test]
    fn a_server_of_another_term_has_nothing_and_a_delayed_one_does_not_count() {
        assert_eq!(may_leave(7, 100, 0, &[view("a", 2, 100), view("b", 1, 100)], KeepUntil::All), 0);
        let mut delayed = view("c", 1, 5);
        let mut facts = delayed.facts().unwrap().clone();
        facts.replication.push(Replication { delay_s: 3600, ..Replication::default() });
        delayed.answered(facts);
        assert_eq!(may_leave(7, 100, 0, &[view("a", 1, 100), view("b", 1, 90), delayed], KeepUntil::All), 90);
    }
}

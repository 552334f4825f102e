//! Which readings may leave the queue. Pure.
//!
//! A reading may leave when it is in the source and as many promotable replicas as configured have it; a replica
//! that does not answer still counts, with the cursor it showed last. Only servers of the source's term count: the
//! cursor of a source that was left behind by a failover says nothing about a replica. A server with several configured
//! names counts once, and the source under another name is no replica.

use super::same::{is_same_server, same_as};
use super::{Facts, View};
use config::KeepUntil;

/// The last number of `stream` that may leave, from its cursor in the source and the views of all servers.
pub fn may_leave(stream: u64, in_source: u64, source: usize, views: &[View], keep_until: KeepUntil) -> u64 {
    let Some(own) = views.get(source) else { return 0 };
    let Some((term, facts_of_source)) = own.facts().and_then(|facts| Some((facts.term.as_ref()?, facts))) else {
        return 0;
    };
    let has = |facts: &Facts| match &facts.term {
        Some(own) if own == term => facts.cursors.get(&stream).copied().unwrap_or(0),
        _ => 0,
    };
    let is_other =
        |index: usize, view: &View| index != source && !is_same_server(own, view) && same_as(views, index).is_none();
    let others = views.iter().enumerate().filter(|(index, view)| is_other(*index, view));
    let mut cursors: Vec<u64> = others
        .map(|(_, view)| view.last_facts())
        .filter(|facts| facts.is_none_or(|facts| facts.not_promotable(Some(facts_of_source)).is_none()))
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

    #[test]
    fn a_second_name_of_the_source_or_of_a_replica_counts_for_nothing() {
        let named_again = |identity: &str, cursor| view(identity, 1, cursor);
        let views = [view("a", 1, 100), named_again("a", 100), view("b", 1, 60), named_again("b", 50)];
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::Count(1)), 60);
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::Count(2)), 0, "there is one replica only");
        assert_eq!(may_leave(7, 100, 0, &views, KeepUntil::All), 60);
    }

    #[test]
    fn a_replica_counts_unless_there_is_a_reason_that_it_is_not_to_be_promoted() {
        let leaves = |change: &dyn Fn(&mut Facts)| {
            let (mut source, mut replica) = (view("a", 1, 100), view("b", 1, 5));
            let mut facts = source.facts().unwrap().clone();
            (facts.gtid_origin, facts.executed) = ("1".to_owned(), "0-1-9".to_owned());
            source.answered(facts);
            let mut facts = replica.facts().unwrap().clone();
            (facts.gtid_origin, facts.executed) = ("2".to_owned(), "0-1-7".to_owned());
            change(&mut facts);
            replica.answered(facts);
            may_leave(7, 100, 0, &[source, replica], KeepUntil::All)
        };
        assert_eq!(leaves(&|_| {}), 5);
        let channel = |channel: Replication| move |facts: &mut Facts| facts.replication.push(channel.clone());
        assert_eq!(leaves(&channel(Replication { delay_s: 1, ..Replication::default() })), 100);
        assert_eq!(leaves(&channel(Replication { filtered: true, ..Replication::default() })), 100);
        assert_eq!(leaves(&|facts| facts.crash_safe = false), 100);
        assert_eq!(leaves(&|facts| facts.without_binary_log = true), 100);
        assert_eq!(leaves(&|facts| facts.executed = "0-1-7,0-2-8".to_owned()), 100);
    }
}

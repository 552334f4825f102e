//! Whether a source has forgotten what it gave to a replica. Pure.

use super::{Facts, Term, View};
use std::collections::BTreeMap;

/// A replica that has more of a stream than its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// The replica.
    pub replica: String,
    /// The stream.
    pub stream: u64,
    /// How far the replica has it.
    pub there: u64,
    /// How far the source has it.
    pub here: u64,
}

/// The first replica of the same `term` that has more than the source at `index`, whose `cursors` were read after the
/// views: what a replica shows was in the source before. A replica of another term says nothing: before a failover it may
/// well have had more. Neither does another member of the source's cluster: what it shows is on its way to all of them.
pub fn ahead(views: &[View], index: usize, term: Option<&Term>, cursors: &BTreeMap<u64, u64>) -> Option<Ahead> {
    let term = term?;
    let source = views.get(index).and_then(View::facts);
    let is_member = |facts: &Facts| source.is_some_and(|source| source.is_in_cluster_with(facts));
    let others = views.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, view)| view);
    others
        .filter_map(|view| Some((view, view.facts()?)))
        .filter(|(_, facts)| facts.term.as_ref() == Some(term) && !is_member(facts))
        .find_map(|(view, facts)| {
            let more =
                cursors.iter().map(|(stream, here)| (*stream, *here, facts.cursors.get(stream).copied().unwrap_or(0)));
            let (stream, here, there) = more.into_iter().find(|(_, here, there)| there > here)?;
            Some(Ahead { replica: view.name.clone(), stream, there, here })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::ClusterMember;

    fn term(number: u64) -> Term {
        Term { number, server: "a".to_owned() }
    }

    fn view(name: &str, number: u64, cursor: u64) -> View {
        let mut view = View::unasked(name.to_owned());
        view.answered(Facts { term: Some(term(number)), cursors: [(7, cursor)].into(), ..Facts::default() });
        view
    }

    #[test]
    fn a_member_of_the_cluster_of_the_source_is_never_ahead() {
        let member = |name: &str, uuid: &str, cursor| {
            let mut view = view(name, 2, cursor);
            let mut facts = view.facts().unwrap().clone();
            let uuid = uuid.to_owned();
            facts.cluster = Some(ClusterMember { uuid, synced: true, state: "Synced".to_owned() });
            view.answered(facts);
            view
        };
        let cursors: BTreeMap<u64, u64> = [(7, 50)].into();
        let found = |other: View| ahead(&[member("a", "u", 50), other], 0, Some(&term(2)), &cursors).is_some();
        assert!(!found(member("b", "u", 51)));
        assert!(found(member("b", "other", 51)));
    }

    #[test]
    fn a_replica_of_the_same_term_that_has_more_shows_that_the_source_forgot() {
        let cursors: BTreeMap<u64, u64> = [(7, 50)].into();
        let found = |views: &[View]| ahead(views, 0, Some(&term(2)), &cursors);
        assert_eq!(found(&[view("a", 2, 50), view("b", 2, 50)]), None);
        let expected = Ahead { replica: "b".to_owned(), stream: 7, there: 51, here: 50 };
        assert_eq!(found(&[view("a", 2, 50), view("b", 2, 51)]), Some(expected));
        assert_eq!(found(&[view("a", 2, 50), view("b", 1, 99)]), None, "it is of the time before a failover");
        assert_eq!(
            found(&[view("a", 2, 99), view("b", 2, 50)]),
            None,
            "the source's own view is older than its cursors"
        );
        let mut away = view("b", 2, 51);
        away.failed("no answer".to_owned());
        assert_eq!(found(&[view("a", 2, 50), away]), None);
    }
}

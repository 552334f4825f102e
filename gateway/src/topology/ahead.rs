//! Whether a source has forgotten what it gave to a replica. Pure.

use super::{Term, View};
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
/// well have had more.
pub fn ahead(views: &[View], index: usize, term: Option<&Term>, cursors: &BTreeMap<u64, u64>) -> Option<Ahead> {
    let term = term?;
    let others = views.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, view)| view);
    others
        .filter_map(|view| Some((view, view.facts()?)))
        .filter(|(_, facts)| facts.term.as_ref() == Some(term))
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
    use crate::topology::Facts;

    fn term(number: u64) -> Term {
        Term { number, server: "a".to_owned() }
    }

    fn view(name: &str, number: u64, cursor: u64) -> View {
        let mut view = View::unasked(name.to_owned());
        view.answered(Facts { term: Some(term(number)), cursors: [(7, cursor)].into(), ..Facts::default() });
        view
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

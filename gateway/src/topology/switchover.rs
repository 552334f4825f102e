//! A switchover that was begun and not finished: its command was killed, or lost its power. Pure.

use super::View;

/// Between which servers, by their places in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The source that was closed for it.
    pub from: usize,
    /// The server that is to be the source.
    pub to: usize,
}

/// What was begun: nobody takes writes, and a closed server that follows nobody shows the newest term, which names a server that
/// follows it. Only a switchover gives a server a term that names another one.
pub fn begun(views: &[View], highest_term: u64) -> Option<Begun> {
    if views.iter().any(View::is_open_for_writes) {
        return None;
    }
    (0..views.len()).find_map(|from| {
        let facts = views.get(from)?.facts().filter(|facts| facts.replication.is_empty())?;
        let term = facts.term.as_ref().filter(|term| term.server != facts.identity && term.number >= highest_term)?;
        let is_named = |view: &View| view.facts().is_some_and(|other| other.identity == term.server);
        let to = views.iter().position(is_named).filter(|to| follows(views, *to, from))?;
        Some(Begun { from, to })
    })
}

/// Whether one server is a replica of another, and of nobody else, whether or not it receives at the moment.
pub fn follows(views: &[View], server: usize, upstream: usize) -> bool {
    let facts = |index: usize| views.get(index).and_then(View::facts);
    match (facts(server).map(|facts| facts.replication.as_slice()), facts(upstream)) {
        (Some([channel]), Some(upstream)) => channel.upstream_id == upstream.server_id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Facts, Replication, Term};

    fn view(name: &str, id: u64, upstream_id: Option<u64>, term: (u64, &str)) -> View {
        let replication = upstream_id.map(|upstream_id| Replication { upstream_id, ..Replication::default() });
        let term = Some(Term { number: term.0, server: term.1.to_owned() });
        let (replication, identity) = (replication.into_iter().collect(), name.to_owned());
        let mut view = View::unasked(name.to_owned());
        view.answered(Facts { identity, server_id: id, read_only: true, replication, term, ..Facts::default() });
        view
    }

    #[test]
    fn a_closed_source_whose_newest_term_names_its_replica_was_to_be_replaced_by_it() {
        let site =
            |term: (u64, &str)| [view("a", 1, None, term), view("b", 2, Some(1), term), view("c", 3, Some(1), term)];
        assert_eq!(begun(&site((2, "c")), 2), Some(Begun { from: 0, to: 2 }));
        assert_eq!(begun(&site((2, "a")), 2), None, "somebody has closed the source");
        assert_eq!(begun(&site((2, "c")), 3), None, "there has been a failover since");
        let mut open = site((2, "c"));
        open[1].answered(Facts { read_only: false, ..open[1].facts().cloned().unwrap() });
        assert_eq!(begun(&open, 2), None, "somebody takes writes");
        let mut away = site((2, "c"));
        away[2].failed("no answer".to_owned());
        assert_eq!(begun(&away, 2), None, "the one that was to be the source does not answer");
        let released = [view("a", 1, None, (2, "c")), view("c", 3, None, (2, "c"))];
        assert_eq!(begun(&released, 2), None, "it follows nobody: its term says the rest");
    }
}

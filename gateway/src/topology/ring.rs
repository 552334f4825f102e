//! Servers that follow each other in a ring. Pure.

use super::View;

/// The ring that a server is part of, from it along its upstreams; empty when it is part of none. Of servers that do not
/// answer it is not known whom they follow.
pub fn ring_of(views: &[View], start: usize) -> Vec<usize> {
    let mut path = vec![start];
    if walk(views, start, &mut path) { path } else { Vec::new() }
}

/// Goes on from the end of the path until it is back at the start; a way that leads nowhere is taken back.
fn walk(views: &[View], start: usize, path: &mut Vec<usize>) -> bool {
    let Some(last) = path.last().copied() else { return false };
    for next in upstreams(views, last) {
        if next == start {
            return true;
        }
        if path.contains(&next) {
            continue;
        }
        path.push(next);
        if walk(views, start, path) {
            return true;
        }
        path.pop();
    }
    false
}

fn upstreams(views: &[View], index: usize) -> Vec<usize> {
    let place = |id: u64| views.iter().position(|view| view.facts().is_some_and(|facts| facts.server_id == id));
    let channels = views.get(index).and_then(View::facts).map(|facts| facts.replication.as_slice()).unwrap_or_default();
    channels
        .iter()
        .filter(|channel| channel.receiving || channel.applying)
        .filter_map(|c| place(c.upstream_id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Facts, Replication};

    fn views(follows: &[&[u64]]) -> Vec<View> {
        let channel = |id: &u64| Replication { upstream_id: *id, receiving: true, ..Replication::default() };
        let view = |(ids, server_id): (&&[u64], u64)| {
            let mut view = View::unasked(server_id.to_string());
            let replication = ids.iter().map(channel).collect();
            view.answered(Facts { server_id, replication, ..Facts::default() });
            view
        };
        follows.iter().zip(1..).map(view).collect()
    }

    #[test]
    fn a_ring_is_found_also_among_several_upstreams_and_a_chain_is_none() {
        assert_eq!(ring_of(&views(&[&[2], &[3], &[1]]), 0), [0, 1, 2]);
        assert_eq!(ring_of(&views(&[&[2], &[1]]), 1), [1, 0]);
        assert_eq!(ring_of(&views(&[&[2, 3], &[], &[1]]), 0), [0, 2], "the first way leads nowhere");
        assert_eq!(ring_of(&views(&[&[2], &[3], &[]]), 0), [0_usize; 0]);
        assert_eq!(ring_of(&views(&[&[2], &[3], &[2]]), 0), [0_usize; 0], "beside a ring, not in it");
        let mut away = views(&[&[2], &[3], &[1]]);
        away[2].failed("no answer".to_owned());
        assert_eq!(ring_of(&away, 0), [0_usize; 0]);
    }
}

use super::*;

mod table;

fn facts(identity: &str, server_id: u64) -> Facts {
    Facts { identity: identity.to_owned(), server_id, crash_safe: true, ..Facts::default() }
}

fn term(number: u64, server: &str) -> Option<Term> {
    Some(Term { number, server: server.to_owned() })
}

fn follows(upstream_id: u64, receiving: bool, applying: bool, applied_all: bool) -> Vec<Replication> {
    vec![Replication {
        upstream: format!("server {upstream_id}"),
        upstream_id,
        receiving,
        applying,
        applied_all,
        ..Replication::default()
    }]
}

fn views(all: Vec<Option<Facts>>) -> Vec<View> {
    let named = all.into_iter().enumerate().map(|(index, facts)| {
        let mut view = View::unasked(format!("db{}", index + 1));
        match facts {
            Some(facts) => view.answered(facts),
            None => view.failed("no answer".to_owned()),
        }
        view
    });
    named.collect()
}

fn replica(identity: &str, server_id: u64, of: u64) -> Facts {
    Facts {
        read_only: true,
        replication: follows(of, true, true, true),
        term: term(1, "a"),
        ..facts(identity, server_id)
    }
}

#[test]
fn a_replica_left_writable_is_not_taken_while_any_thread_of_it_runs_or_anything_is_left_to_apply() {
    for replication in [
        follows(1, true, true, true),
        follows(1, false, true, true),
        follows(1, true, false, true),
        follows(1, false, false, false),
    ] {
        let stray = Facts { replication, term: term(1, "a"), ..facts("b", 2) };
        assert_eq!(choose(&views(vec![None, Some(stray)]), 1).source, None);
    }
    let stopped = Facts { replication: follows(1, false, false, true), term: term(1, "a"), ..facts("b", 2) };
    assert_eq!(choose(&views(vec![None, Some(stopped)]), 1).source, Some(1));
}

#[test]
fn the_writable_one_of_two_servers_that_follow_each_other() {
    let writable = Facts { replication: follows(2, true, true, true), term: term(1, "a"), ..facts("a", 1) };
    let passive = Facts { read_only: true, replication: follows(1, true, true, true), ..facts("b", 2) };
    assert_eq!(choose(&views(vec![Some(writable.clone()), Some(passive)]), 1).source, Some(0));
    assert_eq!(choose(&views(vec![Some(writable), None]), 1).source, None, "its partner may be writable too");
}

#[test]
fn the_writable_one_of_a_pair_waits_until_it_has_all_of_the_other() {
    let pair = |applied_all, here, there| {
        let (own, other) = (follows(2, true, true, applied_all), follows(1, true, true, true));
        let writable = Facts { replication: own, cursors: [(7, here)].into(), ..facts("a", 1) };
        let closed = Facts { read_only: true, replication: other, cursors: [(7, there)].into(), ..facts("b", 2) };
        choose(&views(vec![Some(writable), Some(closed)]), 1).source
    };
    assert_eq!(pair(true, 5, 5), Some(0));
    assert_eq!(pair(true, 6, 5), Some(0), "the other follows");
    assert_eq!(pair(false, 5, 5), None, "received and not yet applied");
    assert_eq!(pair(true, 4, 5), None, "not yet received");
}

#[test]
fn a_writable_server_that_follows_a_replica_of_a_third_is_no_half_of_a_pair() {
    let writable = Facts { replication: follows(2, true, true, true), ..facts("a", 1) };
    let middle = Facts { term: None, ..replica("b", 2, 3) };
    assert_eq!(choose(&views(vec![Some(writable), Some(middle), None]), 1).source, None);
}

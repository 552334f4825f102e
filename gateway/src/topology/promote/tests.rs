//! The gates and what is built on them. Servers are db1, db2 and so on, as in the tests of the choice: `a` was the source,
//! its server_id is 1, and `b` and `c` follow it.

use super::chores::{Chore, chores, left_behind};
use super::steps::{Step, after, in_words};
use super::*;
use crate::topology::{Closed, ClusterMember, Facts, Replication, Term};

mod candidates;
mod gate_table;
mod gone_for_long;
mod left_to_do;

const NOW_US: i64 = 1_000_000_000_000;
const HOUR: Duration = Duration::from_secs(3600);

/// One situation, with a name.
struct Row {
    name: &'static str,
    views: Vec<View>,
    highest_term: u64,
}

fn row(name: &'static str, views: Vec<View>) -> Row {
    Row { name, views, highest_term: 1 }
}

fn situation(views: &[View]) -> Situation<'_> {
    Situation {
        views,
        highest_term: 1,
        without_source: Some(Duration::from_secs(31)),
        now_us: NOW_US,
        grace: Duration::from_secs(30),
        cooldown: HOUR,
    }
}

fn ago(seconds: i64) -> i64 {
    NOW_US - seconds * 1_000_000
}

fn term(number: u64, server: &str) -> Option<Term> {
    Some(Term { number, server: server.to_owned() })
}

/// A server of MariaDB that is open for writes and follows nobody, in term 1 of `a`.
fn open(identity: &str, server_id: u64) -> Facts {
    Facts {
        identity: identity.to_owned(),
        server_id,
        crash_safe: true,
        term: term(1, "a"),
        term_since_us: Some(ago(100_000)),
        gtid_origin: server_id.to_string(),
        executed: "0-1-100".to_owned(),
        ..Facts::default()
    }
}

fn channel(upstream_id: u64, received: &str) -> Replication {
    Replication {
        upstream: format!("server {upstream_id}"),
        upstream_id,
        receiving: true,
        by_gtid: true,
        applying: true,
        applied_all: true,
        received: received.to_owned(),
        ..Replication::default()
    }
}

/// A replica that still tries to reach `a`.
fn replica(identity: &str, server_id: u64) -> Facts {
    Facts { read_only: true, replication: vec![channel(1, "0-1-100")], ..open(identity, server_id) }
}

/// A replica that has received so much of `a`.
fn received(identity: &str, server_id: u64, received: &str) -> Facts {
    Facts { replication: vec![channel(1, received)], ..replica(identity, server_id) }
}

/// The last source, closed; written to so long ago, and running for so long.
fn closed(identity: &str, server_id: u64, up_s: u64, last_written_us: Option<i64>) -> Facts {
    Facts {
        read_only: true,
        term: term(1, identity),
        closed: Some(Closed { up_s, by_statement: None }),
        last_written_us,
        ..open(identity, server_id)
    }
}

fn restarted(identity: &str, server_id: u64) -> Facts {
    closed(identity, server_id, 10, Some(ago(60)))
}

fn with(mut facts: Facts, change: impl FnOnce(&mut Facts)) -> Facts {
    change(&mut facts);
    facts
}

fn on_channel(facts: Facts, change: impl FnOnce(&mut Replication)) -> Facts {
    with(facts, |facts| change(&mut facts.replication[0]))
}

/// It answered so, and does not any more.
fn gone(facts: Facts) -> View {
    let mut view = View::unasked(String::new());
    view.answered(facts);
    view.failed("no answer".to_owned());
    view
}

fn never() -> View {
    let mut view = View::unasked(String::new());
    view.failed("no answer".to_owned());
    view
}

fn up(facts: Facts) -> View {
    let mut view = View::unasked(String::new());
    view.answered(facts);
    view
}

fn named(views: Vec<View>) -> Vec<View> {
    let name = |(mut view, number): (View, usize)| {
        view.name = format!("db{number}");
        view
    };
    views.into_iter().zip(1..).map(name).collect()
}

/// The source is gone, and two replicas have all of it.
fn plain() -> Vec<View> {
    vec![gone(open("a", 1)), up(replica("b", 2)), up(replica("c", 3))]
}

fn answer(considered: &Considered, gate: Gate) -> &Answer {
    considered.answers.iter().find(|answer| answer.gate == gate).unwrap()
}

#[test]
fn a_promotion_goes_through_when_every_gate_is_open_or_waived() {
    let views = named(plain());
    let considered = consider(&situation(&views));
    assert!(considered.is_open_but(&[]), "{considered:?}");
    assert_eq!((considered.candidate, considered.first_shut()), (Some((1, Way::Promote)), None));
    let early = Situation { without_source: None, ..situation(&views) };
    let considered = consider(&early);
    assert!(!considered.is_open_but(&[]) && considered.is_open_but(&[Gate::Grace]));
    assert_eq!(
        considered.first_shut().map(|answer| answer.why.as_str()),
        Some("no server has taken writes for 0.0 s, and grace is 30.0 s")
    );
    let none = named(vec![gone(open("a", 1)), never(), never()]);
    let all = consider(&situation(&none)).answers.iter().map(|answer| answer.gate).collect::<Vec<_>>();
    assert!(!consider(&situation(&none)).is_open_but(&all), "nobody to promote, whoever answers for the gates");
}

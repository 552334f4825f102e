use super::*;
use crate::topology::{ClusterMember, ReplicationError, Term};

const SECOND: i64 = 1_000_000;

fn facts(id: u64, term: u64, written_s: i64) -> Facts {
    Facts {
        identity: format!("s{id}"),
        server_id: id,
        term: Some(Term { number: term, server: "s1".to_owned() }),
        last_written_us: Some(written_s * SECOND),
        ..Facts::default()
    }
}

fn source() -> Facts {
    facts(1, 2, 100)
}

fn closed() -> Facts {
    Facts { read_only: true, ..source() }
}

/// A replica of the source that shows this second.
fn replica(id: u64, written_s: i64) -> Facts {
    let channel = Replication {
        upstream: "db1".to_owned(),
        upstream_id: 1,
        receiving: true,
        connected: true,
        applying: true,
        ..Replication::default()
    };
    Facts { read_only: true, replication: vec![channel], ..facts(id, 2, written_s) }
}

fn with(change: impl Fn(&mut Replication)) -> Facts {
    let mut facts = replica(3, 100);
    facts.replication.iter_mut().for_each(change);
    facts
}

fn judged(servers: Vec<Option<Facts>>) -> Readers {
    let view = |(index, facts): (usize, Option<Facts>)| {
        let mut view = View::unasked(format!("db{}", index + 1));
        match facts {
            Some(facts) => view.answered(facts),
            None => view.failed("refused".to_owned()),
        }
        view
    };
    let views: Vec<View> = servers.into_iter().enumerate().map(view).collect();
    readers(&views, &crate::topology::choose(&views, 2))
}

fn fit(readers: &Readers) -> Vec<usize> {
    readers.fit.iter().map(|reader| reader.index).collect()
}

#[test]
fn replicas_that_lag_the_same_take_turns_and_the_source_is_spared() {
    let found = judged(vec![Some(source()), Some(replica(2, 100)), Some(replica(3, 100))]);
    assert!(found.has_replica);
    assert_eq!(fit(&found), [1, 2]);
    assert_eq!(found.why, "one of 2 replicas that are well and lag least, which take turns");
    assert_eq!(found.others, [(0, "it takes writes, and is read from only when no replica is fit".to_owned())]);
    let turns: Vec<usize> = (7..11).filter_map(|turn| Some(found.at_turn(turn)?.index)).collect();
    assert_eq!(turns, [2, 1, 2, 1]);
    assert_eq!(found.at_turn(0).unwrap().lag, Some(Duration::ZERO));
}

#[test]
fn a_second_of_lag_makes_a_difference() {
    let lagging = |us| {
        let late = Facts { last_written_us: Some(100 * SECOND - us), ..replica(3, 0) };
        judged(vec![Some(source()), Some(replica(2, 100)), Some(late)])
    };
    assert_eq!(fit(&lagging(SECOND - 1)), [1, 2]);
    let found = lagging(SECOND);
    assert_eq!(fit(&found), [1]);
    assert_eq!(found.others[1], (2, "it lags by 1.0 s, others less".to_owned()));
    let both = judged(vec![Some(source()), Some(replica(2, 40)), Some(replica(3, 30))]);
    assert_eq!((fit(&both), both.fit[0].lag), (vec![1], Some(Duration::from_secs(60))));
    let nothing = Facts { last_written_us: None, ..replica(3, 0) };
    let found = judged(vec![Some(source()), Some(replica(2, 40)), Some(nothing.clone())]);
    assert_eq!(found.others[1], (2, "it shows nothing of what others show".to_owned()));
    let unwritten = |id| Some(Facts { last_written_us: None, ..replica(id, 0) });
    let before = Facts { last_written_us: None, ..source() };
    assert_eq!(fit(&judged(vec![Some(before), unwritten(2), unwritten(3)])), [1, 2], "nobody has written yet");
}

#[test]
fn each_reason_not_to_be_read_from_has_a_sentence() {
    let error = |text: &str| Some(ReplicationError { number: 1062, text: text.to_owned() });
    let member = ClusterMember { synced: false, state: "Donor".to_owned(), ..ClusterMember::default() };
    let rows = [
        (None, "it does not answer (refused)"),
        (Some(replica(2, 100)), "it is the same server as db2"),
        (Some(Facts { cluster: Some(member), ..replica(3, 100) }), "it is not in step with its cluster (Donor)"),
        (Some(Facts { read_only: true, ..facts(3, 2, 100) }), "it follows no other server"),
        (
            Some(Facts { term: None, ..replica(3, 100) }),
            "it has not seen the last failover yet (its term is 0, the newest 2)",
        ),
        (Some(with(|channel| channel.applying = false)), "it does not apply what it receives"),
        (
            Some(with(|channel| (channel.applying, channel.apply_error) = (false, error("double")))),
            "it does not apply what it receives (error 1062: double)",
        ),
        (
            Some(with(|channel| (channel.connected, channel.receive_error) = (false, error("lost")))),
            "it does not receive from db1 (error 1062: lost)",
        ),
        (Some(with(|channel| channel.delay_s = 60)), "it is delayed on purpose"),
        (Some(with(|channel| channel.filtered = true)), "it leaves out databases or tables"),
    ];
    for (facts, why_not) in rows {
        let found = judged(vec![Some(source()), Some(replica(2, 100)), facts]);
        assert_eq!((fit(&found), found.others[1].1.as_str()), (vec![1], why_not));
        assert_eq!(found.why, "a replica that is well and lags least");
    }
}

#[test]
fn without_a_source_nobody_has_to_receive() {
    let unconnected = |id, written_s| {
        let mut facts = replica(id, written_s);
        facts.replication[0].connected = false;
        Some(facts)
    };
    assert_eq!(fit(&judged(vec![None, unconnected(2, 100), unconnected(3, 100)])), [1, 2]);
    assert_eq!(fit(&judged(vec![None, unconnected(2, 90), unconnected(3, 100)])), [2]);
}

#[test]
fn with_no_replica_fit_the_source_is_the_answer_also_when_it_is_closed() {
    let stopped = || Some(with(|channel| channel.applying = false));
    let found = judged(vec![Some(source()), None, stopped()]);
    assert_eq!((fit(&found), found.why.as_str()), (vec![0], "the source, as no replica is fit"));
    assert!(!found.has_replica);
    assert_eq!(found.others.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2]);
    let found = judged(vec![Some(closed()), None, None]);
    assert_eq!(found.why, "the last source, as no replica is fit; it does not take writes now");
    assert_eq!(fit(&found), [0]);

    let none = judged(vec![None, stopped()]);
    assert_eq!((fit(&none), none.at_turn(3)), (vec![], None));
    assert_eq!(
        none.why,
        "no server can be read from: db1: it does not answer (refused); db2: it does not apply what it receives"
    );
}

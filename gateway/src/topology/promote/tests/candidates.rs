//! Which server is the best, and every reason why one is none.

use super::*;
use crate::topology::ReplicationError;

fn broken(number: u32, text: &str) -> Option<ReplicationError> {
    Some(ReplicationError { number, text: text.to_owned() })
}

fn best_of(views: Vec<View>, highest_term: u64) -> (Option<(usize, Way)>, String) {
    let views = named(views);
    let considered = consider(&Situation { highest_term, ..situation(&views) });
    (considered.candidate, answer(&considered, Gate::Candidate).why.clone())
}

/// Of a source that is gone and these.
fn best(others: impl IntoIterator<Item = Facts>) -> (Option<(usize, Way)>, String) {
    best_of(std::iter::once(gone(open("a", 1))).chain(others.into_iter().map(up)).collect(), 1)
}

fn is_best(found: &(Option<(usize, Way)>, String), index: usize, way: Way) {
    let words = match way {
        Way::Promote => "has received all that any other that can be promoted has",
        Way::Reopen => "has everything and only has to be opened",
    };
    assert_eq!(*found, (Some((index, way)), format!("db{} {words}", index + 1)));
}

#[test]
fn every_reason_why_a_server_is_none() {
    let b = || replica("b", 2);
    let set = |change: fn(&mut Facts)| with(b(), change);
    let cases = [
        (set(|facts| facts.read_only = false), "it is open for writes already"),
        (
            set(|facts| facts.cluster = Some(ClusterMember::default())),
            "it is a member of a cluster, which chooses for itself",
        ),
        (closed("b", 2, 900, Some(ago(60))), "somebody closed it while it ran"),
        (on_channel(b(), |channel| channel.delay_s = 60), "it is delayed on purpose"),
        (on_channel(b(), |channel| channel.filtered = true), "it leaves out databases or tables"),
        (
            set(|facts| facts.crash_safe = false),
            "it may forget commits in a power cut (innodb_flush_log_at_trx_commit or sync_binlog is not 1)",
        ),
        (set(|facts| facts.without_binary_log = true), "it writes no binary log, so nobody could follow it (log_bin)"),
        (
            set(|facts| facts.executed = "0-1-100,0-2-101".to_owned()),
            "it has transactions that the source has not (0-2-101)",
        ),
        (
            set(|facts| (facts.replication, facts.term) = (Vec::new(), None)),
            "it follows nobody and does not have the newest term",
        ),
        (
            on_channel(b(), |channel| {
                (channel.applying, channel.applied_all, channel.apply_error) = (false, false, broken(1062, "twice"));
            }),
            "its replication has stopped with an error (1062: twice)",
        ),
        (set(|facts| facts.replication.push(channel(9, ""))), "it follows several servers"),
        (
            on_channel(with(b(), |facts| facts.executed = String::new()), |channel| channel.received = String::new()),
            "it does not tell its GTIDs",
        ),
    ];
    for (facts, why) in cases {
        let named_by_itself = facts.closed.is_some();
        let views = if named_by_itself { vec![up(facts)] } else { vec![gone(open("a", 1)), up(facts)] };
        let (candidate, found) = best_of(views, 1);
        let expected = if named_by_itself { format!("db1: {why}") } else { format!("db1 does not answer; db2: {why}") };
        assert_eq!((candidate, found), (None, format!("no server can be promoted: {expected}")));
    }
    let stopped = on_channel(replica("b", 2), |channel| {
        (channel.applying, channel.applied_all, channel.apply_error) = (false, true, broken(1236, "gone"));
    });
    is_best(&best([stopped]), 1, Way::Promote);
}

#[test]
fn the_one_that_has_received_most() {
    is_best(&best([received("b", 2, "0-1-100"), received("c", 3, "0-1-101")]), 2, Way::Promote);
    is_best(&best([received("b", 2, "0-1-101"), received("c", 3, "0-1-101")]), 1, Way::Promote);
    let two_stopped = on_channel(received("c", 3, "0-1-102"), |channel| {
        (channel.receiving, channel.applying) = (false, false);
    });
    is_best(&best([received("b", 2, "0-1-101"), two_stopped]), 1, Way::Promote);
    let delayed = on_channel(received("c", 3, "0-1-900"), |channel| channel.delay_s = 60);
    is_best(&best([received("b", 2, "0-1-101"), delayed]), 1, Way::Promote);
    let (candidate, why) = best([received("b", 2, "0-1-101"), received("c", 3, "0-1-100,5-1-7")]);
    assert_eq!((candidate, why.as_str()), (None, "none of db2 and db3 has all that the others have"));
    let names = vec![gone(replica("b", 2)), up(replica("b", 2)), gone(open("a", 1)), up(replica("b", 2))];
    is_best(&best_of(names, 1), 1, Way::Promote);
}

#[test]
fn sets_of_mysql() {
    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const C: &str = "5e11fa47-71ca-11e1-9e33-c80aa9429562";
    let server = |identity: &str, server_id, executed: &str, received: &str| {
        let facts = on_channel(replica(identity, server_id), |channel| channel.received = format!("{A}:{received}"));
        with(facts, |facts| (facts.gtid_origin, facts.executed) = (C.to_owned(), format!("{A}:{executed}")))
    };
    is_best(&best([server("b", 2, "1-90", "80-95"), server("c", 3, "1-90", "91-96")]), 2, Way::Promote);
    let (candidate, why) = best([server("b", 2, "1-90", "92"), server("c", 3, "1-91", "91")]);
    assert_eq!((candidate, why.as_str()), (None, "none of db2 and db3 has all that the others have"));
    let own = with(server("b", 2, "1-95", "1"), |facts| facts.executed = format!("{A}:1-95,{}:1-2", C.to_uppercase()));
    let other = with(server("c", 3, "1-90", "1"), |facts| facts.gtid_origin = A.to_owned());
    let unseen = best_of(vec![never(), up(own), up(other)], 1);
    is_best(&unseen, 2, Way::Promote);
}

#[test]
fn a_closed_source_is_opened_again_where_it_has_everything_and_only_the_last_one() {
    let beside = |first: Facts, replica: Facts| best_of(vec![up(first), up(replica)], 1);
    is_best(&beside(restarted("a", 1), replica("b", 2)), 0, Way::Reopen);
    let forgot = with(restarted("a", 1), |facts| facts.executed = "0-1-99".to_owned());
    is_best(&beside(forgot, replica("b", 2)), 1, Way::Promote);
    let (candidate, why) = best_of(vec![up(restarted("a", 1)), never()], 2);
    let earlier = "db1: it was the source before a later failover (its term is 1, the newest is 2)";
    assert_eq!((candidate, why), (None, format!("no server can be promoted: {earlier}; db2 does not answer")));
    let newer = gone(with(open("c", 3), |facts| facts.term = term(2, "c")));
    is_best(&best_of(vec![up(restarted("a", 1)), up(replica("b", 2)), newer], 1), 1, Way::Promote);
}

/// `c` was promoted: its term was raised, and nobody wrote to it.
fn begun() -> Facts {
    let raised = closed("c", 3, 900_000, Some(ago(60)));
    with(raised, |facts| {
        (facts.term, facts.term_since_us) = (term(2, "c"), Some(ago(50)));
        facts.executed = "0-1-100,0-3-101".to_owned();
    })
}

#[test]
fn a_promotion_that_was_begun_is_gone_on_with() {
    is_best(&best([replica("b", 2), begun()]), 2, Way::Reopen);
    let reset = with(replica("c", 3), |facts| facts.replication.clear());
    is_best(&best([replica("b", 2), reset.clone()]), 2, Way::Promote);
    is_best(&best([received("b", 2, "0-1-101"), reset]), 1, Way::Promote);
    let more = || with(received("b", 2, "0-1-101"), |facts| facts.executed = "0-1-101".to_owned());
    is_best(&best_of(vec![gone(open("a", 1)), up(more()), gone(begun())], 2), 1, Way::Promote);
    is_best(&best_of(vec![gone(open("a", 1)), up(more()), up(begun())], 2), 1, Way::Promote);
}

#[test]
fn without_the_last_source_its_successors_and_the_others_tell_who_has_what_it_must_not_have() {
    let own = with(replica("b", 2), |facts| facts.executed = "0-1-80,0-2-101".to_owned());
    is_best(&best_of(vec![never(), up(own.clone()), up(replica("c", 3))], 1), 2, Way::Promote);
    let alone = best_of(vec![never(), up(own)], 1).1;
    assert!(alone.starts_with("db2 has received all"), "nobody to compare it with: {alone}");
    let (_, why) = best_of(
        vec![
            never(),
            up(with(replica("b", 2), |facts| facts.executed = "0-1-80,0-2-101".to_owned())),
            up(on_channel(replica("c", 3), |channel| channel.delay_s = 9)),
        ],
        1,
    );
    assert!(why.contains("db2: it has transactions of its own that no other server has (0-2-101)"), "{why}");

    let after_failover = with(received("d", 4, "0-3-85"), |facts| {
        (facts.term, facts.executed) = (term(2, "c"), "0-1-80,0-3-85".to_owned());
    });
    is_best(&best_of(vec![never(), up(replica("b", 2)), up(after_failover.clone())], 2), 2, Way::Promote);
    let (_, why) = best_of(
        vec![never(), up(replica("b", 2)), up(on_channel(after_failover.clone(), |channel| channel.delay_s = 9))],
        2,
    );
    let lost = "db2: it has transactions from before the last failover that did not get into it (0-1-100)";
    assert!(why.contains(lost), "{why}");
    let lags = with(received("b", 2, "0-3-86"), |facts| facts.executed = "0-1-80".to_owned());
    let (candidate, why) = best_of(vec![never(), up(lags), up(after_failover)], 2);
    assert_eq!(
        (candidate, why.as_str()),
        (None, "none of db2 and db3 has all that the others have"),
        "not yet applied"
    );
}

/// As when the gateway is killed after the others have followed it, and before it is opened.
#[test]
fn a_promotion_whose_term_others_show_is_finished_and_not_begun_anew() {
    let begun = with(closed("b", 2, 900, None), |facts| {
        (facts.term, facts.executed) = (term(2, "b"), "0-1-100,0-2-101".to_owned());
    });
    let follower = on_channel(with(replica("c", 2), |facts| facts.term = term(2, "b")), |channel| {
        channel.received = "0-2-101".to_owned();
    });
    let follower = with(follower, |facts| facts.executed = "0-1-100,0-2-101".to_owned());
    is_best(&best([begun.clone(), follower.clone()]), 1, Way::Reopen);
    is_best(&best([follower, begun]), 2, Way::Reopen);
}

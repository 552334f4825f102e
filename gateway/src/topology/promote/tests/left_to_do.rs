//! Chores, each with its reason, and every case in which there is none; the steps, and what is said of them.

use super::*;
use std::collections::BTreeSet;

/// What is to be done beside `c`, which takes writes in term 2, at `db1`.
fn to_do(others: Vec<View>) -> Vec<(usize, Chore, String)> {
    let source = with(open("c", 3), |facts| {
        (facts.term, facts.executed) = (term(2, "c"), "0-1-100,0-3-120".to_owned());
    });
    beside(source, others, &[])
}

fn beside(source: Facts, others: Vec<View>, stopped: &[&str]) -> Vec<(usize, Chore, String)> {
    let views = named(std::iter::once(up(source)).chain(others).collect());
    let stopped: BTreeSet<String> = stopped.iter().map(|one| (*one).to_owned()).collect();
    chores(&views, 0, &stopped).into_iter().map(|task| (task.server, task.chore, task.why)).collect()
}

fn one(chore: Chore, why: &str) -> Vec<(usize, Chore, String)> {
    vec![(1, chore, why.to_owned())]
}

fn follows(upstream_id: u64) -> Facts {
    with(replica("b", 2), |facts| facts.replication = vec![channel(upstream_id, "0-1-100")])
}

#[test]
fn the_old_source_is_closed_and_what_followed_it_follows_the_new_one() {
    let closes = one(Chore::Close, "db2 was the source in term 1, and db1 is in term 2");
    assert_eq!(to_do(vec![up(open("a", 1))]), closes);
    let is_to_follow = one(Chore::Follow, "db2 follows server 1, and db1 is the source");
    assert_eq!(to_do(vec![up(follows(1)), gone(open("a", 1))]), is_to_follow);
    assert_eq!(to_do(vec![up(follows(1)), never()]), is_to_follow, "the old source was not seen since the start");
    assert_eq!(to_do(vec![up(follows(1)), up(restarted("a", 1))]), is_to_follow);
    let started = on_channel(follows(0), |channel| channel.upstream = "server 1".to_owned());
    assert_eq!(to_do(vec![up(started), gone(open("a", 1))]), is_to_follow, "started again, and reached nobody");
    let both = to_do(vec![up(open("a", 1)), up(follows(1))]);
    assert_eq!(
        both.iter().map(|(server, chore, _)| (*server, *chore)).collect::<Vec<_>>(),
        [(1, Chore::Close), (2, Chore::Follow)]
    );
}

#[test]
fn what_a_promotion_has_stopped_and_given_up_receives_again() {
    let stopped = on_channel(follows(1), |channel| channel.receiving = false);
    let source = || open("a", 1);
    let again = one(Chore::Receive, "db2 was stopped for a promotion");
    assert_eq!(beside(source(), vec![up(stopped.clone())], &["b"]), again);
    assert_eq!(beside(source(), vec![up(stopped)], &["c"]), [], "a person has stopped it");
    assert_eq!(beside(source(), vec![up(follows(1))], &["b"]), [], "it receives");
}

#[test]
fn every_case_in_which_nothing_is_to_be_done() {
    let nothing = |name: &str, others: Vec<View>| assert_eq!(to_do(others), [], "{name}");
    let stray = with(follows(1), |facts| facts.read_only = false);
    nothing("a replica left writable: the term names another", vec![up(stray)]);
    nothing("open in the same term", vec![up(with(open("a", 1), |facts| facts.term = term(2, "a")))]);
    nothing("open and without a term", vec![up(with(open("a", 1), |facts| facts.term = None))]);
    nothing("it follows already", vec![up(follows(3))]);
    nothing("away", vec![gone(open("a", 1)), gone(follows(1))]);
    nothing("the old source, closed", vec![up(restarted("a", 1))]);
    let middle = |upstream| with(follows(upstream), |facts| (facts.identity, facts.server_id) = ("d".to_owned(), 4));
    nothing("a replica of a replica", vec![up(follows(4)), up(middle(3))]);
    nothing("the same while the one between is away", vec![up(follows(4)), gone(middle(3))]);
    let two = with(middle(9), |facts| facts.replication.push(channel(3, "")));
    nothing("the one between has several channels", vec![up(follows(4)), up(two)]);
    nothing("a replica of a server that is none of ours", vec![up(follows(9)), gone(open("a", 1))]);
    nothing("by file and position", vec![up(on_channel(follows(1), |channel| channel.by_gtid = false)), never()]);
    nothing("several channels", vec![up(with(follows(1), |facts| facts.replication.push(channel(9, "")))), never()]);
    let errant = with(follows(1), |facts| facts.executed = "0-1-101".to_owned());
    nothing("it has what the source has not", vec![up(errant), never()]);
    nothing("another name of the source", vec![up(open("c", 3))]);
    nothing("a second name of a replica that follows", vec![up(follows(3)), up(follows(3))]);
    assert_eq!(beside(open("c", 3), vec![up(follows(1)), up(open("a", 1))], &[]), [], "its term is not raised yet");
    let before_it_opens = beside(begun_at_c(), vec![up(follows(1)), up(open("a", 1))], &[]);
    assert_eq!(before_it_opens.len(), 2, "with its term raised the others may follow it before it is open");
    assert_eq!(chores(&named(vec![gone(open("c", 3))]), 0, &BTreeSet::new()), []);
}

fn begun_at_c() -> Facts {
    with(closed("c", 3, 900, None), |facts| facts.term = term(2, "c"))
}

#[test]
fn members_of_the_cluster_of_the_source_are_left_alone() {
    let member = |facts: Facts| {
        with(facts, |facts| facts.cluster = Some(ClusterMember { uuid: "u".to_owned(), ..ClusterMember::default() }))
    };
    let source = || with(open("c", 3), |facts| facts.term = term(2, "c"));
    assert_eq!(beside(member(source()), vec![up(member(open("a", 1)))], &[]), []);
    assert_eq!(beside(member(source()), vec![up(open("a", 1))], &[]).len(), 1);
}

#[test]
fn the_steps_come_in_their_order() {
    let all = |way| std::iter::successors(Some(Step::Lock), |step| after(*step, way)).collect::<Vec<_>>();
    use Step::*;
    assert_eq!(all(Way::Promote), [Lock, LookAgain, StopReceiving, Apply, Reset, RaiseTerm, Spread, Open]);
    assert_eq!(all(Way::Reopen), [Lock, LookAgain, RaiseTerm, Spread, Open]);
}

#[test]
fn what_a_promotion_would_do_in_words() {
    let first = ["take the promotion lock at db2, db3", "ask them all again"];
    let raise = ["raise the term of db2 to 2, with a row of events"];
    let last = ["wait until more than half of all servers show that term", "open db2 for writes"];
    let close = "close the old source for writes whenever it answers";
    let middle = ["let db2 apply what it has received", "let db2 forget whom it followed"];
    let stop = ["stop receiving at db2, db3, and choose again"];
    let expected = [&first[..], &stop, &middle, &raise, &["let db3 follow db2"], &last, &[close]].concat();
    assert_eq!(in_words(&named(plain()), 1, Way::Promote, 2), expected);

    let first = ["take the promotion lock at db1, db2", "ask them all again"];
    let raise_again = ["raise the term of db1 to 2, with a row of events"];
    let open_again = ["wait until more than half of all servers show that term", "open db1 for writes"];
    let expected = [&first[..], &raise_again, &open_again].concat();
    assert_eq!(in_words(&named(vec![up(restarted("a", 1)), up(replica("b", 2))]), 0, Way::Reopen, 2), expected);

    let reset = with(replica("b", 2), |facts| facts.replication.clear());
    let alone = ["take the promotion lock at db2", "ask them all again"];
    let expected = [&alone[..], &middle, &raise, &last, &[close]].concat();
    assert_eq!(in_words(&named(vec![gone(open("a", 1)), up(reset)]), 1, Way::Promote, 2), expected);

    let begun = in_words(&named(vec![up(begun_at_c()), up(replica("b", 2))]), 0, Way::Reopen, 3);
    assert!(begun.contains(&"let db2 follow db1".to_owned()), "{begun:?}");
}

#[test]
fn while_nobody_takes_writes_only_who_is_behind_another_that_answers_is_closed() {
    let old = || up(open("a", 1));
    let newer = |view: fn(Facts) -> View| view(with(replica("b", 2), |facts| facts.term = term(2, "c")));
    let closed =
        |views: Vec<View>| left_behind(&named(views)).into_iter().map(|task| (task.server, task.chore)).collect();
    let one: Vec<(usize, Chore)> = closed(vec![old(), newer(up)]);
    assert_eq!(one, [(0, Chore::Close)]);
    let nobody: Vec<(usize, Chore)> = closed(vec![old(), newer(gone)]);
    assert_eq!(nobody, [], "restored from a backup, perhaps");
}

//! The verdicts as a table, in seconds.

use super::*;

const S: i64 = SECOND_US;

fn span(from: i64, to: i64) -> Span {
    let (from_us, to_us) = (from * S, to * S);
    Span { from_us, to_us, written_us: Some((from_us, to_us)), is_open: true, ..Span::default() }
}

fn other(is_holder: bool, spans: &[Span]) -> Vec<Other> {
    vec![Other { is_holder, spans: [("silo".to_owned(), spans.to_vec())].into() }]
}

fn heard(at: i64, has_identity: bool) -> Heard {
    Heard { at_us: at * S, since_us: at * S, doubt_us: 0, has_identity }
}

fn plain(at: i64, others: &[Other], is_holder: bool) -> Verdict {
    verdict(&heard(at, false), "silo", others, is_holder)
}

fn marked(from: i64, to: i64) -> Verdict {
    Verdict::WriteMarked(from * S, to * S)
}

fn known(at: i64, others: &[Other], is_holder: bool) -> Verdict {
    verdict(&heard(at, true), "silo", others, is_holder)
}

#[test]
fn alone_everything_is_written() {
    assert_eq!((plain(5, &[], true), known(5, &[], true)), (Verdict::Write, Verdict::Write));
}

#[test]
fn a_standby_leaves_out_what_the_active_one_brought_and_waits_for_the_rest() {
    let active = other(true, &[span(100, 200)]);
    assert_eq!(plain(150, &active, false), Verdict::LeaveOut);
    assert_eq!(plain(200, &active, false), Verdict::Wait, "at the edge it may still come");
    assert_eq!(plain(230, &active, false), Verdict::Wait);
    assert_eq!(known(230, &active, false), Verdict::Wait);
    assert_eq!(known(150, &active, false), Verdict::Ask(120 * S, 180 * S));
}

/// Two seconds are no difference that the beats tell, and more than the second of an edge.
#[test]
fn what_clocks_in_doubt_may_put_elsewhere_is_an_edge() {
    let dead = other(false, &[span(100, 200)]);
    let off = |at: i64, doubt: i64, others: &[Other], is_holder: bool| {
        verdict(&Heard { doubt_us: doubt * S, ..heard(at, false) }, "silo", others, is_holder)
    };
    assert_eq!((off(198, 0, &dead, true), off(198, 2, &dead, true)), (Verdict::LeaveOut, marked(195, 201)));
    assert_eq!((off(202, 0, &dead, true), off(202, 2, &dead, true)), (Verdict::Write, marked(199, 205)));
    assert_eq!((off(196, 2, &dead, true), off(205, 2, &dead, true)), (Verdict::LeaveOut, Verdict::Write));
    let active = other(true, &[span(100, 200)]);
    assert_eq!((off(198, 0, &active, false), off(198, 2, &active, false)), (Verdict::LeaveOut, Verdict::Wait));
}

/// Else every reading of a node that seldom speaks would stand twice.
#[test]
fn at_the_last_row_of_an_active_one_that_has_dealt_with_more_its_value_tells() {
    let quiet = |from: i64| Span { written_us: Some((from * S, 150 * S)), ..span(100, 200) };
    let active = other(true, &[quiet(100)]);
    let alike = |from, to| Verdict::AskAlike(from * S, to * S);
    assert_eq!(plain(150, &active, false), alike(149, 151));
    assert_eq!(plain(151, &active, false), alike(150, 152));
    assert_eq!((plain(149, &active, false), plain(152, &active, false)), (Verdict::LeaveOut, Verdict::Write));
    assert_eq!(plain(150, &other(true, &[quiet(150)]), false), marked(149, 151), "it has just begun to write");
    assert_eq!(plain(150, &other(false, &[quiet(100)]), true), marked(149, 151), "that is where it ended");
    let closed = Span { is_open: false, ..quiet(100) };
    assert_eq!(plain(150, &other(true, &[closed]), false), marked(149, 151), "that is where it heard no more");
    let partial = Span { is_partial: true, ..quiet(100) };
    assert_eq!(plain(150, &other(true, &[partial]), false), marked(149, 151), "another broker may have brought more");
}

#[test]
fn a_reading_with_an_identity_is_looked_for_whichever_way_it_came() {
    let other = other(false, &[span(100, 200)]);
    let ask = Verdict::Ask(120 * S, 180 * S);
    assert_eq!(verdict(&heard(150, true), "", &other, true), ask, "a wire there, a broker here");
    assert_eq!(verdict(&heard(250, true), "", &other, true), Verdict::Write);
}

#[test]
fn after_a_takeover_nothing_waits_and_the_edge_is_marked() {
    let dead = other(false, &[span(100, 200)]);
    assert_eq!(plain(150, &dead, true), Verdict::LeaveOut);
    assert_eq!(plain(200, &dead, true), marked(199, 201));
    assert_eq!(plain(202, &dead, true), Verdict::Write);
    assert_eq!(known(202, &dead, true), Verdict::Ask(172 * S, 232 * S));
    assert_eq!(known(231, &dead, true), Verdict::Write, "too late for a row of the dead one");
}

#[test]
fn what_the_active_one_could_not_hear_is_written_by_the_standby() {
    let closed = Span { is_open: false, ..span(100, 130) };
    let active = other(true, &[closed, span(160, 200)]);
    assert_eq!(plain(145, &active, false), Verdict::Write);
    assert_eq!(plain(130, &active, false), marked(129, 131));
    assert_eq!(plain(160, &active, false), marked(159, 161));
    assert_eq!(plain(110, &active, false), Verdict::LeaveOut);
    // Deaf until now: another source of it tells how far it has come.
    let mut deaf = other(true, &[closed]);
    assert_eq!(plain(150, &deaf, false), Verdict::Wait);
    deaf[0].spans.insert(String::new(), vec![span(100, 170)]);
    assert_eq!(plain(150, &deaf, false), Verdict::Write);
}

#[test]
fn a_source_that_the_active_one_does_not_have_is_the_standbys() {
    let mut active = other(true, &[]);
    assert_eq!(plain(150, &active, false), Verdict::Wait);
    active[0].spans = [("mill".to_owned(), vec![span(100, 152)])].into();
    assert_eq!(plain(150, &active, false), Verdict::Write);
}

#[test]
fn what_a_broker_keeps_for_the_active_one_is_waited_for() {
    let resumed = |to| Span { is_resumed: true, ..span(160, to) };
    let closed = Span { is_open: false, ..span(100, 130) };
    let active = |to| other(true, &[closed, resumed(to)]);
    assert_eq!((plain(145, &active(165), false), known(145, &active(165), false)), (Verdict::Wait, Verdict::Wait));
    // It need not have kept all of it, and what it kept has a later stamp.
    assert_eq!(plain(145, &active(170), false), marked(144, 170));
    assert_eq!(plain(162, &active(170), false), Verdict::LeaveOut);
    assert_eq!(known(145, &active(170), false), Verdict::Ask(115 * S, 760 * S));
    let dead = other(false, &[closed, resumed(165)]);
    assert_eq!(plain(145, &dead, true), marked(144, 170), "it may have come before the end or not");
}

#[test]
fn what_a_broker_kept_for_this_gateway_is_looked_for_from_the_break_on() {
    let active = other(true, &[span(100, 5000)]);
    let late = Heard { at_us: 4000 * S, since_us: 400 * S, doubt_us: 0, has_identity: true };
    assert_eq!(verdict(&late, "silo", &active, false), Verdict::Ask(370 * S, 4030 * S));
}

#[test]
fn an_active_one_looks_only_where_the_standby_has_written() {
    let standby = |filled: Option<i64>| {
        other(false, &[Span { written_us: None, filled_to_us: filled.map(|at| at * S), ..span(100, 200) }])
    };
    assert_eq!(known(199, &standby(None), true), Verdict::Write);
    assert_eq!(known(199, &standby(Some(120)), true), Verdict::Write);
    assert_eq!(known(199, &standby(Some(180)), true), Verdict::Ask(169 * S, 229 * S));
    assert_eq!(
        plain(150, &standby(Some(180)), true),
        marked(149, 151),
        "one that is not of two any more waits for nobody"
    );
    assert_eq!(plain(182, &standby(Some(180)), true), Verdict::Write);
}

#[test]
fn without_a_holder_a_standby_waits() {
    assert_eq!(plain(150, &other(false, &[span(100, 120)]), false), Verdict::Wait);
    assert_eq!(plain(150, &[], false), Verdict::Wait);
}

/// By the stamp it lies behind the last row of the active one, which heard it when it was published.
#[test]
fn what_a_broker_kept_for_this_gateway_is_there_if_the_other_one_listened_all_the_time() {
    let kept = |since: i64, at: i64| Heard { at_us: at * S, since_us: since * S, doubt_us: 0, has_identity: false };
    let active = other(true, &[Span { to_us: 900 * S, ..span(100, 705) }]);
    let decide = |since, at, others: &[Other]| verdict(&kept(since, at), "silo", others, false);
    assert_eq!(decide(400, 805, &active), Verdict::LeaveOut);
    assert_eq!(decide(100, 805, &active), marked(99, 806), "it did not listen so early");
    assert_eq!(decide(400, 900, &active), Verdict::Wait);
    let dead = other(false, &[span(100, 705)]);
    let alone = |since, at| verdict(&kept(since, at), "silo", &dead, true);
    assert_eq!(
        (alone(400, 704), alone(400, 805), alone(710, 805)),
        (Verdict::LeaveOut, marked(399, 806), Verdict::Write)
    );
}

/// A broker that was down itself, or whose limit was reached, has not kept what this gateway heard elsewhere.
#[test]
fn over_a_break_nobody_can_tell_whether_the_broker_kept_it() {
    let kept = Heard { at_us: 250 * S, since_us: 110 * S, doubt_us: 0, has_identity: false };
    let resumed = Span { is_resumed: true, ..span(160, 300) };
    let closed = Span { is_open: false, ..span(100, 130) };
    assert_eq!(verdict(&kept, "silo", &other(true, &[closed, resumed]), false), marked(109, 251));
    let after = Heard { since_us: 170 * S, ..kept };
    assert_eq!(verdict(&after, "silo", &other(true, &[closed, resumed]), false), Verdict::LeaveOut);
}

/// The other one drained until 130, heard more, and came back with another card and what the broker had kept since.
#[test]
fn what_went_with_a_card_is_not_taken_for_resumed() {
    let resumed = Span { is_resumed: true, ..span(160, 200) };
    assert_eq!(plain(145, &other(true, &[span(100, 130), resumed]), false), marked(144, 170));
    assert_eq!(plain(145, &other(true, &[resumed]), false), marked(144, 170), "nothing is known of before");
}

/// A gateway whose first span of all was resumed, as after the loss of its card: its row has a later stamp.
#[test]
fn a_row_of_a_first_span_that_was_resumed_is_looked_for() {
    let resumed = Span { is_resumed: true, ..span(700, 739) };
    assert_eq!(known(5, &other(false, &[resumed]), true), Verdict::Ask(-25 * S, 1300 * S));
    assert_eq!(known(5, &other(false, &[Span { is_resumed: false, ..resumed }]), true), Verdict::Write);
}

/// Of two brokers the active one heard only one from 130 to 160.
#[test]
fn where_the_active_one_heard_only_a_part_nobody_can_tell() {
    let closed = Span { is_open: false, ..span(100, 130) };
    let part = Span { is_partial: true, ..span(130, 160) };
    let active = other(true, &[closed, part]);
    assert_eq!((plain(120, &active, false), plain(150, &active, false)), (Verdict::LeaveOut, marked(149, 151)));
    assert_eq!(
        (plain(165, &active, false), known(150, &active, false)),
        (Verdict::Wait, Verdict::Ask(120 * S, 180 * S))
    );
    // Its row of what the broker kept for it has a later stamp.
    let ended = Span { is_open: false, ..part };
    let back = other(true, &[closed, ended, Span { is_resumed: true, ..span(160, 180) }]);
    assert_eq!(
        (plain(135, &back, false), known(131, &back, false)),
        (marked(134, 170), Verdict::Ask(101 * S, 760 * S))
    );
    let silent = other(true, &[closed, Span { written_us: None, ..part }]);
    assert_eq!(plain(150, &silent, false), Verdict::Write, "it wrote nothing then");
}

#[test]
fn one_that_is_not_of_two_any_more_waits_for_nobody() {
    let former = |at, has_identity, others: &[Other]| verdict_of_former(&heard(at, has_identity), "silo", others);
    let active = other(true, &[span(100, 200)]);
    assert_eq!(
        (former(150, false, &active), former(150, true, &active)),
        (Verdict::LeaveOut, known(150, &active, true))
    );
    assert_eq!(former(205, false, &active), marked(204, 206), "it may still bring it");
    assert_eq!(former(205, true, &active), Verdict::Ask(175 * S, 235 * S));
    assert_eq!(
        (former(205, false, &[]), former(205, true, &[])),
        (Verdict::Write, Verdict::Write),
        "there was nobody else"
    );
}

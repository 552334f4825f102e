//! Batches, judged by what another gateway has brought.

use super::*;
use crate::drain::group::listening::Item;
use crate::standby::span::Span;
use crate::standby::verdict::Heard;
use queue::StreamId;
use sensors::{ClockQuality, Gap, Stamp, Value};

const S: i64 = 1_000_000;

fn reading(node_seq: Option<i64>, at: i64) -> Reading {
    let stamp = Stamp { boot: 0, boottime_us: 0, wall_us: at * S, quality: ClockQuality::Synced, error_us: None };
    Reading {
        node: "silo".to_owned().try_into().unwrap(),
        channel: "level".to_owned().try_into().unwrap(),
        unit: None,
        value: Ok(Value::Int(1)),
        raw: None,
        stamp,
        node_seq,
        node_time_us: None,
    }
}

/// Numbers from 1, heard at these seconds; odd ones have no identity.
fn batch(seconds: &[i64]) -> Batch {
    let mut batch = Batch::single(StreamId::from_u64(9).unwrap(), 1, reading(None, 0));
    batch.readings =
        (1..).zip(seconds).map(|(seq, at)| (seq, reading((seq % 2 == 0).then_some(at * 10), *at))).collect();
    batch.last = u64::try_from(seconds.len()).unwrap();
    batch.shared = batch.readings.iter().map(|(seq, _)| *seq).collect();
    batch
}

fn heard(batch: &Batch) -> HeardBatch {
    let item = |reading: &Reading| {
        let at_us = reading.stamp.wall_us;
        let heard = vec![Heard { at_us, since_us: at_us, doubt_us: 0, has_identity: reading.node_seq.is_some() }];
        Item { source: "silo".to_owned(), own_us: at_us, heard, is_gap: false }
    };
    HeardBatch { items: batch.readings.iter().map(|(seq, reading)| (*seq, item(reading))).collect() }
}

fn other(is_holder: bool, from: i64, to: i64) -> Vec<Other> {
    let (from_us, to_us) = (from * S, to * S);
    let span = Span { from_us, to_us, written_us: Some((from_us, to_us)), is_open: true, ..Span::default() };
    vec![Other { is_holder, spans: [("silo".to_owned(), vec![span])].into() }]
}

fn numbers(part: &Part) -> Vec<u64> {
    part.batch.readings.iter().map(|(seq, _)| *seq).collect()
}

/// After a break of days each look would else go through all the rows of those days.
#[test]
fn what_may_be_as_old_as_a_break_is_first_looked_for_when_it_was_heard() {
    let batch = batch(&[100_000, 100_010, 100_020, 100_030]);
    let mut heard = heard(&batch);
    let items = heard.items.values_mut().flat_map(|item| &mut item.heard);
    items.for_each(|heard| heard.since_us = 1000 * S);
    let judgement = Judgement::of(&heard, &other(false, 0, 200_000), true);
    let question = judgement.question(&batch).unwrap();
    assert_eq!((question.from_us, question.to_us), (970 * S, 100_060 * S));
    let near = question.near();
    assert_eq!((near.from_us, near.to_us, near.wanted.len()), (99_980 * S, 100_060 * S, 2));
    assert_eq!(question.clone().rest(&[2, 4].into()), None);
    let rest = question.rest(&[2].into()).unwrap();
    assert_eq!(rest.wanted.into_values().collect::<Vec<_>>(), [[4]]);
    assert_eq!(near.rest(&BTreeSet::new()), None, "all has been asked");
}

#[test]
fn a_standby_stops_at_the_first_that_may_still_come() {
    let batch = batch(&[10, 20, 30, 40, 50]);
    let heard = heard(&batch);
    let judgement = Judgement::of(&heard, &other(true, 0, 35), false);
    let question = judgement.question(&batch).unwrap();
    assert_eq!(question.wanted.values().flatten().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(question.nodes["silo"], Given { seqs: Some((200, 200)), times_us: None });
    assert_eq!((question.from_us, question.to_us), (-10 * S, 50 * S));
    let part = judgement.part(&batch, &[2].into(), false);
    assert_eq!((part.batch.last, numbers(&part), part.left_out.clone()), (3, vec![], vec![(1, 3)]));
    assert!(part.dealt.iter().all(|(_, _, how)| *how == Dealt::LeftOut));
    // What the active one did not hear is written by the standby.
    let part = judgement.part(&batch, &BTreeSet::new(), false);
    assert_eq!((numbers(&part), part.left_out.clone()), (vec![2], vec![(1, 1), (3, 3)]));
    assert_eq!(part.dealt[1], ("silo".to_owned(), 20 * S, Dealt::Filled));
}

#[test]
fn who_takes_over_writes_from_where_the_other_was() {
    let batch = batch(&[10, 20, 35, 40, 50]);
    let heard = heard(&batch);
    let judgement = Judgement::of(&heard, &other(false, 0, 35), true);
    let part = judgement.part(&batch, &[2].into(), true);
    assert_eq!((part.batch.last, numbers(&part), part.left_out.clone()), (5, vec![3, 4, 5], vec![(1, 2)]));
    assert_eq!((part.batch.marked.clone(), part.marked_us), ([3].into(), vec![(34 * S, 36 * S)]));
}

#[test]
fn when_the_first_has_to_wait_nothing_is_dealt_with() {
    let batch = batch(&[50]);
    let heard = heard(&batch);
    let part = Judgement::of(&heard, &other(true, 0, 35), false).part(&batch, &BTreeSet::new(), false);
    assert!(part.batch.last < part.batch.first);
}

#[test]
fn a_gap_is_left_out_when_the_other_heard_the_node_at_both_ends() {
    let mut batch = batch(&[]);
    (batch.first, batch.last) = (1, 1);
    let gap = |to: i64| {
        let once = |at: i64| Heard { at_us: at * S, since_us: at * S, doubt_us: 0, has_identity: false };
        let item = Item { source: "silo".to_owned(), own_us: 10 * S, heard: vec![once(10), once(to)], is_gap: true };
        HeardBatch { items: [(1, item)].into() }
    };
    let what = Gap { node: None, channel: None, reason: String::new(), from_us: None, to_us: None, count: None };
    batch.gaps = vec![crate::drain::plan::GapRow { seq: 1, last_seq: 1, gap: what, why: None }];
    let judged = |to: i64, is_holder: bool| {
        Judgement::of(&gap(to), &other(!is_holder, 0, 35), is_holder).part(&batch, &BTreeSet::new(), is_holder)
    };
    assert_eq!((judged(20, false).batch.gaps.len(), judged(20, false).left_out), (0, vec![(1, 1)]));
    assert_eq!((judged(50, true).batch.gaps.len(), judged(50, true).ended), (1, vec![("silo".to_owned(), 10 * S)]));
    assert!(judged(50, false).batch.last < 1, "it may still be heard there");
}

#[test]
fn what_a_broker_kept_is_marked_since_it_was_published() {
    let batch = batch(&[35]);
    let mut heard = heard(&batch);
    heard.items.get_mut(&1).unwrap().heard[0].since_us = 20 * S;
    let judgement = Judgement::of(&heard, &other(false, 0, 35), true);
    assert_eq!(judgement.part(&batch, &BTreeSet::new(), true).marked_us, [(19 * S, 36 * S)]);
}

#[test]
fn what_lies_between_two_edges_is_not_marked() {
    assert_eq!(joined(vec![(30, 40), (10, 20), (15, 25), (26, 26)]), [(10, 25), (26, 26), (30, 40)]);
    assert_eq!(joined((0..16).map(|at| (at * 10, at * 10 + 1)).collect()).len(), 16);
    assert_eq!(joined((0..17).map(|at| (at * 10, at * 10 + 1)).collect()), [(0, 161)], "a statement for each");
}

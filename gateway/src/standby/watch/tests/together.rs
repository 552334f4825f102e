//! Two that hear each other, and one that is alone.

use super::rig::{BUS, Pair, UDP, after, settings};
use super::{BEAT, SILENCE};
use crate::standby::inputs::{GroupView, Marks};
use crate::standby::role::Role;
use crate::standby::situation::micros;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn of_two_that_start_together_the_first_by_priority_is_active() {
    let pair = Pair::start();
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    let (a, b) = (pair.a.state(), pair.b.state());
    assert_eq!((a.term, b.term), (1, 1));
    assert_eq!(a.reason, "neither gateway is active, and this one goes first");
    after(BEAT * 65).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    assert_eq!(pair.b.state().links[BUS].beats, "60 of the last 60 beats");
    let other = pair.b.state().other.unwrap();
    assert_eq!((other.role, other.priority, other.term), (Role::Active, 1, 1));
    assert!(other.last_beat_ms_ago <= 1000, "{other:?}");
    assert_eq!(pair.b.changes(), [Role::Standby]);
    assert_eq!(pair.a.changes(), [Role::Active]);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_alone_takes_over_after_the_silence() {
    let pair = Pair::start();
    pair.a.die();
    after(SILENCE + BEAT / 5).await;
    assert_eq!(pair.b.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn when_the_active_one_dies_the_other_is_active_after_the_silence_and_not_before() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    let last = pair.a.last_beat();
    pair.a.die();
    after(SILENCE - last.elapsed() - Duration::from_millis(10)).await;
    assert_eq!(pair.b.state().role, Role::Standby);
    after(Duration::from_millis(210)).await;
    let b = pair.b.state();
    assert_eq!((b.role, b.term, b.reason.as_str()), (Role::Active, 2, "the other gateway is silent"));
    assert!(pair.b.lease().is_some());
}

#[tokio::test(start_paused = true)]
async fn one_that_stops_says_so_and_the_other_takes_over_at_once() {
    let mut pair = Pair::start();
    after(BEAT * 5 + BEAT / 3).await;
    pair.a.stop.send_replace(true);
    after(Duration::from_millis(50)).await;
    assert_eq!(pair.roles(), (Role::Leaving, Role::Active));
    assert_eq!(pair.a.lease(), None);
    pair.a.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_term_is_above_every_one_that_was_ever_seen() {
    let pair = Pair::with(|_| {});
    pair.b.database.send_replace(GroupView { term: 41, ..GroupView::default() });
    pair.a.die();
    after(SILENCE * 2).await;
    assert_eq!(pair.b.state().term, 42);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_named() {
    let pair = Pair::start();
    after(BEAT * 3).await;
    assert!(pair.b.state().warnings.is_empty());
    let wall_ms = u64::try_from(pair.b.wall_ms()).unwrap();
    pair.a.marks.send_replace(Marks { durable_through_ms: wall_ms + 60_500, ..Marks::default() });
    after(BEAT).await;
    let b = pair.b.state();
    assert!(b.warnings[0].contains("s ahead of this one's"), "{:?}", b.warnings);
    assert!(b.other.unwrap().clock_offset_ms.is_some_and(|off| (59_000..61_000).contains(&off)));
}

#[tokio::test(start_paused = true)]
async fn the_lease_never_outlasts_three_quarters_of_the_silence_after_a_beat() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    for _ in 0..50 {
        after(BEAT / 7).await;
        let lease_us = pair.a.lease().unwrap();
        assert!(lease_us > pair.a.now_us() && lease_us <= pair.a.now_us() + micros(SILENCE) * 3 / 4);
        assert_eq!(pair.b.lease(), None);
    }
}

#[test]
fn the_defaults_of_the_rig_are_those_of_the_configuration() {
    assert_eq!((settings(1).beat, settings(1).silence), (BEAT, SILENCE));
    assert_ne!(BUS, UDP);
}

//! Two loops joined by links in memory, on a paused clock.

mod chance;
mod rig;

use super::*;
use crate::standby::beat::{Beat, HELLO};
use crate::standby::inputs::Answer;
use crate::standby::link::{LinkError, What};
use crate::standby::role::Role;
use rig::{BUS, Pair, UDP, after, settings};
use tokio::sync::oneshot;

const BEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(3);

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
async fn one_that_was_frozen_knows_that_it_was_and_stands_by() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.a.freeze();
    after(SILENCE * 4).await;
    assert_eq!(pair.b.state().role, Role::Active);
    assert!(pair.a.lease() < Some(pair.a.now_us()), "what it may do ended while it was frozen");
    pair.a.thaw();
    after(BEAT / 10).await;
    assert_eq!((pair.a.state().role, pair.a.lease()), (Role::Starting, None));
    after(BEAT * 3).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert_eq!(pair.a.changes(), [Role::Active, Role::Starting, Role::Standby]);
    assert_eq!(pair.b.changes(), [Role::Standby, Role::Active]);
}

#[tokio::test(start_paused = true)]
async fn what_lay_about_while_it_was_frozen_is_not_believed() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    let old = *pair.b.outgoing.borrow();
    pair.a.freeze();
    after(SILENCE * 3).await;
    // From here on only what waited reaches it: beats of the time in which the other one still stood by come first.
    pair.to_a.cut(true);
    pair.a.say(BUS, &old);
    pair.a.thaw();
    after(BEAT * 2).await;
    assert_eq!(pair.a.changes(), [Role::Active, Role::Starting]);
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_came_late_does_not_take_its_own_lateness_for_silence() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.b.freeze();
    pair.a.die();
    after(BEAT * 3 - BEAT / 10).await;
    pair.b.thaw();
    after(SILENCE - BEAT / 5).await;
    assert_eq!(pair.b.state().role, Role::Standby);
    after(BEAT).await;
    assert_eq!(pair.b.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_works_one_way_only_leaves_one_active() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_b.cut(true);
    after(SILENCE + BEAT).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    pair.to_b.cut(false);
    after(BEAT * 20).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert_eq!((pair.a.changes().len(), pair.b.changes().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_standby_without_a_link_of_its_own_stays_isolated_and_finds_back() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_b.cut(true);
    pair.b.tell(BUS, What::Down(LinkError::NotAMailbox));
    after(BEAT * 2 + BEAT / 10).await;
    let b = pair.b.state();
    assert_eq!((b.role, b.links[BUS].up), (Role::Isolated, false));
    assert!(b.links[BUS].trouble.as_ref().unwrap().contains("mailbox"));
    after(BEAT * 300).await;
    assert_eq!(pair.b.state().role, Role::Isolated, "a fault of its own says nothing of the other one");
    pair.to_b.cut(false);
    pair.b.tell(BUS, What::Up);
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
}

#[tokio::test(start_paused = true)]
async fn an_isolated_one_takes_over_when_the_database_has_not_heard_of_the_holder_for_long() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_b.cut(true);
    pair.b.tell(BUS, What::Down(LinkError::NotAMailbox));
    let view = |moved_us| GroupView {
        holder: Some("barn-1".to_owned()),
        term: 1,
        moved_boottime_us: Some(moved_us),
        answers: true,
    };
    for _ in 0..20 {
        pair.b.database.send_replace(view(pair.b.now_us()));
        after(BEAT * 5).await;
        assert_eq!(pair.b.state().role, Role::Isolated);
    }
    assert_eq!(pair.b.changes(), [Role::Standby, Role::Isolated]);
    pair.b.database.send_replace(GroupView { answers: false, ..view(pair.b.now_us()) });
    after(BEAT * 100).await;
    assert_eq!(pair.b.state().role, Role::Isolated, "a database that does not answer has not heard of anybody");
    pair.b.database.send_replace(view(pair.b.now_us()));
    after(BEAT * 29).await;
    assert_eq!(pair.b.state().role, Role::Isolated);
    after(BEAT * 3).await;
    let b = pair.b.state();
    assert_eq!((b.role, b.term), (Role::Active, 2));
}

#[tokio::test(start_paused = true)]
async fn a_beat_over_the_network_keeps_from_taking_over_and_its_silence_does_not_matter() {
    let pair = Pair::with_network();
    after(BEAT * 5).await;
    pair.network.cut(true);
    after(SILENCE * 3).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "a dead switch is no dead gateway");
    pair.network.cut(false);
    after(BEAT * 2).await;
    pair.to_b.cut(true);
    after(SILENCE * 5).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "it is heard over the network");
    pair.b.tell(BUS, What::Down(LinkError::NotAMailbox));
    after(SILENCE * 5).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "also without a wire");
    pair.network.cut(true);
    after(SILENCE * 5).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Isolated));
}

async fn answered(answer: oneshot::Receiver<Answer>) -> Answer {
    tokio::time::timeout(SILENCE * 3, answer).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_turn_is_handed_over_within_a_fifth_of_a_second() {
    let pair = Pair::start();
    after(BEAT * 5 + BEAT / 3).await;
    let (answer, done) = oneshot::channel();
    pair.a.asks.send(Ask::HandOver { answer }).await.unwrap();
    after(BEAT / 5).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert_eq!(answered(done).await, Ok("the other gateway is active in term 2; barn-1 stands by".to_owned()));
    assert_eq!((pair.a.lease(), pair.b.state().term), (None, 2));
    let (answer, done) = oneshot::channel();
    pair.a.asks.send(Ask::TakeOver { force: false, answer }).await.unwrap();
    after(BEAT / 5).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    assert_eq!(answered(done).await, Ok("barn-1 is active in term 3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_nobody_takes_is_taken_back_and_one_without_a_taker_is_not_given() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_b.cut(true);
    let (answer, done) = oneshot::channel();
    pair.a.asks.send(Ask::HandOver { answer }).await.unwrap();
    after(BEAT / 5).await;
    pair.b.die();
    assert_eq!(pair.a.state().role, Role::Leaving);
    assert!(answered(done).await.unwrap_err().contains("did not take the turn"));
    let (answer, done) = oneshot::channel();
    after(BEAT).await;
    assert_eq!(pair.a.state().role, Role::Active);
    pair.a.asks.send(Ask::HandOver { answer }).await.unwrap();
    assert!(answered(done).await.unwrap_err().contains("has not been heard lately"));
    assert_eq!(pair.a.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn an_isolated_one_takes_over_by_force_only() {
    let pair = Pair::start();
    after(BEAT * 2).await;
    pair.b.tell(BUS, What::Down(LinkError::NotAMailbox));
    pair.to_b.cut(true);
    after(BEAT * 5).await;
    let ask = async |force| {
        let (answer, done) = oneshot::channel();
        pair.b.asks.send(Ask::TakeOver { force, answer }).await.unwrap();
        answered(done).await
    };
    assert!(ask(false).await.unwrap_err().contains("--force"));
    assert!(ask(true).await.is_ok());
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_answers_for_the_dead_keeps_nobody_alive() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    let last = *pair.a.outgoing.borrow();
    pair.a.die();
    for _ in 0..40 {
        pair.b.say(BUS, &last);
        after(BEAT / 10).await;
    }
    assert_eq!(pair.b.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn a_message_older_than_the_silence_is_no_sign_of_life() {
    let pair = Pair::start();
    pair.to_b.cut(true);
    let bytes = pair.a.first_beat().await.to_vec();
    pair.b.tell(BUS, What::Bytes { bytes, age: SILENCE });
    after(BEAT / 10).await;
    assert_eq!((pair.b.state().role, pair.b.state().other), (Role::Starting, None));
}

#[tokio::test(start_paused = true)]
async fn a_sketch_that_says_hello_is_an_active_gateway_and_its_silence_is_heard() {
    let pair = Pair::start();
    pair.a.die();
    for _ in 0..10 {
        pair.b.say(BUS, HELLO);
        after(BEAT).await;
    }
    let b = pair.b.state();
    let other = b.other.unwrap();
    assert_eq!((b.role, other.role, other.term, other.priority), (Role::Standby, Role::Active, 0, 8));
    assert_eq!(b.reason, "the other gateway is active, and keeps its turn");
    after(SILENCE).await;
    assert_eq!(pair.b.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn a_flapping_link_changes_no_role() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_a.lose_every_other();
    pair.to_b.lose_every_other();
    for _ in 0..20 {
        pair.b.tell(BUS, What::Down(LinkError::NotAMailbox));
        after(BEAT / 4).await;
        pair.b.tell(BUS, What::Up);
        after(BEAT / 4).await;
    }
    assert_eq!((pair.a.changes(), pair.b.changes()), (vec![Role::Active], vec![Role::Standby]));
    let state = pair.b.state();
    assert!((4..=6).contains(&state.links[BUS].lost), "{:?}", state.links);
}

#[tokio::test(start_paused = true)]
async fn two_that_do_not_hear_each_other_leave_it_to_the_database_and_do_not_take_turns() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_a.cut(true);
    pair.to_b.cut(true);
    after(SILENCE * 2).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Active));
    for _ in 0..60 {
        for gateway in [&pair.a, &pair.b] {
            let (holder, moved_boottime_us) = (Some("barn-2".to_owned()), Some(gateway.now_us()));
            gateway.database.send_replace(GroupView { holder, term: 2, moved_boottime_us, answers: true });
        }
        after(BEAT).await;
    }
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert_eq!((pair.a.changes().len(), pair.b.changes().len()), (2, 2));
    assert_eq!(pair.a.lease(), None);
    pair.b.die();
    after(BEAT * 35).await;
    assert_eq!((pair.a.state().role, pair.a.state().term), (Role::Active, 3), "the holder rests");
}

#[tokio::test(start_paused = true)]
async fn the_preferred_one_asks_for_its_turn_after_a_minute_without_loss() {
    let pair = Pair::with(|settings| settings.preempt = true);
    after(BEAT * 5).await;
    pair.a.freeze();
    after(SILENCE * 2).await;
    pair.a.thaw();
    after(BEAT * 55).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    after(BEAT * 10).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    after(BEAT * 200).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "the other one goes second, and does not ask");
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
async fn messages_of_others_are_warnings_and_no_life() {
    let pair = Pair::start();
    pair.a.die();
    let frame = |site: &str, id: &str, start| {
        let who = Identity::new(site, id, start);
        let (role, priority, wants_turn, unwell) = (Role::Active, 1, false, false);
        let (term, counter, durable_through_ms, drained_through_ms) = (9, 1, 0, 0);
        Beat { who, role, priority, wants_turn, unwell, term, counter, durable_through_ms, drained_through_ms }.encode()
    };
    for bytes in [frame("barn", "barn-2", 77), frame("shed", "barn-1", 1), pair.b.first_beat().await] {
        pair.b.say(BUS, &bytes);
    }
    after(BEAT / 10).await;
    assert_eq!(pair.b.state().warnings.len(), 3, "{:?}", pair.b.state().warnings);
    after(SILENCE + BEAT / 5).await;
    assert_eq!((pair.b.state().role, pair.b.state().term), (Role::Active, 1));
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

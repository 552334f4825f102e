//! What is a sign of life, and what is not.

use super::rig::{BUS, Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::beat::{Beat, HELLO, Identity};
use crate::standby::link::What;
use crate::standby::role::Role;

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

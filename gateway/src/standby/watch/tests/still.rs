//! A gateway that stood still.

use super::rig::{BUS, Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::inputs::Ask;
use crate::standby::role::Role;
use tokio::sync::oneshot;

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
async fn an_active_one_whose_lease_ran_out_does_not_go_on_as_if_nothing_had_been() {
    let pair = Pair::start();
    after(BEAT * 5 + BEAT / 3).await;
    pair.a.freeze();
    after(SILENCE - BEAT / 3 - pair.a.last_beat().elapsed()).await;
    assert_eq!(pair.b.state().role, Role::Standby, "the silence is not over");
    pair.a.thaw();
    after(BEAT / 10).await;
    assert_eq!((pair.a.state().role, pair.a.lease()), (Role::Starting, None));
    after(BEAT * 3).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_frozen_while_it_gave_up_its_turn_does_not_take_it_back_at_once() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    pair.to_a.cut(true);
    let (answer, _) = oneshot::channel();
    pair.a.asks.send(Ask::HandOver { answer }).await.unwrap();
    after(BEAT / 10).await;
    pair.a.freeze();
    pair.to_a.cut(false);
    after(SILENCE * 3).await;
    pair.a.thaw();
    after(BEAT * 3).await;
    assert_eq!(pair.a.changes(), [Role::Active, Role::Leaving, Role::Standby]);
    assert_eq!(pair.b.changes(), [Role::Standby, Role::Active]);
}

//! What people ask, and what a gateway asks of the other one.

use super::rig::{BUS, Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::inputs::{Answer, Ask};
use crate::standby::link::{LinkError, What};
use crate::standby::role::Role;
use tokio::sync::oneshot;

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
    assert_eq!(answered(done).await, Ok("the other gateway is active".to_owned()));
    assert_eq!((pair.a.lease(), pair.b.state().term), (None, 2));
    let (answer, done) = oneshot::channel();
    pair.a.asks.send(Ask::TakeOver { force: false, answer }).await.unwrap();
    after(BEAT / 5).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    assert_eq!(answered(done).await, Ok("this gateway is active, in term 3".to_owned()));
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

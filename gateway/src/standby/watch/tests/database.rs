//! One gateway reaches the database, and the other one does not.

use super::rig::{Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::role::Role;

#[tokio::test(start_paused = true)]
async fn an_active_one_that_has_lost_the_database_gives_its_turn_to_one_that_reaches_it() {
    let pair = Pair::start();
    [&pair.a, &pair.b].iter().for_each(|gateway| gateway.reaches_database(true));
    after(BEAT * 60).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
    pair.a.reaches_database(false);
    after(BEAT * 29).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "a failover takes a while");
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert!(pair.b.state().other.is_some_and(|other| !other.reaches_database));
    pair.a.reaches_database(true);
    after(BEAT * 100).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active), "one change, and no way back by itself");
    assert_eq!((pair.a.changes().len(), pair.b.changes().len()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_nobody_reaches_or_the_other_one_only_now_and_then_moves_no_turn() {
    let pair = Pair::start();
    after(BEAT * 100).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby), "nobody reaches it");
    pair.b.reaches_database(true);
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active), "from here on there was time enough");
    pair.b.reaches_database(false);
    for _ in 0..20 {
        pair.b.reaches_database(true);
        after(BEAT).await;
        pair.b.reaches_database(false);
        after(BEAT * 25).await;
        pair.a.reaches_database(true);
        after(BEAT).await;
        assert_eq!(pair.roles(), (Role::Standby, Role::Active), "it delivers now and then");
    }
}

#[tokio::test(start_paused = true)]
async fn the_preferred_one_does_not_ask_for_a_turn_with_which_it_could_not_deliver() {
    let pair = Pair::with(|settings| settings.preempt = true);
    [&pair.a, &pair.b].iter().for_each(|gateway| gateway.reaches_database(true));
    after(BEAT * 5).await;
    pair.a.reaches_database(false);
    after(BEAT * 32).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    after(BEAT * 200 + SILENCE).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    pair.a.reaches_database(true);
    after(BEAT * 2).await;
    assert_eq!(pair.roles(), (Role::Active, Role::Standby));
}

//! Links that do not work, or carry nothing.

use super::rig::{BUS, Pair, after};
use super::{BEAT, SILENCE};
use crate::standby::inputs::GroupView;
use crate::standby::link::{LinkError, What};
use crate::standby::role::Role;

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
async fn a_line_that_is_silent_again_and_again_moves_the_turn_once_and_a_death_is_found_later() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    for _ in 0..10 {
        [&pair.to_a, &pair.to_b].iter().for_each(|way| way.cut(true));
        after(SILENCE * 2).await;
        [&pair.to_a, &pair.to_b].iter().for_each(|way| way.cut(false));
        after(SILENCE * 2).await;
    }
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    assert_eq!((pair.a.changes(), pair.b.changes().len()), (vec![Role::Active, Role::Standby], 2));
    pair.b.die();
    after(BEAT * 29).await;
    assert_eq!(pair.a.state().role, Role::Standby);
    after(BEAT * 2).await;
    assert_eq!(pair.a.state().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_has_carried_everything_for_ten_minutes_is_believed_again() {
    let pair = Pair::start();
    after(BEAT * 5).await;
    [&pair.to_a, &pair.to_b].iter().for_each(|way| way.cut(true));
    after(SILENCE * 2).await;
    [&pair.to_a, &pair.to_b].iter().for_each(|way| way.cut(false));
    after(BEAT * 601).await;
    assert_eq!(pair.roles(), (Role::Standby, Role::Active));
    pair.b.die();
    after(SILENCE + BEAT).await;
    assert_eq!(pair.a.state().role, Role::Active);
}

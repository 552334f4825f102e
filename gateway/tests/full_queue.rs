//! A queue that reaches its limit, or whose disk does, on a real disk: what happens follows the policy, it goes on by
//! itself when there is room, and every reading is in the queue, held by its source, or counted by a gap.

#![allow(clippy::unwrap_used, reason = "a rig that cannot be set up fails its test")]

mod full;

use config::WhenFull;
use full::{Disk, Rig};
use sensors::SampleClock;
use std::collections::BTreeMap;
use std::sync::Arc;

const RESERVE: u64 = 1000;

#[tokio::test]
async fn pause_holds_the_sources_and_a_stop_then_names_what_was_not_taken() {
    let mut rig = Rig::start(WhenFull::Pause);
    let taken = rig.fill().await;
    rig.wait("full", |state| state.full.is_some()).await;
    let found = rig.stop();
    assert_eq!(found.gaps.len(), 1, "{} readings of {taken}", found.readings);
    assert_eq!(found.readings + found.counted(), taken, "every reading is durable or counted");
    let reason = &found.gaps[0].reason;
    assert!(reason.contains("the queue was full when the gateway stopped"), "{reason}");
}

#[tokio::test]
async fn pause_goes_on_when_what_the_queue_holds_may_leave() {
    let mut rig = Rig::start(WhenFull::Pause);
    rig.fill().await;
    rig.wait("full", |state| state.full.is_some()).await;
    let before = rig.state.borrow().durable;
    rig.leave.send_replace(Arc::new([(rig.stream, u64::MAX)].into()));
    rig.wait("room", |state| state.durable > before && state.full.is_none()).await;
    assert!(rig.send().await, "it takes readings again");
    rig.stop();
}

#[tokio::test]
async fn drop_newest_takes_and_acknowledges_everything_and_one_gap_counts_what_the_full_queue_had_no_room_for() {
    let mut rig = Rig::start(WhenFull::DropNewest);
    let sent = rig.send_until(|state| state.dropped >= 100).await;
    rig.wait_acknowledged(sent).await;
    assert!(rig.state.borrow().live_bytes < full::MAX_BYTES);
    // There is room again: the count becomes a gap at once, and what comes then is kept.
    rig.leave.send_replace(Arc::new([(rig.stream, u64::MAX)].into()));
    rig.wait("room", |state| state.full.is_none()).await;
    rig.leave.send_replace(Arc::new(BTreeMap::new()));
    let durable = rig.state.borrow().durable;
    assert!(rig.send().await);
    rig.wait("one reading and its gap", |state| state.durable > durable).await;
    let found = rig.stop();
    assert_eq!((found.gaps.len(), found.counted()), (1, found.dropped));
    assert_eq!(found.gaps[0].reason, "the queue was full: the newest readings were dropped");
    assert_eq!(found.last - 1 + found.dropped, sent + 1, "every number but the gap's is a reading");
}

#[tokio::test]
async fn what_was_heard_through_moves_on_in_silence_and_not_over_what_was_dropped_and_not_told() {
    let mut rig = Rig::start(WhenFull::DropNewest);
    assert!(rig.send().await);
    rig.wait_acknowledged(1).await;
    rig.clock.advance_us(60_000_000);
    rig.heard_through(rig.clock.stamp().wall_us).await;
    let sent = rig.send_until(|state| state.dropped >= 1).await;
    rig.wait_acknowledged(sent).await;
    let before = rig.clock.stamp().wall_us;
    rig.clock.advance_us(5_000_000);
    assert!(rig.send().await, "it is taken, and dropped");
    rig.wait_acknowledged(1).await;
    rig.wait("the second drop", |state| state.dropped >= 2).await;
    assert_eq!(rig.state.borrow().heard_through_us, before);
    rig.clock.advance_us(6_000_000);
    rig.heard_through(rig.clock.stamp().wall_us).await;
    let found = rig.stop();
    assert_eq!((found.gaps.len(), found.counted()), (1, found.dropped), "the gap was there before it moved on");
}

#[tokio::test]
async fn drop_newest_writes_its_count_also_at_a_stop_and_from_time_to_time_while_the_queue_is_full() {
    let mut rig = Rig::start(WhenFull::DropNewest);
    let mut sent = rig.send_until(|state| state.dropped >= 10).await;
    rig.wait_acknowledged(sent).await;
    let durable = rig.state.borrow().durable;
    rig.clock.advance_us(10_000_000);
    rig.wait("a gap after ten seconds", |state| state.durable == durable + 1).await;
    for _ in 0..50 {
        assert!(rig.send().await);
        sent += 1;
    }
    rig.wait_acknowledged(50).await;
    assert_eq!(rig.state.borrow().durable, durable + 1, "the next is due later");
    let found = rig.stop();
    assert_eq!((found.gaps.len(), found.counted()), (2, found.dropped));
    assert_eq!((found.gaps[1].count, found.readings + found.dropped), (Some(50), sent));
}

#[tokio::test]
async fn drop_oldest_keeps_the_newest_and_counts_what_made_room() {
    let mut rig = Rig::start(WhenFull::DropOldest);
    let sent = rig.send_until(|state| state.dropped >= 100).await;
    rig.wait_acknowledged(sent).await;
    rig.wait("every reading is durable", |state| state.durable == sent).await;
    let state = *rig.state.borrow();
    assert!(state.live_bytes < full::MAX_BYTES / 100 * 95, "{state:?}");
    let found = rig.stop();
    assert_eq!((found.gaps.len(), found.last), (0, sent), "the drain finds the hole by its numbers");
    assert_eq!(found.readings + found.dropped, sent);
}

#[tokio::test]
async fn what_has_been_delivered_goes_first_whatever_the_policy() {
    for when_full in [WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Pause] {
        let mut rig = Rig::start(when_full);
        rig.leave.send_replace(Arc::new([(rig.stream, u64::MAX)].into()));
        let sent = rig.send_until(|state| state.durable >= 10_000).await;
        rig.wait_acknowledged(sent).await;
        let found = rig.stop();
        assert_eq!((found.dropped, found.gaps.len(), found.last), (0, 0, sent), "{when_full:?}");
        assert!(found.readings < sent, "more than the queue can hold");
    }
}

#[tokio::test]
async fn a_disk_below_its_reserve_counts_as_full_whatever_the_queue_holds_until_there_is_a_quarter_more() {
    for when_full in [WhenFull::DropNewest, WhenFull::DropOldest] {
        let disk = Disk::of(RESERVE - 1);
        let mut rig = Rig::start_on(when_full, Arc::clone(&disk), RESERVE);
        rig.wait("full", |state| state.full.is_some()).await;
        assert!(rig.send().await);
        rig.wait("the reading is dropped: nothing older is there", |state| state.dropped == 1).await;
        rig.wait_acknowledged(1).await;
        disk.free(RESERVE * 5 / 4);
        rig.wait("room, and the gap", |state| state.full.is_none() && state.durable == 1).await;
        let found = rig.stop();
        assert_eq!((found.readings, found.counted()), (0, 1));
        assert_eq!(found.gaps[0].reason, "the disk was nearly full: the newest readings were dropped");
    }
}

#[tokio::test]
async fn what_the_queue_refuses_is_dropped_and_counted_and_it_goes_on_by_itself() {
    let disk = Disk::of(u64::MAX);
    disk.refuse(true);
    let mut rig = Rig::start_on(WhenFull::DropNewest, Arc::clone(&disk), RESERVE);
    assert!(rig.send().await && rig.send().await);
    rig.wait("both dropped", |state| state.dropped == 2 && state.full.is_some()).await;
    rig.wait_acknowledged(2).await;
    // Its count is refused too, and kept.
    let before = disk.refused();
    rig.clock.advance_us(10_000_000);
    disk.wait_refused(before + 1).await;
    disk.refuse(false);
    assert!(rig.send().await);
    rig.wait("the reading is taken", |state| state.durable >= 1).await;
    rig.wait("its count too, and all is well", |state| state.durable == 2 && state.full.is_none()).await;
    let found = rig.stop();
    assert_eq!((found.readings, found.counted()), (1, 2));
}

#[tokio::test]
async fn what_the_queue_refuses_waits_unacknowledged_with_pause() {
    let disk = Disk::of(u64::MAX);
    disk.refuse(true);
    let mut rig = Rig::start_on(WhenFull::Pause, Arc::clone(&disk), RESERVE);
    assert!(rig.send().await);
    disk.wait_refused(2).await;
    assert_eq!(rig.acknowledged(), 0);
    disk.refuse(false);
    rig.wait("the reading is taken", |state| state.durable == 1 && state.full.is_none()).await;
    rig.wait_acknowledged(1).await;
    let found = rig.stop();
    assert_eq!((found.readings, found.gaps.len()), (1, 0));
}

#[tokio::test]
async fn a_disk_that_stays_full_does_not_keep_the_gateway_from_stopping() {
    for when_full in [WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Pause] {
        let disk = Disk::of(u64::MAX);
        disk.refuse(true);
        let mut rig = Rig::start_on(when_full, Arc::clone(&disk), RESERVE);
        assert!(rig.send().await);
        rig.wait("full", |state| state.full.is_some()).await;
        let found = rig.stop();
        assert_eq!((found.readings, found.gaps.len()), (0, 0), "{when_full:?}");
    }
}

//! A queue that reaches its limit, on a real disk: nothing more is taken, it goes on when there is room, and a stop
//! while it is full accounts for everything.

#![allow(clippy::unwrap_used, reason = "a rig that cannot be set up fails its test")]

use config::Commit;
use gateway::intake::{Intake, Quotas, TrimRule};
use gateway::origin::OriginBook;
use gateway::pulse::Pulse;
use gateway::status::IntakeState;
use queue::{Kind, Reader, StreamId};
use sensors::{Arrival, ClockQuality, Content, Gap, ManualClock, Outlet, Reading, Stamp, Value};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);
/// The least that can be configured, and twice what the newest frames, which always stay, can take.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

fn stamp() -> Stamp {
    let wall_us = 1_800_000_000_000_000;
    Stamp { boot: 1, boottime_us: 1, wall_us, quality: ClockQuality::Synced, error_us: None }
}

fn arrival() -> Arrival {
    let reading = Reading {
        node: "silo".to_owned().try_into().unwrap(),
        channel: "note".to_owned().try_into().unwrap(),
        unit: None,
        value: Ok(Value::Text("x".repeat(2000))),
        raw: None,
        stamp: stamp(),
        node_seq: None,
        node_time_us: None,
    };
    Arrival { content: Content::Readings(vec![reading]), receipt: None, ticket: None, room: None }
}

struct Rig {
    outlet: Outlet,
    reader: Reader,
    stream: StreamId,
    state: watch::Receiver<IntakeState>,
    leave: watch::Sender<Arc<BTreeMap<StreamId, u64>>>,
    thread: JoinHandle<()>,
}

fn start(folder: &Path) -> Rig {
    let opened = queue::open(folder).unwrap();
    let (outlet, arrivals) = Outlet::new(64, 1024 * 1024);
    let (tell, state) = watch::channel(IntakeState::default());
    let (leave, may_leave) = watch::channel(Arc::new(BTreeMap::new()));
    let (reader, stream) = (opened.reader.clone(), opened.stream);
    let intake = Intake {
        writer: opened.writer,
        reader: opened.reader,
        queue_folder: folder.to_owned(),
        imports: mpsc::channel(1).1,
        origins: OriginBook::open(folder, ("barn-1", "barn"), &[]).unwrap(),
        arrivals,
        acknowledged: Vec::new(),
        state: tell,
        pulse: Pulse::default(),
        leave: may_leave,
        clock: Arc::new(ManualClock::new(stamp())),
        commit: Commit::Fast,
        quotas: Quotas::new(NonZeroU32::MAX),
        rule: TrimRule { keep: Duration::ZERO, max_bytes: MAX_BYTES },
    };
    let thread = std::thread::spawn(move || intake.run().unwrap());
    Rig { outlet, reader, stream, state, leave, thread }
}

/// Sends until the outlet takes no more for a while; how many were taken.
async fn fill(outlet: &Outlet) -> u64 {
    let mut taken = 0;
    while timeout(Duration::from_millis(500), outlet.send(arrival(), 2000)).await.is_ok_and(|taken| taken) {
        taken += 1;
    }
    taken
}

#[tokio::test]
async fn a_full_queue_holds_its_sources_and_a_stop_then_names_what_was_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = start(folder.path());
    let taken = fill(&rig.outlet).await;
    assert!(timeout(PATIENCE, rig.state.wait_for(|state| state.full)).await.is_ok(), "{taken} taken");
    drop(rig.outlet);
    rig.thread.join().unwrap();

    let records = rig.reader.read(rig.stream, 1, 10_000, usize::MAX).unwrap();
    let readings = records.iter().filter(|item| item.record.kind == Kind::READING).count() as u64;
    let gaps: Vec<Gap> = records
        .iter()
        .filter(|item| item.record.kind == Kind::GAP)
        .map(|item| Gap::from_bytes(&item.record.body).unwrap())
        .collect();
    assert_eq!(gaps.len(), 1, "{readings} readings of {taken}");
    assert_eq!(readings + gaps[0].count.unwrap(), taken, "every reading is durable or counted");
    assert!(gaps[0].reason.contains("the queue was full when the gateway stopped"), "{}", gaps[0].reason);
}

#[tokio::test]
async fn a_full_queue_goes_on_when_what_it_holds_may_leave() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = start(folder.path());
    fill(&rig.outlet).await;
    assert!(timeout(PATIENCE, rig.state.wait_for(|state| state.full)).await.is_ok());
    rig.leave.send_replace(Arc::new([(rig.stream, u64::MAX)].into()));
    let before = rig.state.borrow().durable;
    assert!(timeout(PATIENCE, rig.state.wait_for(|state| state.durable > before && !state.full)).await.is_ok());
    assert!(timeout(PATIENCE, rig.outlet.send(arrival(), 2000)).await.unwrap(), "it takes readings again");
    drop(rig.outlet);
    rig.thread.join().unwrap();
}

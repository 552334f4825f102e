use super::*;
use crate::standby::role::Role;
use config::WhenFull;
use queue::pressure::Cause;
use std::sync::Mutex;

struct Rig {
    drain: watch::Sender<DrainState>,
    intake: watch::Sender<IntakeState>,
    standby: watch::Sender<StandbyState>,
    told: Mutex<Vec<(EventKind, String)>>,
}

impl Rig {
    fn new() -> Self {
        let drain = DrainState { why: "no server takes writes".to_owned(), ..DrainState::default() };
        let (drain, intake) = (watch::Sender::new(drain), watch::Sender::new(IntakeState::default()));
        let standby = watch::Sender::new(StandbyState::default());
        Self { drain, intake, standby, told: Mutex::new(Vec::new()) }
    }

    fn watch(&self) -> impl Future<Output = ()> {
        let tell = |kind, text| self.told.lock().unwrap().push((kind, text));
        let (drain, intake) = (self.drain.subscribe(), self.intake.subscribe());
        let standby = Some((self.standby.subscribe(), Duration::from_secs(3)));
        watch(Watched { gateway: "one".to_owned(), drain, intake, standby }, tell)
    }

    fn source(&self, source: Option<&str>) {
        self.drain.send_modify(|state| state.source = source.map(str::to_owned));
    }

    fn told(&self) -> Vec<EventKind> {
        self.told.lock().unwrap().iter().map(|(kind, _)| *kind).collect()
    }
}

/// Lets the watcher run for so long.
async fn pass(watcher: &mut (impl Future<Output = ()> + Unpin), time_ms: u64) {
    assert!(tokio::time::timeout(Duration::from_millis(time_ms), watcher).await.is_err(), "it never ends");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_after_ten_seconds_once_and_its_end() {
    let rig = Rig::new();
    let mut watcher = Box::pin(rig.watch());
    pass(&mut watcher, 9_900).await;
    assert_eq!(rig.told(), []);
    pass(&mut watcher, 200).await;
    assert_eq!(rig.told(), [EventKind::Outage]);
    pass(&mut watcher, 60_000).await;
    rig.source(Some("db1:3306"));
    pass(&mut watcher, 1).await;
    let expected = [
        (EventKind::Outage, "no server takes writes; readings stay in the queue".to_owned()),
        (EventKind::OutageEnd, "db1:3306 takes writes after 70 s without a source".to_owned()),
    ];
    assert_eq!(*rig.told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_short_break_is_not_told_and_the_next_begins_anew() {
    let rig = Rig::new();
    let mut watcher = Box::pin(rig.watch());
    for _ in 0..3 {
        rig.source(None);
        pass(&mut watcher, 9_900).await;
        rig.source(Some("db1:3306"));
        pass(&mut watcher, 100).await;
    }
    assert_eq!(rig.told(), []);
}

#[tokio::test(start_paused = true)]
async fn each_failover_and_each_change_of_the_queue_is_told_once() {
    let rig = Rig::new();
    rig.source(Some("db1:3306"));
    let mut watcher = Box::pin(rig.watch());
    for text in ["db2 is the source in term 2", "db1 is the source in term 3"] {
        rig.drain.send_modify(|state| state.failover = Some(text.to_owned()));
        rig.drain.send_modify(|state| state.delivered += 1);
        pass(&mut watcher, 100).await;
    }
    for dropped in [Some(0), Some(7), None] {
        let (cause, when_full, since_us) = (Cause::Disk, WhenFull::DropNewest, 0);
        let full = dropped.map(|dropped| Full { cause, when_full, since_us, dropped });
        rig.intake.send_modify(|state| state.full = full);
        pass(&mut watcher, 100).await;
    }
    assert_eq!(rig.told(), [EventKind::Failover, EventKind::Failover, EventKind::QueueFull, EventKind::QueueRoom]);
    let told = rig.told.lock().unwrap();
    assert!(told[2].1.starts_with("the disk is nearly full: dropping the newest readings"), "{told:?}");
    assert!(told[3].1.contains("has room again; 7 readings were dropped"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_gateways_a_takeover_is_told_at_once_and_being_alone_after_ten_seconds() {
    let rig = Rig::new();
    rig.source(Some("db1:3306"));
    let mut watcher = Box::pin(rig.watch());
    pass(&mut watcher, 100).await;
    rig.standby.send_modify(|state| {
        (state.role, state.term, state.reason) = (Role::Active, 5, "the other gateway is silent".to_owned());
    });
    pass(&mut watcher, 100).await;
    assert_eq!(rig.told(), [EventKind::Takeover]);
    pass(&mut watcher, 10_000).await;
    assert_eq!(rig.told(), [EventKind::Takeover, EventKind::StandbyAlone]);
    assert_eq!(rig.told.lock().unwrap()[0].1, "one is active in term 5: the other gateway is silent");
}

#[test]
fn an_event_is_published_as_json_and_what_finds_no_room_is_dropped() {
    let (topic, mut published) = mpsc::channel(1);
    let teller = Teller { gateway: "g1".to_owned(), site: "lab".to_owned(), command: None, topic: Some(topic) };
    let event = Event { kind: EventKind::OutageEnd, text: "it is \"back\"".to_owned(), at_us: 1_800_000_000_000_000 };
    teller.tell(&event);
    teller.tell(&event);
    let json: serde_json::Value = serde_json::from_slice(&published.try_recv().unwrap()).unwrap();
    let expected = serde_json::json!({
        "kind": "outage-end", "text": "it is \"back\"", "at": "2027-01-15T08:00:00Z", "gateway": "g1", "site": "lab"
    });
    assert_eq!(json, expected);
    assert!(published.try_recv().is_err(), "there was room for one");
    assert_eq!(expected["kind"], event.kind.as_str());
}

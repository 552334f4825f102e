use super::*;
use crate::standby::state::{LinkState, Other};

struct Rig {
    seen: SeenPair,
    state: StandbyState,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        let seen = SeenPair::new("one".to_owned(), Duration::from_secs(3));
        Self { seen, state: StandbyState::default(), now: Instant::now() }
    }

    fn role(&mut self, role: Role, term: u32, reason: &str) -> Vec<(EventKind, String)> {
        (self.state.role, self.state.term, self.state.reason) = (role, term, reason.to_owned());
        self.look()
    }

    fn look(&mut self) -> Vec<(EventKind, String)> {
        self.seen.look(&self.state, self.now)
    }

    /// The last beat of the other one is so old from now on.
    fn heard(&mut self, last_beat_ms_ago: u64) -> Vec<(EventKind, String)> {
        self.state.other = Some(Other {
            role: Role::Standby,
            term: 0,
            priority: 2,
            last_beat_ms_ago,
            clock_offset_ms: None,
            durable_through_ms: 0,
            drained_through_ms: 0,
            unwell: false,
            reaches_database: true,
        });
        self.look()
    }

    fn pass(&mut self, seconds: u64) -> Vec<(EventKind, String)> {
        self.now += Duration::from_secs(seconds);
        self.look()
    }
}

fn kinds(found: &[(EventKind, String)]) -> Vec<EventKind> {
    found.iter().map(|(kind, _)| *kind).collect()
}

#[test]
fn each_change_of_the_active_one_is_told_and_what_is_passed_through_is_not() {
    let mut rig = Rig::new();
    rig.heard(100);
    assert_eq!(rig.role(Role::Standby, 4, "the other gateway is active"), [], "nothing has changed");
    let found = rig.role(Role::Active, 5, "the other gateway is silent");
    assert_eq!(found, [(EventKind::Takeover, "one is active in term 5: the other gateway is silent".to_owned())]);
    rig.pass(100);
    assert_eq!(rig.role(Role::Leaving, 5, "the turn is given to the other gateway"), []);
    assert_eq!(rig.role(Role::Active, 6, "nobody took the turn that was given up"), []);
    rig.role(Role::Leaving, 6, "the turn is given to the other gateway");
    let found = rig.role(Role::Standby, 7, "the other gateway has taken over");
    assert_eq!(found, [(EventKind::Takeover, "one is no longer active: the other gateway has taken over".to_owned())]);
}

#[test]
fn takeovers_that_come_fast_are_told_once_a_minute_as_they_stand_then() {
    let mut rig = Rig::new();
    rig.heard(100);
    assert_eq!(kinds(&rig.role(Role::Active, 1, "a")), [EventKind::Takeover]);
    let first = rig.now;
    let mut told = 0;
    for term in 2..30 {
        rig.pass(1);
        told += rig.role(Role::Standby, term, "b").len() + rig.role(Role::Active, term, "a").len();
    }
    assert_eq!((told, rig.seen.due()), (0, None), "it is what was told");
    rig.role(Role::Standby, 30, "b");
    assert_eq!(rig.seen.due(), Some(first + TOLD_EVERY));
    rig.now = first + TOLD_EVERY;
    assert_eq!(rig.role(Role::Starting, 30, "it stood still"), []);
    assert_eq!(rig.seen.due(), None, "who only passes through is not waited for");
    assert_eq!(kinds(&rig.role(Role::Standby, 30, "b")), [EventKind::Takeover]);
    assert_eq!(rig.seen.due(), None);
}

#[test]
fn being_alone_is_told_after_ten_seconds_and_its_end_after_a_minute() {
    let mut rig = Rig::new();
    rig.heard(100);
    rig.role(Role::Active, 1, "a");
    assert_eq!(rig.heard(3_000), []);
    assert_eq!(rig.seen.due(), Some(rig.now + ALONE_AFTER));
    assert_eq!(rig.pass(9), []);
    let why = "one does not hear the other gateway, so nobody takes over when this one fails";
    assert_eq!(rig.pass(1), [(EventKind::StandbyAlone, why.to_owned())]);
    assert_eq!(rig.pass(1000), []);
    assert_eq!(rig.heard(100), []);
    assert_eq!(rig.pass(59), []);
    let back = "one and the other gateway hear each other again after 1010 s";
    assert_eq!(rig.pass(1), [(EventKind::StandbyBack, back.to_owned())]);
    assert_eq!((rig.pass(1000), rig.seen.due()), (vec![], None));
}

#[test]
fn a_link_that_comes_and_goes_is_no_flood() {
    let mut rig = Rig::new();
    rig.role(Role::Active, 1, "a");
    let mut told = Vec::new();
    for _ in 0..100 {
        for (ago_ms, seconds) in [(5_000, 12), (100, 50)] {
            told.extend(kinds(&rig.heard(ago_ms)));
            told.extend(kinds(&rig.pass(seconds)));
        }
    }
    assert_eq!(told, [EventKind::StandbyAlone]);
}

#[test]
fn broken_links_and_warnings_are_named() {
    let mut rig = Rig::new();
    rig.state.links = vec![LinkState {
        name: "serial /dev/ttyAMA2".to_owned(),
        up: false,
        trouble: Some("it is not there".to_owned()),
        witness: false,
        beats: String::new(),
        lost: 0,
        due: 0,
    }];
    rig.state.warnings = vec!["udp b:1 brings beats of another gateway with this one's id".to_owned()];
    rig.heard(100_000);
    assert_eq!(rig.role(Role::Isolated, 1, "no link works"), []);
    let expected = "one cannot tell whether the other gateway lives: no link works; serial /dev/ttyAMA2: it is not there; \
                    udp b:1 brings beats of another gateway with this one's id";
    assert_eq!(rig.pass(10), [(EventKind::StandbyAlone, expected.to_owned())]);
}

#[test]
fn an_active_one_that_the_database_deposed_is_still_alone() {
    let mut rig = Rig::new();
    rig.role(Role::Active, 1, "a");
    assert_eq!(kinds(&rig.pass(10)), [EventKind::StandbyAlone]);
    rig.pass(50);
    let found = rig.role(Role::Standby, 2, "the database names the other gateway, in a newer term");
    assert_eq!(kinds(&found), [EventKind::Takeover]);
    assert_eq!(rig.pass(1000), []);
    rig.heard(100);
    assert_eq!(kinds(&rig.pass(60)), [EventKind::StandbyBack]);
}

#[test]
fn a_standby_that_hears_an_active_one_is_not_alone() {
    let mut rig = Rig::new();
    rig.heard(100);
    rig.role(Role::Standby, 1, "the other gateway is active");
    assert_eq!((rig.pass(1000), rig.seen.due()), (vec![], None));
}

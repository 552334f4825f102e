use super::*;
use config::Channel;
use sensors::{ClockQuality, ManualClock, SampleClock, Value};

const SECOND_US: u32 = 1_000_000;

struct Rig {
    quotas: Quotas,
    clock: ManualClock,
}

impl Rig {
    fn new(per_second: u32) -> Self {
        let stamp = Stamp {
            boot: 1,
            boottime_us: 5_000_000,
            wall_us: 1_800_000_000_000_000,
            quality: ClockQuality::Synced,
            error_us: Some(1),
        };
        Self { quotas: Quotas::new(NonZeroU32::new(per_second).unwrap()), clock: ManualClock::new(stamp) }
    }

    /// A message of so many readings, now.
    fn admits(&mut self, node: &str, readings: usize) -> bool {
        self.admits_of(node, readings, false)
    }

    fn admits_of(&mut self, node: &str, readings: usize, shared: bool) -> bool {
        let reading = Reading {
            node: NodeId::new(node).unwrap(),
            channel: Channel::new("t").unwrap(),
            unit: None,
            value: Ok(Value::Int(1)),
            raw: None,
            stamp: self.clock.stamp(),
            node_seq: None,
            node_time_us: None,
        };
        self.quotas.admits(&vec![reading; readings], shared)
    }

    fn due(&mut self) -> Vec<OwnGap> {
        self.quotas.due(self.clock.stamp())
    }

    fn wall_us(&self) -> Option<i64> {
        Some(self.clock.stamp().wall_us)
    }
}

#[test]
fn ten_seconds_worth_is_taken_at_once_and_then_the_quota() {
    let mut rig = Rig::new(3);
    assert_eq!((0..40).filter(|_| rig.admits("a", 1)).count(), 30);
    assert!(rig.admits("b", 1), "each node has a quota of its own");
    for _ in 0..5 {
        rig.clock.advance_us(SECOND_US);
        assert_eq!((0..40).filter(|_| rig.admits("a", 1)).count(), 3);
    }
    assert_eq!(rig.quotas.dropped(), 10 + 5 * 37);
}

#[test]
fn a_message_is_taken_whole_or_not_at_all_and_a_larger_one_than_the_burst_passes_alone() {
    let mut rig = Rig::new(1);
    assert!(rig.admits("a", 7));
    assert!(!rig.admits("a", 4), "three are left");
    assert!(rig.admits("a", 3), "what was dropped has taken nothing");
    assert!(rig.admits("big", 25));
    assert!(!rig.admits("big", 1));
    rig.clock.advance_us(10 * SECOND_US);
    assert!(rig.admits("big", 25));
}

#[test]
fn one_gap_tells_of_a_run_when_a_second_passed_without_a_drop() {
    let mut rig = Rig::new(1);
    assert!(rig.admits("a", 10));
    let from = rig.wall_us();
    assert!(!rig.admits("a", 2));
    rig.clock.advance_us(900_000);
    assert!(!rig.admits("a", 5));
    let to = rig.wall_us();
    rig.clock.advance_us(999_999);
    assert_eq!(rig.due(), []);
    rig.clock.advance_us(1);
    let gaps = rig.due();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].gap.node.as_ref().unwrap().as_str(), gaps[0].gap.count), ("a", Some(7)));
    assert_eq!((gaps[0].gap.from_us, gaps[0].gap.to_us), (from, to));
    assert_eq!(gaps[0].gap.reason, "more readings than the quota of 1 a second");
    assert_eq!((rig.due(), rig.quotas.rest()), (vec![], vec![]), "told once");
}

#[test]
fn while_a_run_lasts_a_gap_is_due_every_ten_seconds_and_the_rest_at_the_end() {
    let mut rig = Rig::new(1);
    assert!(rig.admits("a", 10));
    let mut counts = Vec::new();
    for _ in 0..250 {
        while rig.admits("a", 1) {}
        counts.extend(rig.due().iter().filter_map(|own| own.gap.count));
        rig.clock.advance_us(SECOND_US / 10);
    }
    assert_eq!(counts.len(), 2);
    counts.extend(rig.quotas.rest().iter().filter_map(|own| own.gap.count));
    assert_eq!((counts.len(), counts.iter().sum::<u64>()), (3, rig.quotas.dropped()));
}

#[test]
fn nodes_beyond_the_bound_push_out_the_most_silent_and_its_drops_are_told() {
    let mut rig = Rig::new(1);
    assert!(rig.admits("old", 10) && !rig.admits("old", 3));
    assert!(rig.admits("kept", 10));
    for number in 2..MOST_NODES {
        assert!(rig.admits(&format!("n{number}"), 1));
    }
    assert!(!rig.admits("kept", 1));
    assert!(rig.admits("new", 1));
    assert_eq!(rig.quotas.nodes.len(), MOST_NODES);
    let gaps = rig.due();
    assert_eq!(gaps.len(), 1, "the node that is over its quota now is not told yet");
    assert_eq!((gaps[0].gap.node.as_ref().unwrap().as_str(), gaps[0].gap.count), ("old", Some(3)));
    assert!(!rig.admits("kept", 1), "it was heard lately, and is remembered");
}

#[test]
fn a_gap_is_shared_only_if_the_other_gateway_may_have_all_that_was_dropped() {
    for (second, expected) in [(true, true), (false, false)] {
        let mut rig = Rig::new(1);
        assert!(rig.admits("a", 10) && !rig.admits_of("a", 1, true) && !rig.admits_of("a", 1, second));
        let gaps = rig.quotas.rest();
        assert_eq!((gaps.len(), gaps[0].gap.count, gaps[0].shared), (1, Some(2), expected));
    }
}

use super::*;
use sensors::{ClockQuality, Reading, Value};

const SECOND_US: u64 = 1_000_000;

fn at(second: u64) -> Stamp {
    let wall_us = 1_800_000_000_000_000 + i64::try_from(second * SECOND_US).unwrap();
    let boottime_us = 5_000_000 + second * SECOND_US;
    Stamp { boot: 1, boottime_us, wall_us, quality: ClockQuality::Synced, error_us: None }
}

fn readings(stamp: Stamp, count: usize) -> Arrival {
    let reading = Reading {
        node: "silo".to_owned().try_into().unwrap(),
        channel: "t".to_owned().try_into().unwrap(),
        unit: None,
        value: Ok(Value::Int(1)),
        raw: None,
        stamp,
        node_seq: None,
        node_time_us: None,
    };
    Arrival::of(Content::Readings(vec![reading; count]))
}

fn gap(count: Option<u64>) -> Gap {
    Gap { node: None, channel: None, reason: "another".to_owned(), from_us: None, to_us: None, count }
}

fn of_another(count: Option<u64>) -> OwnGap {
    OwnGap { gap: gap(count), shared: false }
}

#[test]
fn one_gap_tells_of_a_span_when_there_is_room_again() {
    let mut untold = Untold::default();
    assert_eq!(untold.due(at(0), false), []);
    assert_eq!(untold.drop_arrived(&readings(at(1), 3), Cause::Queue, at(2)), 3);
    assert_eq!(untold.drop_arrived(&readings(at(4), 2), Cause::Disk, at(4)), 2);
    assert_eq!(untold.drop_arrived(&Arrival::of(Content::AlreadyQueued), Cause::Queue, at(4)), 0);
    let gaps = untold.due(at(5), false);
    assert_eq!((gaps.len(), gaps[0].gap.count), (1, Some(5)));
    assert_eq!((gaps[0].gap.from_us, gaps[0].gap.to_us), (Some(at(1).wall_us), Some(at(4).wall_us)));
    assert_eq!(gaps[0].gap.reason, "the queue was full: the newest readings were dropped");
    untold.told(at(5), false);
    assert_eq!(untold.due(at(500), false), []);
}

#[test]
fn while_there_is_no_room_the_gaps_come_less_and_less_often_and_together_hold_every_reading() {
    let mut untold = Untold::default();
    let mut told = Vec::new();
    for second in 0..4 * 3600 {
        untold.drop_arrived(&readings(at(second), 2), Cause::Queue, at(second));
        let gaps = untold.due(at(second), true);
        if !gaps.is_empty() {
            told.push((second, gaps[0].gap.count.unwrap()));
            untold.told(at(second), true);
        }
    }
    let seconds: Vec<u64> = told.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds[..9], [10, 30, 70, 150, 310, 630, 1270, 2550, 5110]);
    assert_eq!(seconds[9..], [5110 + 3600, 5110 + 7200], "at least once an hour");
    let rest = untold.due(at(20_000), false)[0].gap.count.unwrap();
    assert_eq!(told.iter().map(|(_, count)| count).sum::<u64>() + rest, 2 * 4 * 3600);
    untold.told(at(20_000), false);
    untold.drop_arrived(&readings(at(20_001), 1), Cause::Disk, at(20_001));
    assert_eq!(untold.due(at(20_010), true), [], "the next span begins anew");
    assert_eq!(
        untold.due(at(20_011), true)[0].gap.reason,
        "the disk was nearly full: the newest readings were dropped"
    );
}

#[test]
fn what_found_no_room_is_due_again_after_ten_seconds_and_keeps_growing() {
    let mut untold = Untold::default();
    untold.drop_arrived(&readings(at(0), 1), Cause::Disk, at(0));
    assert_eq!(untold.due(at(10), true)[0].gap.count, Some(1));
    untold.refused(at(10));
    untold.drop_arrived(&readings(at(11), 1), Cause::Disk, at(11));
    assert_eq!(untold.due(at(19), true), []);
    assert_eq!(untold.due(at(20), true)[0].gap.count, Some(2));
}

#[test]
fn gaps_of_others_wait_and_beyond_the_bound_their_counts_do() {
    let mut untold = Untold::default();
    untold.drop_arrived(&Arrival::of(Content::Gap(gap(Some(7)))), Cause::Queue, at(0));
    untold.owe(vec![of_another(None); MOST_GAPS - 1], Cause::Queue, at(0));
    assert_eq!(untold.due(at(9), true), [], "they wait like the counts");
    assert_eq!(untold.due(at(0), false).len(), MOST_GAPS);
    untold.owe([of_another(Some(30)), of_another(None)], Cause::Queue, at(1));
    let gaps = untold.due(at(1), false);
    assert_eq!((gaps.len(), gaps[0].gap.count, gaps[MOST_GAPS].gap.count), (MOST_GAPS + 1, Some(7), Some(30)));
}

#[test]
fn a_span_is_shared_only_if_the_other_gateway_may_have_all_of_it() {
    let shared = |stamp| Arrival { shared: true, ..readings(stamp, 1) };
    for (arrivals, expected) in [
        (vec![shared(at(1)), shared(at(2))], true),
        (vec![shared(at(1)), readings(at(2), 1)], false),
        (vec![readings(at(1), 1), shared(at(2))], false),
    ] {
        let mut untold = Untold::default();
        assert!(untold.is_empty());
        arrivals.iter().for_each(|arrival| assert_eq!(untold.drop_arrived(arrival, Cause::Queue, at(2)), 1));
        assert_eq!((untold.is_empty(), untold.due(at(3), false)[0].shared), (false, expected));
        untold.told(at(3), false);
        assert!(untold.is_empty());
        untold.drop_arrived(&Arrival { shared: true, ..Arrival::of(Content::Gap(gap(None))) }, Cause::Queue, at(4));
        assert_eq!(
            (untold.is_empty(), untold.due(at(4), false)),
            (false, vec![OwnGap { gap: gap(None), shared: true }])
        );
    }
}

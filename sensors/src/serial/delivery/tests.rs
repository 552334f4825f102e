use super::*;
use crate::clock::ClockQuality;
use crate::reading::{NoData, Reading};
use config::Channel;
use tokio::sync::mpsc::Receiver;

fn at(second: f64) -> Stamp {
    let elapsed = std::time::Duration::from_secs_f64(second);
    let boottime_us = u64::try_from(elapsed.as_micros()).unwrap();
    let wall_us = 1_000_000_000 + i64::try_from(elapsed.as_micros()).unwrap();
    Stamp { boot: 1, boottime_us, wall_us, quality: ClockQuality::Synced, error_us: Some(1) }
}

fn readings(count: usize, stamp: Stamp) -> Content {
    let reading = Reading {
        node: NodeId::new("silo").unwrap(),
        channel: Channel::new("level").unwrap(),
        unit: None,
        value: Err(NoData::Absent),
        raw: None,
        stamp,
        node_seq: None,
        node_time_us: None,
    };
    Content::Readings(vec![reading; count])
}

fn delivery(messages: usize) -> (Delivery, Receiver<Arrival>) {
    let (outlet, arrivals) = Outlet::new(messages, 1_000_000);
    (Delivery::new(outlet, NodeId::new("silo").unwrap()), arrivals)
}

/// Everything that has been handed over, in words.
fn told(arrivals: &mut Receiver<Arrival>) -> Vec<String> {
    let mut found = Vec::new();
    while let Ok(arrival) = arrivals.try_recv() {
        found.push(match arrival.content {
            Content::Readings(readings) => format!("{} readings", readings.len()),
            Content::DeadLetter(letter) => format!("letter: {}", letter.reason),
            Content::Gap(gap) => {
                let seconds =
                    |us: Option<i64>| us.map(|us| f64::from(i32::try_from(us - 1_000_000_000).unwrap()) / 1e6);
                format!("{}, {:?} to {:?}: {:?}", gap.reason, seconds(gap.from_us), seconds(gap.to_us), gap.count)
            }
            Content::AlreadyQueued => "nothing".to_owned(),
        });
    }
    found
}

fn letter(reason: &str, stamp: Stamp) -> DeadLetter {
    DeadLetter::new("/dev/ttyUSB0", reason.to_owned(), b"?", stamp)
}

#[test]
fn what_finds_no_room_is_counted_and_told_before_what_comes_later() {
    let (mut delivery, mut arrivals) = delivery(2);
    for second in [1.0, 2.0, 3.0, 4.0] {
        delivery.hand_over(readings(3, at(second)), 10, at(second));
    }
    assert!(delivery.is_owing());
    assert_eq!(told(&mut arrivals), ["3 readings", "3 readings"]);
    delivery.hand_over(readings(1, at(5.0)), 10, at(5.0));
    assert_eq!(told(&mut arrivals), ["no room in the gateway, Some(3.0) to Some(4.0): Some(6)", "1 readings"]);
    assert!(!delivery.is_owing());
}

#[test]
fn one_letter_a_second_is_kept_and_the_others_are_counted() {
    let (mut delivery, mut arrivals) = delivery(100);
    for (second, reason) in [(1.0, "first"), (1.25, "second"), (1.5, "third"), (1.999, "fourth")] {
        delivery.refuse(letter(reason, at(second)));
    }
    delivery.tick(at(1.9999));
    assert_eq!(told(&mut arrivals), ["letter: first"]);
    assert!(delivery.is_owing());
    delivery.refuse(letter("fifth", at(2.0)));
    let counted = "3 frames could not be understood, Some(1.25) to Some(1.999): Some(3)";
    assert_eq!(told(&mut arrivals), [counted, "letter: fifth"]);
    delivery.refuse(letter("sixth", at(2.5)));
    delivery.tick(at(3.0));
    assert_eq!(told(&mut arrivals), ["1 frames could not be understood, Some(2.5) to Some(2.5): Some(1)"]);
    assert!(!delivery.is_owing());
}

#[test]
fn gaps_wait_for_room_too_and_the_end_tells_what_is_still_counted() {
    let (mut delivery, mut arrivals) = delivery(3);
    for second in [1.0, 1.1, 1.2] {
        delivery.hand_over(readings(1, at(second)), 10, at(second));
    }
    delivery.owe(Missing::PortGone, Span { from_us: at(1.2).wall_us, to_us: at(2.0).wall_us, count: None });
    delivery.owe(Missing::PortGone, Span { from_us: at(3.0).wall_us, to_us: at(4.0).wall_us, count: None });
    delivery.refuse(letter("no room for it", at(4.5)));
    delivery.refuse(letter("counted", at(4.6)));
    assert_eq!(told(&mut arrivals).len(), 3);
    delivery.end();
    let expected = [
        "the port was gone, Some(1.2) to Some(4.0): None",
        "1 frames could not be understood, Some(4.6) to Some(4.6): Some(1)",
        "no room in the gateway, Some(4.5) to Some(4.5): Some(1)",
    ];
    assert_eq!(told(&mut arrivals), expected);
}

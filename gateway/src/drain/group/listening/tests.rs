//! Breaks, sources and identities.

use super::*;
use crate::database::Cell;

const BROKER: &str = "mqtt://b:1883";
const PORT: &str = "/dev/ttyUSB0";

fn listening() -> Listening {
    let wire = || (PORT.to_owned(), vec!["silo".to_owned()]);
    let nodes = [(BROKER.to_owned(), Vec::new()), wire()].into();
    Listening::new(Sources { nodes, wires: [wire()].into() }, BTreeMap::new(), 5)
}

fn meter(name: &str, connected_since_us: Option<i64>, lost_since_us: Option<i64>) -> SourceState {
    let (name, session_kept) = (name.to_owned(), name == BROKER);
    let found_lost_us = lost_since_us;
    SourceState { name, connected_since_us, lost_since_us, found_lost_us, session_kept, ..SourceState::default() }
}

#[test]
fn the_start_ends_a_break_and_each_reconnect_another() {
    let mut listening = listening();
    assert!(!listening.look(&[meter(PORT, None, Some(8))], 9));
    assert!(listening.look(&[meter(PORT, Some(10), None)], 11));
    assert!(!listening.look(&[meter(PORT, Some(10), None)], 12));
    assert!(!listening.look(&[meter(PORT, None, Some(20))], 21));
    assert!(listening.look(&[meter(PORT, Some(30), None)], 31));
    // Gone and back between two looks: at least since the connect of before.
    assert!(listening.look(&[meter(PORT, Some(50), None)], 51));
    // Unless it was found.
    assert!(listening.look(&[SourceState { found_lost_us: Some(60), ..meter(PORT, Some(70), None) }], 71));
    let pause = |from_us, to_us| Break { from_us, to_us, is_resumed: false };
    assert_eq!(listening.breaks_of("silo"), [pause(5, 10), pause(20, 30), pause(30, 50), pause(60, 70)]);
    assert!(listening.breaks_of(BROKERS).is_empty());
}

#[test]
fn a_source_is_heard_when_all_its_meters_are_connected() {
    let mut listening = listening();
    assert!(listening.connected().is_empty(), "nobody has looked yet");
    listening.look(&[meter(BROKER, Some(10), None), meter(PORT, None, Some(9))], 11);
    assert_eq!(listening.connected(), [BROKERS]);
    listening.look(&[meter(PORT, Some(12), None), meter("/dev/own", Some(1), None)], 13);
    assert_eq!(listening.connected(), [BROKERS, "silo"]);
    assert!(listening.breaks_of(BROKERS)[0].is_resumed, "the broker kept the session");
}

#[test]
fn a_node_on_a_wire_is_lost_from_the_time_on_when_it_was_and_a_broker_keeps_what_is_said() {
    let mut listening = listening();
    listening.look(&[meter(BROKER, Some(10), None), meter(PORT, Some(10), None)], 11);
    listening.look(&[meter(BROKER, None, Some(20)), meter(PORT, None, Some(20))], 21);
    assert!(listening.wires_lost(19).is_empty(), "what it said before is not dealt with yet");
    assert_eq!(listening.wires_lost(20), ["silo"]);
    listening.look(&[meter(PORT, Some(30), None)], 31);
    assert!(listening.wires_lost(40).is_empty());
}

#[test]
fn what_was_heard_late_says_since_when_it_may_have_been_published() {
    let mut listening = listening();
    listening.look(&[meter(BROKER, Some(10), None)], 11);
    let item = listening.once(BROKERS, 12, true, Clocks { offset_us: 1000, doubt_us: 0 });
    assert_eq!((item.own_us, item.heard[0].at_us, item.heard[0].since_us), (12, 1012, 1005));
    listening.stood_still(100, 200);
    assert_eq!(
        listening.once(BROKERS, 201, true, Clocks::default()).heard[0].since_us,
        5,
        "both breaks are not long over"
    );
    assert_eq!(listening.once("silo", 201, true, Clocks::default()).heard[0].since_us, 201, "a wire keeps nothing");
}

#[test]
fn what_waits_of_a_wire_that_one_gateway_alone_hears_now_is_judged_as_of_that_wire() {
    let wires = [(PORT.to_owned(), vec!["silo".to_owned()])].into();
    let sources = Sources { nodes: BTreeMap::new(), wires };
    assert_eq!((sources.of("silo"), sources.of_origin(PORT), sources.of("yard")), ("silo", "silo", BROKERS));
    assert!(Listening::new(sources, BTreeMap::new(), 0).connected().is_empty(), "it says nothing of it now");
}

#[test]
fn the_same_reading_has_one_identity_whoever_heard_it() {
    let null = Cell::Null;
    let names = |channel: &str| ("silo".to_owned(), channel.to_owned());
    let of = |value: [&Cell; 4]| Identity::from_cells(names("level"), Some(3), None, value);
    let (one, two) = (Cell::Double(1.5), Cell::Double(-0.0));
    assert_eq!(of([&one, &null, &null, &null]), of([&one, &null, &null, &null]));
    assert_ne!(of([&one, &null, &null, &null]), of([&two, &null, &null, &null]));
    // Whole numbers, texts and reasons are told by themselves, whatever stands in `value`.
    assert_eq!(of([&one, &Cell::Int(1), &null, &null]), of([&two, &Cell::Int(1), &null, &null]));
    let all = [
        of([&null, &Cell::Int(1), &null, &null]),
        of([&null, &null, &Cell::text("1"), &null]),
        of([&null, &null, &null, &Cell::Int(1)]),
        Identity::from_cells(names("level"), None, Some(3), [&null, &Cell::Int(1), &null, &null]),
        Identity::from_cells(names("flow"), Some(3), None, [&null, &Cell::Int(1), &null, &null]),
    ];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
}

#[test]
fn what_is_heard_before_it_is_found_that_the_process_stood_still_was_late_too() {
    let mut listening = listening();
    listening.stood_still(1_000_000, 7_000_000);
    let since = |at_us| listening.once(BROKERS, at_us, false, Clocks::default()).heard[0].since_us;
    assert_eq!((since(1_200_000), since(6_990_000), since(7_100_000)), (1_200_000, 1_000_000, 1_000_000));
}

#[test]
fn a_break_that_lasts_has_no_end_and_a_broker_is_not_waited_for_for_ever() {
    let mut listening = listening();
    listening.look(&[meter(BROKER, Some(10), None)], 11);
    listening.look(&[meter(BROKER, None, Some(20))], 21);
    let lasts = Break { from_us: 20, to_us: i64::MAX, is_resumed: false };
    assert_eq!((listening.breaks_of(BROKERS).last(), listening.breaks()[BROKERS].len()), (Some(&lasts), 1));
    assert!(!listening.are_brokers_deaf(20 + DEAF_US - 1) && listening.are_brokers_deaf(20 + DEAF_US));
    listening.look(&[meter(BROKER, Some(30), None)], 31);
    assert!(!listening.are_brokers_deaf(i64::MAX));
}

#[test]
fn a_process_that_stands_still_again_and_again_fills_no_memory() {
    let mut listening = listening();
    (0..1000).for_each(|at_us| listening.stood_still(at_us, at_us + 1));
    assert!(listening.breaks().values().all(|breaks| breaks.len() == BREAKS));
}

#[test]
fn what_beats_tell_of_the_clocks_is_no_more_certain_than_they_are() {
    let clocks = |offset_ms: i64, doubt_ms: i64| Clocks { offset_us: offset_ms * 1000, doubt_us: doubt_ms * 1000 };
    let told = [0, -500, 501, -2000, 2001, -90_000].map(|ms| Clocks::told(Some(ms)));
    let known = [clocks(0, 0), clocks(0, 0), clocks(0, 501), clocks(0, 2000), clocks(2001, 500), clocks(-90_000, 500)];
    assert_eq!(told, known);
    assert_eq!(Clocks::told(None), clocks(0, 2000), "no beat has said so yet");
}

use super::*;
use crate::clock::{ClockQuality, ManualClock};
use crate::i2c::{Bus, Chip, Operation, SimBus};
use crate::reading::{Reading, Value};
use crate::turn::WAITING;
use config::{ByteOrder, Channel, Field, I2cNode, Micro, MicroFormat, NodeId, Part, Quantity, WhileStandby};
use tokio::sync::mpsc;

const ROOM_BYTES: u32 = 4096;

/// A chip that answers every read with the same bytes.
struct Fixed(&'static [u8]);

impl Chip for Fixed {
    fn write(&mut self, _bytes: &[u8]) {}

    fn read(&mut self, room: &mut [u8]) {
        room.fill(0xff);
        room.iter_mut().zip(self.0).for_each(|(place, byte)| *place = *byte);
    }
}

/// A poller whose steps the test takes, on a clock that the test moves.
struct Rig {
    poller: Poller,
    bus: SimBus,
    clock: Arc<ManualClock>,
    turn: Turn,
    meter: Meter,
    arrivals: mpsc::Receiver<Arrival>,
}

impl Rig {
    fn new(nodes: Vec<I2cNode>, messages: usize) -> Self {
        Self::in_turn(nodes, messages, Turn::always())
    }

    fn in_turn(nodes: Vec<I2cNode>, messages: usize, turn: Turn) -> Self {
        let stamp = Stamp { boot: 1, boottime_us: 0, wall_us: 1000, quality: ClockQuality::Synced, error_us: None };
        let clock = Arc::new(ManualClock::new(stamp));
        let (outlet, arrivals) = Outlet::new(messages, ROOM_BYTES);
        let bus = SimBus::default();
        let settings = I2c { bus: "/dev/i2c-1".into(), nodes, while_standby: WhileStandby::Deliver };
        let meter = outlet.meter().clone();
        let shared: Arc<dyn SampleClock> = clock.clone();
        let poller = Poller::new(&settings, Box::new(bus.clone()), shared, turn.clone(), SharedOutlet::new(outlet));
        Self { poller, bus, clock, turn, meter, arrivals }
    }

    /// Does what is due in the next seconds, second by second.
    fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            while self.poller.step() == Duration::ZERO {}
            self.clock.advance_us(1_000_000);
        }
    }

    /// What has arrived, in words.
    fn arrived(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while let Ok(arrival) = self.arrivals.try_recv() {
            match arrival.content {
                Content::Readings(readings) => found.extend(readings.iter().map(words)),
                Content::Gap(gap) => found.push(format!("gap {} {:?}", gap.reason, gap.count)),
                other => panic!("{other:?}"),
            }
        }
        found
    }
}

fn words(reading: &Reading) -> String {
    let value = match &reading.value {
        Ok(Value::Int(int)) => int.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(reason) => format!("{reason:?}"),
    };
    format!("{}.{} {value} at {}", reading.node, reading.channel, reading.stamp.boottime_us / 1_000_000)
}

fn quantity(channel: &str) -> Quantity {
    let (channel, order) = (Channel::new(channel).unwrap(), ByteOrder::Big);
    Quantity { channel, unit: None, width: 2, signed: false, order, scale: 1.0, offset: 0.0 }
}

fn node(name: &str, address: u16, part: Part) -> I2cNode {
    I2cNode { name: NodeId::new(name).unwrap(), address, every: Duration::from_secs(10), part }
}

fn register(name: &str, address: u16) -> I2cNode {
    node(name, address, Part::Register { register: 5, quantity: quantity("x") })
}

fn json(name: &str, address: u16) -> I2cNode {
    node(name, address, Part::Micro(Micro { bytes: 32, format: MicroFormat::Json }))
}

#[test]
fn nodes_are_asked_on_schedule_and_stamped() {
    let mut rig = Rig::new(vec![register("a", 8), register("b", 9)], 100);
    rig.bus.plug(8, Box::new(Fixed(&[0x12, 0x34])));
    rig.bus.plug(9, Box::new(Fixed(&[0, 7])));
    rig.pass(11);
    assert_eq!(rig.arrived(), ["a.x 4660 at 0", "b.x 7 at 0", "a.x 4660 at 10", "b.x 7 at 10"]);
}

#[test]
fn what_is_not_acknowledged_is_a_reason_and_never_zero() {
    for (error, reason) in [
        (BusError::NoAnswer, "Timeout"),
        (BusError::Timeout, "Timeout"),
        (BusError::Fault("arbitration lost".to_owned()), "BusFault"),
        (BusError::Incomplete { done: 1, of: 2 }, "BusFault"),
    ] {
        let mut rig = Rig::new(vec![register("a", 8)], 100);
        rig.bus.plug(8, Box::new(Fixed(&[0, 0])));
        rig.bus.fail(8, error, 1);
        rig.pass(11);
        assert_eq!(rig.arrived(), [format!("a.x {reason} at 0"), "a.x 0 at 10".to_owned()]);
    }
}

#[test]
fn a_node_that_goes_and_comes_back_is_asked_less_often_and_the_other_goes_on() {
    let mut rig = Rig::new(vec![register("a", 8), register("b", 9)], 100);
    rig.bus.plug(9, Box::new(Fixed(&[0, 7])));
    rig.pass(80);
    let arrived = rig.arrived();
    let of = |name: &str| arrived.iter().filter(|words| words.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(of("a"), ["a.x Timeout at 0", "a.x Timeout at 10", "a.x Timeout at 30", "a.x Timeout at 70"]);
    assert_eq!(of("b").len(), 8);
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.pass(91);
    let arrived = rig.arrived();
    let back: Vec<_> = arrived.iter().filter(|words| words.starts_with('a')).collect();
    assert_eq!(back, ["a.x 1 at 150", "a.x 1 at 160", "a.x 1 at 170"]);
}

#[test]
fn a_bus_that_is_away_gives_reasons_and_is_used_as_soon_as_it_is_there() {
    let mut rig = Rig::new(vec![register("a", 8)], 100);
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.bus.set_away(true);
    rig.pass(45);
    assert_eq!(rig.arrived(), ["a.x BusFault at 0", "a.x BusFault at 10", "a.x BusFault at 30"]);
    assert_eq!(rig.bus.transfers(8), 0);
    rig.bus.set_away(false);
    rig.pass(12);
    let back = rig.arrived();
    assert!(!back.is_empty() && back.iter().all(|words| words.starts_with("a.x 1 at ")), "before 70: {back:?}");
}

#[test]
fn an_adapter_that_is_pulled_out_and_put_in_again_is_opened_again() {
    let mut rig = Rig::new(vec![register("a", 8), register("b", 9)], 100);
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.bus.plug(9, Box::new(Fixed(&[0, 2])));
    rig.pass(5);
    rig.bus.set_away(true);
    rig.pass(10);
    assert_eq!(rig.bus.transfers(9), 1, "the bus is known to be away after the first node's transfer");
    rig.bus.set_away(false);
    rig.pass(12);
    let found = rig.arrived();
    assert_eq!(found[..4], ["a.x 1 at 0", "b.x 2 at 0", "a.x BusFault at 10", "b.x BusFault at 10"]);
    assert!(found.len() >= 6 && found[4..].iter().all(|words| !words.contains("BusFault")), "{found:?}");
}

#[test]
fn what_opens_and_is_no_bus_is_tried_less_and_less_often() {
    let mut rig = Rig::new(vec![register("a", 8)], 1000);
    rig.bus.fail(8, BusError::Away("not a bus".to_owned()), u32::MAX);
    rig.pass(300);
    let arrived = rig.arrived();
    assert!(arrived.iter().all(|words| words.starts_with("a.x BusFault")), "{arrived:?}");
    let tried = rig.bus.transfers(8);
    assert!((20..80).contains(&tried), "at most 10 s apart, and not every second: {tried}");
}

#[test]
fn while_there_is_no_room_nobody_is_asked_and_a_gap_tells_of_it() {
    let mut rig = Rig::new(vec![register("a", 8)], 1);
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.pass(35);
    assert_eq!(rig.bus.transfers(8), 2, "at 0, and at 10 when the room was found to be gone");
    assert_eq!(rig.arrived(), ["a.x 1 at 0"]);
    rig.pass(10);
    assert_eq!(rig.arrived(), ["gap no room in the gateway Some(3)"], "of 10, 20 and 30");
    // The gap took the only room, so the reading beside it did not fit.
    rig.pass(10);
    assert_eq!(rig.arrived(), ["gap no room in the gateway Some(1)"], "of 40");
}

#[test]
fn json_of_a_microcontroller_ends_where_its_padding_begins() {
    let answers: [(&[u8], &[&str]); 4] = [
        (b"{\"soil\":31,\"seq\":4}\n{\"old\":1}", &["a.soil 31 at 0"]),
        (b"{\"soil\":32}\0\0\0", &["a.soil 32 at 0"]),
        (b"{\"soil\":33}", &["a.soil 33 at 0"]),
        (b"{\"rain\":1,\"soil\":null}", &["a.rain 1 at 0", "a.soil Absent at 0"]),
    ];
    for (answer, expected) in answers {
        let mut rig = Rig::new(vec![json("a", 8)], 100);
        rig.bus.plug(8, Box::new(Fixed(answer)));
        rig.pass(1);
        assert_eq!(rig.arrived(), expected);
    }
}

#[test]
fn json_that_cannot_be_read_is_a_gap_until_channels_are_known_and_then_a_reason_for_each() {
    let mut rig = Rig::new(vec![json("a", 8)], 100);
    rig.bus.plug(8, Box::new(Fixed(&[])));
    rig.pass(1);
    let empty =
        "gap no readings: the answer cannot be understood: it is empty; the node may not have had one ready None";
    assert_eq!(rig.arrived(), [empty]);
    rig.bus.plug(8, Box::new(Fixed(b"{\"soil\":1}")));
    rig.pass(10);
    assert_eq!(rig.arrived(), ["a.soil 1 at 10"]);
    rig.bus.plug(8, Box::new(Fixed(b"{\"soil\":")));
    rig.pass(10);
    rig.bus.unplug(8);
    rig.pass(10);
    assert_eq!(rig.arrived(), ["a.soil BadFrame at 20", "a.soil Timeout at 30"]);
}

#[test]
fn fields_of_a_microcontroller_stand_at_their_places() {
    let field = |channel, at, order| Field { at, quantity: Quantity { order, signed: true, ..quantity(channel) } };
    let fields = vec![field("soil", 0, ByteOrder::Little), field("rain", 3, ByteOrder::Big)];
    let part = Part::Micro(Micro { bytes: 5, format: MicroFormat::Fields(fields) });
    let mut rig = Rig::new(vec![node("a", 8, part)], 100);
    rig.bus.plug(8, Box::new(Fixed(&[0xfe, 0xff, 9, 1, 0])));
    rig.pass(10);
    assert_eq!(rig.arrived(), ["a.soil -2 at 0", "a.rain 256 at 0"]);
    rig.bus.unplug(8);
    rig.pass(1);
    assert_eq!(rig.arrived(), ["a.soil Timeout at 10", "a.rain Timeout at 10"]);
}

/// Seconds since boot as the clock counts them.
fn second(second: u64) -> u64 {
    second * 1_000_000
}

#[test]
fn out_of_turn_nothing_is_opened_or_asked_and_nothing_is_missing() {
    let mut rig = Rig::in_turn(vec![register("a", 8), register("b", 9)], 100, Turn::new());
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.bus.plug(9, Box::new(Fixed(&[0, 2])));
    assert_eq!(rig.poller.step(), LOOK_EVERY);
    rig.bus.set_away(true);
    rig.pass(13);
    assert_eq!((rig.arrived(), rig.bus.transfers(8)), (vec![], 0), "a bus that is away is no trouble either");
    let state = rig.meter.state();
    assert_eq!((state.connected, state.trouble.as_deref()), (false, Some(WAITING)));
    rig.bus.set_away(false);
    rig.turn.grant_until(second(25));
    rig.pass(2);
    assert_eq!(rig.arrived(), ["a.x 1 at 13", "b.x 2 at 13"], "all of them are due at once");
    assert_eq!(rig.meter.state().connected_since_us, Some(1000 + 13_000_000));
    rig.pass(25);
    assert_eq!(rig.arrived(), ["a.x 1 at 23", "b.x 2 at 23"], "not at 33: the turn was over at 25");
    assert_eq!(rig.meter.state().lost_since_us, Some(1000 + 25_000_000));
    rig.turn.grant_until(u64::MAX);
    rig.pass(1);
    assert_eq!(rig.arrived(), ["a.x 1 at 40", "b.x 2 at 40"]);
}

/// A chip whose answer takes seconds.
struct Slow(Arc<ManualClock>);

impl Chip for Slow {
    fn write(&mut self, _bytes: &[u8]) {}

    fn read(&mut self, room: &mut [u8]) {
        self.0.advance_us(5_000_000);
        room.fill(0);
    }
}

#[test]
fn a_turn_that_ends_while_one_node_is_asked_leaves_out_the_next() {
    let mut rig = Rig::in_turn(vec![register("a", 8), register("b", 9)], 100, Turn::new());
    rig.bus.plug(8, Box::new(Slow(Arc::clone(&rig.clock))));
    rig.bus.plug(9, Box::new(Fixed(&[0, 2])));
    rig.turn.grant_until(second(3));
    rig.pass(20);
    assert_eq!((rig.arrived(), rig.bus.transfers(9)), (vec!["a.x 0 at 0".to_owned()], 0));
}

/// A bus that takes seconds to open.
struct SlowToOpen(SimBus, Arc<ManualClock>);

impl Bus for SlowToOpen {
    fn open(&mut self) -> Result<(), BusError> {
        self.1.advance_us(5_000_000);
        self.0.open()
    }

    fn transfer(&mut self, address: u16, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        self.0.transfer(address, operations)
    }
}

#[test]
fn a_turn_that_ends_while_the_bus_is_opened_asks_nobody() {
    let mut rig = Rig::in_turn(vec![register("a", 8)], 100, Turn::new());
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.poller.bus = Box::new(SlowToOpen(rig.bus.clone(), Arc::clone(&rig.clock)));
    rig.turn.grant_until(second(3));
    rig.pass(20);
    assert_eq!((rig.arrived(), rig.bus.transfers(8)), (vec![], 0));
}

#[test]
fn what_found_no_room_is_told_at_the_end_of_the_turn_and_not_of_the_time_after_it() {
    let mut rig = Rig::in_turn(vec![register("a", 8)], 1, Turn::new());
    rig.bus.plug(8, Box::new(Fixed(&[0, 1])));
    rig.turn.grant_until(second(15));
    rig.pass(14);
    assert_eq!(rig.arrived(), ["a.x 1 at 0"], "the one of 10 found no room");
    rig.pass(30);
    let Ok(Arrival { content: Content::Gap(gap), .. }) = rig.arrivals.try_recv() else { panic!("no gap") };
    assert_eq!((gap.from_us, gap.to_us, gap.count), (Some(1000 + 10_000_000), Some(1000 + 15_000_000), Some(1)));
    assert!(rig.arrivals.try_recv().is_err());
}

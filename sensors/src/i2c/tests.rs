//! The thread: whole, with a simulated bus and the real clock.

use super::*;
use crate::clock::KernelClock;
use crate::reading::Value;
use crate::source::{Arrival, Content};
use config::{Channel, I2c, I2cNode, Micro, MicroFormat, NodeId, Part, Quantity};
use std::collections::BTreeSet;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(8);

fn settings() -> I2c {
    let quantity = Quantity {
        channel: Channel::new("light").unwrap(),
        unit: None,
        width: 2,
        signed: false,
        order: config::ByteOrder::Big,
        scale: 0.5,
        offset: 0.0,
    };
    let parts = [
        Part::Bme280,
        Part::Register { register: 1, quantity },
        Part::Micro(Micro { bytes: 32, format: MicroFormat::Json }),
    ];
    let node = |(at, part): (u16, Part)| {
        let name = NodeId::new(&format!("n{at}")).unwrap();
        I2cNode { name, address: 0x20 + at, every: Duration::from_millis(100), part }
    };
    I2c {
        bus: "/dev/i2c-1".into(),
        nodes: (0..).zip(parts).map(node).collect(),
        while_standby: config::WhileStandby::Deliver,
    }
}

struct Running {
    arrivals: mpsc::Receiver<Arrival>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[allow(clippy::disallowed_methods, reason = "the test is what starts the source")]
fn start(bus: &SimBus) -> Running {
    let (outlet, arrivals) = Outlet::new(100, 100_000);
    let (stop, stopped) = watch::channel(false);
    let (_, tickets) = mpsc::channel(1);
    let clock = Arc::new(KernelClock::open().unwrap());
    let source = I2cSource { settings: settings(), clock, bus: Box::new(bus.clone()), turn: Turn::always() };
    Running { arrivals, stop, task: tokio::spawn(source.run(outlet, tickets, stopped)) }
}

#[tokio::test]
async fn every_configured_part_has_a_simulated_chip_that_changes() {
    let mut running = start(&SimBus::for_nodes(&settings()));
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut light = BTreeSet::new();
    while seen.len() < 5 || light.len() < 3 {
        let arrival = timeout(PATIENCE, running.arrivals.recv()).await.unwrap().unwrap();
        let Content::Readings(readings) = arrival.content else { panic!("{arrival:?}") };
        for reading in readings {
            assert!(reading.value.is_ok(), "{reading:?}");
            seen.insert(format!("{}.{}", reading.node, reading.channel));
            if let (Ok(Value::Float(value)), "light") = (&reading.value, reading.channel.as_str()) {
                light.insert(format!("{value}"));
                assert_eq!(reading.raw, Some(value * 2.0));
            }
        }
    }
    assert_eq!(Vec::from_iter(&seen), ["n0.humidity", "n0.pressure", "n0.temperature", "n1.light", "n2.level"]);
    running.stop.send_replace(true);
    timeout(STOP_WITHIN, running.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_bus_that_hangs_holds_up_nobody_who_stops() {
    let bus = SimBus::for_nodes(&settings());
    bus.set_stuck(true);
    let mut running = start(&bus);
    let begun = async {
        while bus.transfers(0x20) == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, begun).await.unwrap();
    running.stop.send_replace(true);
    // The outlet closes at once, and the source ends although its thread does not.
    assert!(timeout(STOP_WITHIN / 2, running.arrivals.recv()).await.unwrap().is_none());
    timeout(STOP_WITHIN * 2, running.task).await.unwrap().unwrap();
    bus.set_stuck(false);
}

#[tokio::test]
async fn a_bus_that_hangs_for_a_while_goes_on() {
    let bus = SimBus::for_nodes(&settings());
    bus.set_stuck(true);
    let mut running = start(&bus);
    assert!(timeout(Duration::from_millis(150), running.arrivals.recv()).await.is_err());
    bus.set_stuck(false);
    assert!(timeout(PATIENCE, running.arrivals.recv()).await.unwrap().is_some());
    running.stop.send_replace(true);
    timeout(PATIENCE, running.task).await.unwrap().unwrap();
}

#[test]
fn simulated_runs_repeat_themselves() {
    let values = || {
        let mut bus = SimBus::for_nodes(&settings());
        let mut answers = vec![[0_u8; 32]; 50];
        for room in &mut answers {
            bus.transfer(0x22, &mut [Operation::Read(room)]).unwrap();
        }
        answers
    };
    let first = values();
    assert_eq!(first, values());
    assert_ne!(first[0], first[1]);
}

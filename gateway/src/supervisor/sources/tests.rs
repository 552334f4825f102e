use super::*;
use queue::{Record, Unit, Writer};
use sensors::receipts::{Finding, ReceiptBook};
use sensors::{Arrival, Content, KernelClock};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

const SESSION: u64 = 7;

/// A message, durable with its receipt.
fn hear(book: &mut ReceiptBook, writer: &mut Writer, packet: u16) {
    let Finding::New(receipt) = book.heard(packet, u64::from(packet), false) else { panic!("{packet} is new") };
    let record = |kind, body| Record { kind, body };
    let receipt = record(Kind::MQTT_RECEIPT, receipt.to_bytes().unwrap());
    let unit = Unit::new(vec![record(Kind::READING, vec![1]), receipt]).unwrap();
    writer.append(&[unit], 0).unwrap();
}

/// The files of a queue as they are at this moment: what a killed process leaves.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Three simulated buses, each with a node that is named after what it does.
fn config() -> Config {
    let bus = |name| {
        format!(
            "[[i2c]]\nbus = \"/dev/{name}\"\nnodes = [{{ name = \"{name}\", part = \"bme280\", address = 0x76, every = \"100 ms\" }}]\n"
        )
    };
    let mysql = "[mysql]\nservers = [\"db1\"]\ndatabase = \"field\"\nuser = \"fieldgate\"\n".to_owned();
    let text = [mysql, bus("hold"), bus("deliver"), bus("off")].concat();
    let mut config = Config::from_text(&text, Path::new("fieldgate.toml"), "host").unwrap();
    let choices = [WhileStandby::Hold, WhileStandby::Deliver, WhileStandby::Off];
    config.i2c.iter_mut().zip(choices).for_each(|(bus, choice)| bus.while_standby = choice);
    config
}

/// Who has brought something, and whether that is shared, until `node` has.
async fn heard(arrivals: &mut mpsc::Receiver<Arrival>, node: &str) -> BTreeSet<(String, bool)> {
    let mut heard = BTreeSet::new();
    while !heard.iter().any(|(name, _)| name == node) {
        let arrival = timeout(Duration::from_secs(8), arrivals.recv()).await.unwrap().unwrap();
        let Content::Readings(readings) = arrival.content else { panic!("{:?}", arrival.content) };
        heard.extend(readings.iter().map(|reading| (reading.node.to_string(), arrival.shared)));
    }
    heard
}

#[tokio::test]
async fn what_is_off_waits_for_its_turn_and_only_what_this_gateway_alone_hears_is_not_shared() {
    let (outlet, mut arrivals) = Outlet::new(1000, 1_000_000);
    let (stop, stopped) = watch::channel(false);
    let turn = Turn::new();
    let clock: Arc<dyn SampleClock> = Arc::new(KernelClock::open().unwrap());
    let sources = Sources::new(outlet, stopped, clock, turn.clone()).i2c(&config(), true);
    let Sources { tasks, meters, outlet, .. } = sources;
    drop(outlet);
    let mut found = heard(&mut arrivals, "hold").await;
    found.extend(heard(&mut arrivals, "deliver").await);
    assert_eq!(found, [("deliver".to_owned(), false), ("hold".to_owned(), true)].into());
    assert_eq!(meters[2].state().readings, 0);
    turn.grant_until(u64::MAX);
    assert!(heard(&mut arrivals, "off").await.contains(&("off".to_owned(), true)));
    stop.send_replace(true);
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn a_message_of_before_the_new_stream_is_known_again_after_a_kill() {
    let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut opened = queue::open(folder.path()).unwrap();
    let mut book = ReceiptBook::new(SESSION, &[]);
    for packets in [1..=3, 4..=6, 7..=9] {
        packets.for_each(|packet| hear(&mut book, &mut opened.writer, packet));
        opened.writer.begin_stream().unwrap();
    }
    copy(folder.path(), left.path());
    let reader = queue::open(left.path()).unwrap().reader;
    let found = receipts(&reader).unwrap();
    let mut book = ReceiptBook::new(SESSION, &unproven(SESSION, found.iter().copied()));
    for packet in 1..=9 {
        assert_eq!(book.heard(packet, u64::from(packet), true), Finding::Again, "packet {packet}");
    }
    assert!(matches!(book.heard(10, 10, true), Finding::New(receipt) if receipt.number == 10));
}

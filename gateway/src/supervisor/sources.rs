//! Starts every configured source, each with a meter of its own.

use super::{Passwords, Trouble};
use config::Config;
use queue::{Kind, Reader};
use sensors::i2c::{Bus, I2cSource, LinuxBus, SimBus};
use sensors::mqtt::MqttSource;
use sensors::receipts::{Receipt, unproven};
use sensors::serial::SerialSource;
use sensors::{Meter, Outlet, SampleClock, Source, Ticket};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Acknowledgements on their way to one source: all that a broker may have in flight.
const TICKETS_WAITING: usize = 65_536;
/// How far back a start looks for receipts of messages that the broker may send again.
const FRAMES_SEARCHED: usize = 2048;

/// The sources that were started.
pub struct Sources {
    outlet: Outlet,
    stop: watch::Receiver<bool>,
    clock: Arc<dyn SampleClock>,
    /// Their tasks.
    pub tasks: Vec<JoinHandle<()>>,
    /// Where acknowledgements go, by the index that their tickets carry.
    pub acknowledged: Vec<mpsc::Sender<Ticket>>,
    /// How each is getting on.
    pub meters: Vec<Meter>,
}

impl Sources {
    /// None yet.
    pub fn new(outlet: Outlet, stop: watch::Receiver<bool>, clock: Arc<dyn SampleClock>) -> Self {
        Self { outlet, stop, clock, tasks: Vec::new(), acknowledged: Vec::new(), meters: Vec::new() }
    }

    /// Every broker; `receipts` are those that the queue holds, newest first.
    pub fn mqtt(mut self, config: &Config, passwords: &Passwords, receipts: &[Receipt]) -> Self {
        for (index, settings) in config.mqtt.iter().enumerate() {
            let session = MqttSource::session(settings);
            let source = MqttSource {
                index,
                settings: settings.clone(),
                password: passwords.mqtt.get(index).cloned().flatten(),
                unproven: unproven(session, receipts.iter().copied()),
                had_session: receipts.iter().any(|receipt| receipt.session == session),
                clock: Arc::clone(&self.clock),
            };
            self.start(&settings.broker.to_string(), source);
        }
        self
    }

    /// Every serial port.
    pub fn serial(mut self, config: &Config) -> Self {
        for settings in &config.serial {
            let index = self.tasks.len();
            let source = SerialSource { index, settings: settings.clone(), clock: Arc::clone(&self.clock) };
            self.start(&settings.port.display().to_string(), source);
        }
        self
    }

    /// Every I2C bus; with `simulate`, a simulated one with the configured nodes on it.
    pub fn i2c(mut self, config: &Config, simulate: bool) -> Self {
        for settings in &config.i2c {
            let bus: Box<dyn Bus + Send> =
                if simulate { Box::new(SimBus::for_nodes(settings)) } else { Box::new(LinuxBus::new(&settings.bus)) };
            let source = I2cSource { settings: settings.clone(), clock: Arc::clone(&self.clock), bus };
            self.start(&settings.bus.display().to_string(), source);
        }
        self
    }

    fn start(&mut self, name: &str, source: impl Source + Send + 'static) {
        let (sender, tickets) = mpsc::channel(TICKETS_WAITING);
        let outlet = self.outlet.for_source(name);
        self.acknowledged.push(sender);
        self.meters.push(outlet.meter().clone());
        #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
        self.tasks.push(tokio::spawn(source.run(outlet, tickets, self.stop.clone())));
    }
}

/// The receipts of the newest frames, newest first.
///
/// # Errors
/// When the queue cannot be read.
pub fn receipts(reader: &Reader) -> Result<Vec<Receipt>, Trouble> {
    let mut receipts = Vec::new();
    for frame in reader.newest_first().take(FRAMES_SEARCHED) {
        let frame = frame?;
        let ours = frame.records.iter().rev().filter(|record| record.kind == Kind::MQTT_RECEIPT);
        receipts.extend(ours.filter_map(|record| Receipt::from_bytes(&record.body).ok()));
    }
    Ok(receipts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{Record, Unit, Writer};
    use sensors::receipts::{Finding, ReceiptBook};
    use std::path::Path;

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
}

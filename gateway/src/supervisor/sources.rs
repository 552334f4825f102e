//! Starts every configured source, each with a meter of its own.

use super::{Passwords, Trouble};
use config::{Config, WhileStandby};
use queue::{Kind, Reader};
use sensors::i2c::{Bus, I2cSource, LinuxBus, SimBus};
use sensors::mqtt::MqttSource;
use sensors::receipts::{Receipt, unproven};
use sensors::serial::SerialSource;
use sensors::{Meter, Outlet, SampleClock, Source, Ticket, Turn};
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
    turn: Turn,
    /// Their tasks.
    pub tasks: Vec<JoinHandle<()>>,
    /// Where acknowledgements go, by the index that their tickets carry.
    pub acknowledged: Vec<mpsc::Sender<Ticket>>,
    /// How each is getting on.
    pub meters: Vec<Meter>,
}

impl Sources {
    /// None yet. Those that are off while this gateway is on standby work in `turn` only.
    pub fn new(outlet: Outlet, stop: watch::Receiver<bool>, clock: Arc<dyn SampleClock>, turn: Turn) -> Self {
        Self { outlet, stop, clock, turn, tasks: Vec::new(), acknowledged: Vec::new(), meters: Vec::new() }
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
            self.start(&settings.broker.to_string(), settings.while_standby, source);
        }
        self
    }

    /// Every serial port.
    pub fn serial(mut self, config: &Config) -> Self {
        for settings in &config.serial {
            let index = self.tasks.len();
            let (clock, turn) = (Arc::clone(&self.clock), self.turn(settings.while_standby));
            let source = SerialSource { index, settings: settings.clone(), clock, turn };
            self.start(&settings.port.display().to_string(), settings.while_standby, source);
        }
        self
    }

    /// Every I2C bus; with `simulate`, a simulated one with the configured nodes on it.
    pub fn i2c(mut self, config: &Config, simulate: bool) -> Self {
        for settings in &config.i2c {
            let bus: Box<dyn Bus + Send> =
                if simulate { Box::new(SimBus::for_nodes(settings)) } else { Box::new(LinuxBus::new(&settings.bus)) };
            let (clock, turn) = (Arc::clone(&self.clock), self.turn(settings.while_standby));
            let source = I2cSource { settings: settings.clone(), clock, bus, turn };
            self.start(&settings.bus.display().to_string(), settings.while_standby, source);
        }
        self
    }

    fn turn(&self, while_standby: WhileStandby) -> Turn {
        if while_standby == WhileStandby::Off { self.turn.clone() } else { Turn::always() }
    }

    fn start(&mut self, name: &str, while_standby: WhileStandby, source: impl Source + Send + 'static) {
        let (sender, tickets) = mpsc::channel(TICKETS_WAITING);
        let outlet = self.outlet.for_source(name).shared(while_standby.is_shared());
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
mod tests;

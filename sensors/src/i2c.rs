//! I2C nodes: one thread owns one bus and asks its nodes, each on its own schedule.
//!
//! A transfer can block for seconds, or for ever when the bus is stuck, hence a thread, and one that is left behind if it
//! does not end in time. A node that does not answer gives readings without data, with the reason, and is asked less and
//! less often; the others go on. When there is no room in the gateway nothing is asked, and a gap tells of it.

mod bme280;
mod bus;
mod driver;
mod linux;
mod micro;
mod node;
mod number;
mod poll;
mod presence;
mod register;
mod schedule;
mod sim;
mod unsent;

pub use bus::{Bus, BusError, Operation};
pub use linux::LinuxBus;
pub use sim::{Chip, SimBus, SimulatedBme280};

use crate::clock::SampleClock;
use crate::source::{Outlet, Source, Ticket};
use crate::turn::Turn;
use poll::{Poller, SharedOutlet};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, warn};

/// How long a bus's thread has to end; after that it is left behind.
pub const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Everything one bus needs.
pub struct I2cSource {
    /// The configuration of this bus.
    pub settings: config::I2c,
    /// Stamps every question before it is asked.
    pub clock: Arc<dyn SampleClock>,
    /// The bus.
    pub bus: Box<dyn Bus + Send>,
    /// When it may be asked.
    pub turn: Turn,
}

impl Source for I2cSource {
    async fn run(self, outlet: Outlet, acknowledged: mpsc::Receiver<Ticket>, mut stop: watch::Receiver<bool>) {
        // No node waits for an acknowledgement.
        drop(acknowledged);
        let outlet = SharedOutlet::new(outlet);
        let poller = Poller::new(&self.settings, self.bus, self.clock, self.turn, outlet.clone());
        let (keep_going, stopped) = sync_channel(1);
        let (end, mut has_ended) = oneshot::channel::<()>();
        let path = self.settings.bus.display();
        let thread = std::thread::Builder::new().name(thread_name(&self.settings)).spawn(move || {
            poller.run(&stopped);
            drop(end);
        });
        if let Err(why) = thread {
            error!(bus = %path, "no thread for the bus: {why}");
            return;
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = &mut has_ended => return,
        }
        outlet.close();
        drop(keep_going);
        if tokio::time::timeout(STOP_WITHIN, has_ended).await.is_err() {
            warn!(bus = %path, "a transfer does not come back; its thread is left behind");
        }
    }
}

/// The last part of the bus's path, which says more than the system's 15 characters would show of the whole.
fn thread_name(settings: &config::I2c) -> String {
    settings.bus.file_name().map_or_else(|| "i2c".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;

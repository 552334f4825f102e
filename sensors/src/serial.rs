//! Serial nodes: open the port, find the lines, decode and hand over; and wait for a port that is gone.
//!
//! A node on a wire does not wait and keeps nothing, so there is nothing to acknowledge: what comes while there is no room
//! is dropped and counted, and the count becomes a gap. A port that is not there, or not any more, is tried again for as long
//! as the gateway runs.

mod delivery;
mod frames;
mod lines;
mod listening;
mod port;

pub use port::{OpenError, Port};

use crate::clock::SampleClock;
use crate::source::{Outlet, Source, Ticket};
use crate::turn::Turn;
use listening::Listening;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Everything that listening to one port needs.
pub struct SerialSource {
    /// Its place among the configured sources; no two ports then knock in step.
    pub index: usize,
    /// The configuration of this port.
    pub settings: config::Serial,
    /// Stamps everything on arrival.
    pub clock: Arc<dyn SampleClock>,
    /// When the port may be open.
    pub turn: Turn,
}

impl Source for SerialSource {
    async fn run(self, outlet: Outlet, acknowledged: mpsc::Receiver<Ticket>, mut stop: watch::Receiver<bool>) {
        drop(acknowledged);
        let mut listening = Listening::new(self, outlet);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            never = listening.run() => match never {},
        }
        listening.end();
    }
}

//! MQTT nodes: subscribe, stamp, decode, hand over, and acknowledge only after durability.
//!
//! MQTT 5 towards the broker (nodes may speak 3.1.1 to it all the same), because two of its properties matter:
//! the session expiry, without which a broker forgets us whenever we disconnect, and the receive maximum: mosquitto
//! with its default limits dropped 4,980 of 6,000 messages while acknowledgements were held back with it unset, none
//! with 65535.

mod acks;
mod client;
mod hearing;
mod publisher;

use crate::backoff::Backoff;
use crate::clock::SampleClock;
use crate::receipts::{Receipt, ReceiptBook};
use crate::source::{Outlet, Source, Ticket};
use hearing::Hearing;
pub use publisher::Publisher;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Messages the broker may have in flight towards us, all that the protocol allows (MQTT 5.0, 3.1.2.11.3).
pub const RECEIVE_MAXIMUM: u16 = 65535;
/// How long the broker keeps our session while we are away: seven days.
pub const SESSION_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);
/// The largest packet we accept; announced, so that the broker drops a larger one instead of breaking the connection.
pub const MAX_PACKET_BYTES: u32 = 256 * 1024;
/// How often the connection is probed when nothing else is said.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Everything a connection to one broker needs.
pub struct MqttSource {
    /// Its place among the configured sources; tickets carry it.
    pub index: usize,
    /// The configuration of this broker.
    pub settings: config::Mqtt,
    /// The password, already read from its file.
    pub password: Option<String>,
    /// Receipts found in the queue that the broker may send again.
    pub unproven: Vec<Receipt>,
    /// Whether an earlier run had a session at this broker.
    pub had_session: bool,
    /// Stamps every message on arrival.
    pub clock: Arc<dyn SampleClock>,
}

impl MqttSource {
    /// The identity of the session: broker and client id.
    pub fn session(settings: &config::Mqtt) -> u64 {
        xxhash_rust::xxh3::xxh3_64(format!("{}\0{}", settings.broker, settings.client_id).as_bytes())
    }
}

impl Source for MqttSource {
    async fn run(self, outlet: Outlet, acknowledged: mpsc::Receiver<Ticket>, stop: watch::Receiver<bool>) {
        let (client, connection) = client::open(&self.settings, self.password.as_deref());
        let open = Arc::new(AtomicU64::new(acks::CLOSED));
        let book = ReceiptBook::new(Self::session(&self.settings), &self.unproven);
        let (answer, answers) = mpsc::channel(1024);
        let hearing = Hearing {
            index: self.index,
            settings: self.settings,
            clock: self.clock,
            book,
            outlet: Some(outlet),
            open: Arc::clone(&open),
            connections: 0,
            had_session: self.had_session,
            subscribe: answer,
            last_arrival_us: None,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(10), 1),
            connected_at: None,
            trouble: None,
        };
        // Two loops, and poll() is never cancelled: the library loses packets when it is.
        tokio::join!(hearing.run(connection, stop), acks::run(client, acknowledged, answers, open));
    }
}

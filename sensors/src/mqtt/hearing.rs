//! The loop that hears: connect, stamp, recognise, decode, hand over.

use super::acks::CLOSED;
use super::client::{Connection, Heard, Message};
use crate::backoff::Backoff;
use crate::clock::{SampleClock, Stamp};
use crate::decode::{Origin, decode};
use crate::reading::{DeadLetter, Gap};
use crate::receipts::{Finding, ReceiptBook, message_hash};
use crate::source::{Arrival, Content, Outlet, Ticket};
use config::NodeId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};

/// A connection that ends sooner was no success: two clients of one id throw each other out as often as they connect.
const STEADY: Duration = Duration::from_secs(2);

/// The state of hearing one broker.
pub struct Hearing {
    pub index: usize,
    pub settings: config::Mqtt,
    pub clock: Arc<dyn SampleClock>,
    pub book: ReceiptBook,
    /// Closed on stop, so that the queue sees the end of what comes.
    pub outlet: Option<Outlet>,
    /// The number of the connection that is up, for the loop that acknowledges.
    pub open: Arc<AtomicU64>,
    pub connections: u64,
    pub had_session: bool,
    pub subscribe: mpsc::Sender<config::Mqtt>,
    pub last_arrival_us: Option<i64>,
    pub backoff: Backoff,
    /// Since when the connection is up; none while it is not.
    pub connected_at: Option<Instant>,
    /// The trouble already reported, so that a run of equal failures is one line.
    pub trouble: Option<String>,
}

impl Hearing {
    /// Hears until `stop`, and then on until our goodbye is written: it stands behind the last acknowledgement, and the
    /// library writes only while it is polled.
    pub async fn run(mut self, mut connection: Connection, mut stop: watch::Receiver<bool>) {
        loop {
            match self.hear(&mut connection, &mut stop).await {
                Ok(Heard::Disconnected) => return,
                Ok(heard) => self.take(heard, &mut stop).await,
                Err(_) if self.outlet.is_none() => return self.open.store(CLOSED, Ordering::Relaxed),
                Err(why) => {
                    self.lost(why);
                    tokio::select! {
                        () = self.backoff.wait() => {}
                        _ = stop.wait_for(|stop| *stop) => self.outlet = None,
                    }
                }
            }
        }
    }

    /// The next thing heard. On `stop` the outlet closes at once, but the connection is heard on, not cancelled.
    async fn hear(&mut self, connection: &mut Connection, stop: &mut watch::Receiver<bool>) -> Result<Heard, String> {
        let mut hearing = std::pin::pin!(connection.hear());
        if self.outlet.is_some() {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => self.outlet = None,
                heard = &mut hearing => return heard,
            }
        }
        hearing.await
    }

    async fn take(&mut self, heard: Heard, stop: &mut watch::Receiver<bool>) {
        match heard {
            Heard::Connected { session_present } => self.connected(session_present, stop).await,
            Heard::Message(message) => self.message(message, stop).await,
            Heard::SubscriptionRefused(code) => {
                warn!(broker = %self.settings.broker, "the broker refused a subscription ({code}); check its access rules for this user and the topics of this [[mqtt]] entry");
            }
            // After a break the library still hands out what happened on the old connection; it proves nothing.
            _ if self.open.load(Ordering::Relaxed) == CLOSED => {}
            Heard::Subscribed => self.subscribed(),
            Heard::Acknowledged(packet) => self.book.acknowledged(packet),
            Heard::PingSent => self.book.ping_sent(),
            Heard::PingAnswered => self.book.ping_answered(),
            Heard::Published(_) | Heard::Disconnected | Heard::Nothing => {}
        }
    }

    async fn connected(&mut self, session_present: bool, stop: &mut watch::Receiver<bool>) {
        self.connections += 1;
        self.open.store(self.connections, Ordering::Relaxed);
        self.connected_at = Some(Instant::now());
        self.trouble = None;
        if let Some(outlet) = &self.outlet {
            outlet.meter().reached(session_present, self.clock.stamp().wall_us);
        }
        info!(broker = %self.settings.broker, session_present, "connected to the broker");
        if !session_present {
            self.book.session_lost();
            if self.had_session {
                let gap = self.session_gap();
                self.hand_over(Content::Gap(gap), None, None, 1, stop).await;
            }
        }
        self.had_session = true;
        // On every connection: a broker that lost the session has lost the subscriptions too, silently.
        let _ = self.subscribe.try_send(self.settings.clone());
    }

    /// Where the session was new, only now is everything heard that is published.
    fn subscribed(&self) {
        if let Some(outlet) = &self.outlet {
            outlet.meter().connected(self.clock.stamp().wall_us);
        }
    }

    fn session_gap(&self) -> Gap {
        warn!(broker = %self.settings.broker, "the broker has forgotten our session; what it held for us is lost. Turn its persistence on");
        Gap {
            node: None,
            channel: None,
            reason: format!("the broker {} forgot our session; messages it held are lost", self.settings.broker),
            from_us: self.last_arrival_us,
            to_us: Some(self.clock.stamp().wall_us),
            count: None,
        }
    }

    fn lost(&mut self, why: String) {
        self.open.store(CLOSED, Ordering::Relaxed);
        self.book.connection_lost();
        if self.connected_at.take().is_some_and(|at| at.elapsed() >= STEADY) {
            self.backoff.reset();
        }
        if let Some(outlet) = &self.outlet {
            outlet.meter().lost(&why, self.clock.stamp().wall_us);
        }
        if self.trouble.as_ref() != Some(&why) {
            warn!(broker = %self.settings.broker, "no connection to the broker: {why}; trying again until it answers");
            self.trouble = Some(why);
        }
    }

    async fn message(&mut self, message: Message, stop: &mut watch::Receiver<bool>) {
        let stamp = self.clock.stamp();
        if self.outlet.is_none() {
            return; // Not acknowledged, so the broker keeps it for the next start.
        }
        self.last_arrival_us = Some(stamp.wall_us);
        // Between a break and the next ConnAck the library may still hand out messages of the old connection;
        // they are queued, but there is no connection on which to acknowledge them.
        let connection = self.open.load(Ordering::Relaxed);
        let ticket = message.packet.filter(|_| connection != CLOSED).map(|packet| Ticket {
            source: self.index,
            connection,
            packet,
        });
        let finding = message
            .packet
            .map(|packet| self.book.heard(packet, message_hash(&message.topic, &message.payload), message.dup));
        let bytes = message.payload.len() + message.topic.len();
        let (content, receipt) = match finding {
            Some(Finding::Again) => (Content::AlreadyQueued, None),
            _ if message.retained => (Content::AlreadyQueued, None),
            Some(Finding::New(receipt)) => (self.understand(&message, stamp), Some(receipt)),
            None => (self.understand(&message, stamp), None),
        };
        self.hand_over(content, receipt, ticket, bytes, stop).await;
    }

    async fn hand_over(
        &mut self,
        content: Content,
        receipt: Option<crate::receipts::Receipt>,
        ticket: Option<Ticket>,
        bytes: usize,
        stop: &mut watch::Receiver<bool>,
    ) {
        let Some(outlet) = self.outlet.clone() else {
            return;
        };
        let arrival = Arrival { receipt, ticket, ..Arrival::of(content) };
        tokio::select! {
            biased;
            taken = outlet.send(arrival, bytes) => {
                if !taken {
                    self.outlet = None;
                }
            }
            _ = stop.wait_for(|stop| *stop) => self.outlet = None,
        }
    }

    fn understand(&self, message: &Message, stamp: Stamp) -> Content {
        let topic = String::from_utf8_lossy(&message.topic);
        let reason = match self.read(&topic, &message.payload, stamp) {
            Ok(content) => return content,
            Err(reason) => reason,
        };
        Content::DeadLetter(DeadLetter::new(&topic, reason, &message.payload, stamp))
    }

    fn read(&self, topic: &str, payload: &[u8], stamp: Stamp) -> Result<Content, String> {
        let found = self.settings.topics.iter().find_map(|pattern| pattern.matches(topic));
        let found = found.ok_or_else(|| "the topic matches no configured pattern".to_owned())?;
        let named = found.node.map(NodeId::new).transpose().map_err(|error| error.to_string())?;
        let node = named.as_ref().or(self.settings.node.as_ref()).ok_or("the topic names no node")?;
        let origin = Origin {
            node,
            channel: found.channel,
            sequence: self.settings.sequence.as_str(),
            time: self.settings.time.as_str(),
        };
        decode(origin, payload, stamp).map(Content::Readings).map_err(|error| error.to_string())
    }
}

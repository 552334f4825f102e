//! Ties the outbox to the MQTT client and to the journal.

use std::cell::RefCell;
use std::io;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAck, PubAckReason};
use rumqttc::v5::{AsyncClient, Event};
use tokio::time::{Instant, interval};

use crate::Arguments;
use crate::outbox::{Again, Outbox};
use fieldgate_tests::journal::Journal;
use fieldgate_tests::pace::Pace;
use fieldgate_tests::payload;

/// Shared by the futures of one thread; no borrow lasts across an await.
#[derive(Debug)]
pub struct Publisher {
    client: AsyncClient,
    node: String,
    channels: usize,
    inner: RefCell<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbox: Outbox,
    journal: Journal,
    pace: Pace,
    is_connected: bool,
}

impl Publisher {
    /// Begins the journal; sends nothing before the first connection.
    pub fn new(arguments: &Arguments, client: AsyncClient) -> io::Result<Self> {
        let inner = Inner {
            outbox: Outbox::new(usize::from(arguments.in_flight), arguments.count),
            journal: Journal::create(&arguments.log, &arguments.name, arguments.channels)?,
            pace: Pace::new(arguments.rate, Instant::now()),
            is_connected: false,
        };
        let (node, channels) = (arguments.name.clone(), arguments.channels);
        Ok(Self { client, node, channels, inner: RefCell::new(inner) })
    }

    /// Sends what is due and flushes the journal, until every message there will be is acknowledged.
    pub async fn keep_pace(&self) -> io::Result<()> {
        let mut clock = interval(self.inner.borrow().pace.poll_period());
        while !self.is_done() {
            clock.tick().await;
            self.send_due();
            self.flush()?;
        }
        Ok(())
    }

    /// What the client did or received.
    pub fn on_event(&self, event: &Event) -> io::Result<()> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.on_connect()?,
            Event::Incoming(Packet::PubAck(acknowledgement)) => self.on_acknowledgement(acknowledgement)?,
            Event::Outgoing(Outgoing::Publish(packet_id)) => self.inner.borrow_mut().outbox.sent(*packet_id),
            _ => {}
        }
        self.send_due();
        Ok(())
    }

    /// Nothing is handed to the client until it is connected again.
    pub fn on_disconnect(&self) {
        self.inner.borrow_mut().is_connected = false;
    }

    /// Sends nothing new any more.
    pub fn close(&self) {
        self.inner.borrow_mut().outbox.close();
    }

    /// Hands the journal to the kernel.
    pub fn flush(&self) -> io::Result<()> {
        self.inner.borrow_mut().journal.flush()
    }

    /// Asks the client to disconnect in an orderly way.
    pub fn request_disconnect(&self) {
        // If it cannot, the broker sees a closed connection, which is as good.
        let _ = self.client.try_disconnect();
    }

    fn is_done(&self) -> bool {
        self.inner.borrow().outbox.is_done()
    }

    fn on_connect(&self) -> io::Result<()> {
        let mut inner = self.inner.borrow_mut();
        inner.is_connected = true;
        for Again { seq, payload, was_sent } in inner.outbox.send_again() {
            if was_sent {
                inner.journal.resent(seq)?;
            }
            self.publish(payload);
        }
        Ok(())
    }

    fn on_acknowledgement(&self, acknowledgement: &PubAck) -> io::Result<()> {
        let mut inner = self.inner.borrow_mut();
        let Some(seq) = inner.outbox.acknowledged(acknowledgement.pkid) else {
            return Ok(());
        };
        match acknowledgement.reason {
            PubAckReason::Success => inner.journal.acknowledged(seq),
            PubAckReason::NoMatchingSubscribers => inner.journal.unheard(seq),
            refusal => Err(io::Error::other(format!("the broker refused message {seq}: {refusal:?}"))),
        }
    }

    fn send_due(&self) {
        let mut inner = self.inner.borrow_mut();
        while inner.is_connected
            && let Some(seq) = inner.outbox.next_seq()
            && inner.pace.take(Instant::now())
        {
            let time = format!("{:.6}", jiff::Timestamp::now());
            let payload = payload::message(&self.node, seq, self.channels, &time);
            inner.outbox.hand_over(seq, payload.clone());
            self.publish(payload);
        }
    }

    /// The client's channel holds as many messages as may be unacknowledged, so it is never full.
    fn publish(&self, payload: String) {
        let topic = format!("plants/{}", self.node);
        self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).expect("a place in the client's channel");
    }
}

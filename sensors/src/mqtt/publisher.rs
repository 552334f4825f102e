//! Publishes the gateway's own messages, one after the other, each until the broker has it.

use super::client::{self, Client, Connection, Heard};
use crate::backoff::Backoff;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{info, warn};

/// A client beside the one that hears, so that neither can hold up the other.
pub struct Publisher {
    client: Client,
    connection: Connection,
    topic: String,
    /// What the broker does not have yet.
    current: Option<Vec<u8>>,
    connected: bool,
    trouble: Option<String>,
    backoff: Backoff,
}

impl Publisher {
    /// For one topic at the broker of `settings`, with its account. Connects when it runs.
    pub fn new(settings: &config::Mqtt, password: Option<&str>, topic: &str) -> Self {
        let client_id = format!("{}-events", settings.client_id);
        let (client, connection) = client::open_publisher(settings, &client_id, password);
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), 2);
        let (topic, connected, trouble) = (topic.to_owned(), false, None);
        Self { client, connection, topic, current: None, connected, trouble, backoff }
    }

    /// Publishes with QoS 1 what comes, in order. After a break in between, a message may be published twice. Ends when
    /// no more can come.
    pub async fn run(mut self, mut payloads: mpsc::Receiver<Vec<u8>>) {
        loop {
            let heard = {
                // Never cancelled: the library loses packets when it is.
                let mut hearing = std::pin::pin!(self.connection.hear());
                loop {
                    tokio::select! {
                        heard = &mut hearing => break heard,
                        payload = payloads.recv(), if self.current.is_none() => {
                            let Some(payload) = payload else { return };
                            if self.connected {
                                self.client.publish(&self.topic, payload.clone());
                            }
                            self.current = Some(payload);
                        }
                    }
                }
            };
            match heard {
                Ok(heard) => self.take(heard),
                Err(why) => {
                    self.lost(why);
                    self.backoff.wait().await;
                }
            }
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Connected { .. } => {
                self.connected = true;
                self.backoff.reset();
                if self.trouble.take().is_some() {
                    info!(topic = %self.topic, "events can be published again");
                }
                if let Some(payload) = &self.current {
                    self.client.publish(&self.topic, payload.clone());
                }
            }
            Heard::Published(answer) => {
                self.current = None;
                if let Err(why) = answer {
                    warn!(topic = %self.topic, "the broker refused an event ({why}); check its access rules for this user and notify.topic");
                }
            }
            _ => {}
        }
    }

    fn lost(&mut self, why: String) {
        self.connected = false;
        if self.trouble.as_ref() != Some(&why) {
            warn!(topic = %self.topic, "events cannot be published: {why}; trying again until the broker answers");
            self.trouble = Some(why);
        }
    }
}

//! Starts what tells people of events, and the LED that shows the state, as far as they are configured.

use super::Passwords;
use crate::led::{self, Watched};
use crate::notify::{self, EVENTS_WAITING, Event, EventKind, Teller};
use config::Config;
use sensors::SampleClock;
use sensors::mqtt::Publisher;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The tasks that tell, and the one that watches; none when nobody is to be told.
pub struct Notices {
    /// Their tasks.
    pub tasks: Vec<JoinHandle<()>>,
    teller: Teller,
    clock: Arc<dyn SampleClock>,
}

impl Notices {
    /// Starts those that tell.
    pub fn start(config: &Config, passwords: &Passwords, clock: Arc<dyn SampleClock>) -> Self {
        let (gateway, site) = (config.gateway.id.to_string(), config.gateway.site.to_string());
        let mut tasks = Vec::new();
        let command = config.notify.command.clone().map(|command| {
            let (sender, events) = mpsc::channel(EVENTS_WAITING);
            tasks.push(spawn(async move { notify::command::run_all(&command, events).await }));
            sender
        });
        let topic = config.notify.topic.as_ref().and_then(|topic| {
            let password = passwords.mqtt.get(topic.mqtt).cloned().flatten();
            let publisher = Publisher::new(config.mqtt.get(topic.mqtt)?, password.as_deref(), &topic.name);
            let (sender, payloads) = mpsc::channel(EVENTS_WAITING);
            tasks.push(spawn(publisher.run(payloads)));
            Some(sender)
        });
        Self { tasks, teller: Teller { gateway, site, command, topic }, clock }
    }

    /// Tells of something now.
    pub fn tell(&self, kind: EventKind, text: String) {
        self.teller.tell(&Event { kind, text, at_us: self.clock.stamp().wall_us });
    }

    /// Watches the parts from now on.
    pub fn watch(mut self, watched: notify::Watched) -> Vec<JoinHandle<()>> {
        let mut tasks = std::mem::take(&mut self.tasks);
        if !tasks.is_empty() {
            tasks.push(spawn(async move {
                notify::watch(watched, |kind, text| self.tell(kind, text)).await;
            }));
        }
        tasks
    }
}

/// Starts the LED, if there is one.
pub fn light(config: &Config, watched: Watched) -> Option<JoinHandle<()>> {
    let settings = config.led.clone()?;
    Some(spawn(async move { led::show(watched, || led::open(&settings)).await }))
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
    tokio::spawn(task)
}

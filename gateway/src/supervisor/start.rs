//! Builds the parts from the configuration and starts them. The only file that starts tasks and threads for good.

use super::{Passwords, Trouble};
use crate::drain::backlog::Backlog;
use crate::drain::{Drain, DrainError, Settings};
use crate::intake::{Intake, IntakeError, TrimRule};
use crate::local;
use crate::memory::Memory;
use crate::topology::View;
use crate::topology::probe::Probe;
use config::Config;
use queue::{Kind, Opened, Reader};
use sensors::i2c::{Bus, I2cSource, LinuxBus, SimBus};
use sensors::mqtt::MqttSource;
use sensors::receipts::{Receipt, unproven};
use sensors::serial::SerialSource;
use sensors::{KernelClock, Outlet, SampleClock, Source, Ticket};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// Messages on their way to the intake, over all sources.
const MESSAGES_WAITING: usize = 4096;
/// Bytes of payload on their way to the intake, over all sources; decoded, they take up to ten times as much.
const BYTES_WAITING: u32 = 4 * 1024 * 1024;
/// Acknowledgements on their way to one source: all that a broker may have in flight.
const TICKETS_WAITING: usize = 65_536;
/// How far back a start looks for receipts of messages that the broker may send again.
const FRAMES_SEARCHED: usize = 2048;
/// The largest default for `queue.max`.
const MOST_DEFAULT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Everything that runs.
pub struct Parts {
    reader: Reader,
    stop_sources: watch::Sender<bool>,
    stop_drain: watch::Sender<bool>,
    intake: oneshot::Receiver<Result<(), IntakeError>>,
    sources: Vec<JoinHandle<()>>,
    drain: JoinHandle<Result<(), DrainError>>,
    helpers: Vec<JoinHandle<()>>,
    delivered: watch::Receiver<BTreeMap<queue::StreamId, u64>>,
}

/// Starts everything; with `simulate`, the nodes of I2C buses are simulated.
pub fn start(config: &Config, passwords: Passwords, simulate: bool) -> Result<Parts, Trouble> {
    let state = &config.gateway.state_dir;
    let unusable = |source| Trouble::StateFolder { folder: state.clone(), source };
    std::fs::create_dir_all(state).map_err(unusable)?;
    let clock: Arc<dyn SampleClock> =
        Arc::new(KernelClock::open().map_err(|source| Trouble::System { doing: "read the kernel's clock", source })?);
    let memory = Memory::open(state).map_err(unusable)?;
    let Opened { writer, reader, stream, set_aside, .. } = queue::open(&state.join("queue"))?;
    if let Some(aside) = set_aside {
        warn!(
            "the queue's store could not be used ({}) and was set aside in {}; what the database lacks of it becomes a gap",
            aside.reason,
            aside.folder.display()
        );
    }
    info!(%stream, gateway = %config.gateway.id, site = %config.gateway.site, version = env!("CARGO_PKG_VERSION"), "started");

    let (stop_sources, sources_stop) = watch::channel(false);
    let (stop_drain, drain_stop) = watch::channel(false);
    let (outlet, arrivals) = Outlet::new(MESSAGES_WAITING, BYTES_WAITING);
    let (durable, became_durable) = watch::channel(0);
    let (leave, may_leave) = watch::channel(Arc::new(BTreeMap::new()));
    let (mut sources, acknowledged) = start_sources(config, &passwords, &reader, &clock, &outlet, &sources_stop)?;
    sources.extend(start_buses(config, simulate, &clock, &outlet, &sources_stop));
    drop(outlet);
    let rule = TrimRule { keep: config.queue.keep, max_bytes: max_bytes(config, state).map_err(unusable)? };
    let commit = config.queue.commit;
    let intake = Intake {
        writer,
        reader: reader.clone(),
        arrivals,
        acknowledged,
        durable,
        leave: may_leave,
        clock: Arc::clone(&clock),
        commit,
        rule,
    };
    let intake = start_intake(intake)?;
    let settings = settings(config, passwords.mysql);
    let (probes, views) = start_probes(config, &settings);
    let (tell_delivered, delivered) = watch::channel(BTreeMap::new());
    let drain = Drain {
        settings,
        backlog: Backlog { reader: reader.clone(), current: stream },
        views,
        durable: became_durable,
        leave,
        memory,
        clock,
        delivered: tell_delivered,
        stop: drain_stop,
    };
    #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
    let drain = tokio::spawn(drain.run());
    let mut helpers = probes;
    helpers.extend(start_local(state, &reader));
    Ok(Parts { reader, stop_sources, stop_drain, intake, sources, drain, helpers, delivered })
}

type Sources = (Vec<JoinHandle<()>>, Vec<mpsc::Sender<Ticket>>);

fn start_sources(
    config: &Config,
    passwords: &Passwords,
    reader: &Reader,
    clock: &Arc<dyn SampleClock>,
    outlet: &Outlet,
    stop: &watch::Receiver<bool>,
) -> Result<Sources, Trouble> {
    let receipts = receipts(reader)?;
    let (mut tasks, mut acknowledged) = (Vec::new(), Vec::new());
    for (index, settings) in config.mqtt.iter().enumerate() {
        let session = MqttSource::session(settings);
        let source = MqttSource {
            index,
            settings: settings.clone(),
            password: passwords.mqtt.get(index).cloned().flatten(),
            unproven: unproven(session, receipts.iter().copied()),
            had_session: receipts.iter().any(|receipt| receipt.session == session),
            clock: Arc::clone(clock),
        };
        let (sender, tickets) = mpsc::channel(TICKETS_WAITING);
        acknowledged.push(sender);
        #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        tasks.push(tokio::spawn(source.run(outlet.clone(), tickets, stop.clone())));
    }
    for (port, settings) in config.serial.iter().enumerate() {
        let index = config.mqtt.len() + port;
        let source = SerialSource { index, settings: settings.clone(), clock: Arc::clone(clock) };
        // Nothing is acknowledged on a wire.
        let (_, tickets) = mpsc::channel(1);
        #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        tasks.push(tokio::spawn(source.run(outlet.clone(), tickets, stop.clone())));
    }
    Ok((tasks, acknowledged))
}

fn start_buses(
    config: &Config,
    simulate: bool,
    clock: &Arc<dyn SampleClock>,
    outlet: &Outlet,
    stop: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let start = |settings: &config::I2c| {
        let bus: Box<dyn Bus + Send> = match simulate {
            true => Box::new(SimBus::for_nodes(settings)),
            false => Box::new(LinuxBus::new(&settings.bus)),
        };
        let source = I2cSource { settings: settings.clone(), clock: Arc::clone(clock), bus };
        let (_, tickets) = mpsc::channel(1);
        #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        tokio::spawn(source.run(outlet.clone(), tickets, stop.clone()))
    };
    config.i2c.iter().map(start).collect()
}

/// The receipts of the newest frames, newest first.
fn receipts(reader: &Reader) -> Result<Vec<Receipt>, Trouble> {
    let mut receipts = Vec::new();
    for frame in reader.newest_first().take(FRAMES_SEARCHED) {
        let frame = frame?;
        let ours = frame.records.iter().rev().filter(|record| record.kind == Kind::MQTT_RECEIPT);
        receipts.extend(ours.filter_map(|record| Receipt::from_bytes(&record.body).ok()));
    }
    Ok(receipts)
}

fn start_intake(intake: Intake) -> Result<oneshot::Receiver<Result<(), IntakeError>>, Trouble> {
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
        let _ = sender.send(intake.run());
    });
    thread.map_err(|source| Trouble::System { doing: "start the intake thread", source })?;
    Ok(receiver)
}

fn settings(config: &Config, password: Option<String>) -> Settings {
    let mysql = &config.mysql;
    Settings {
        servers: mysql.servers.clone(),
        account: crate::database::Account {
            user: mysql.user.clone(),
            password,
            database: Some(mysql.database.clone()),
        },
        deadlines: crate::command::deadlines(config),
        site: config.gateway.site.to_string(),
        gateway: config.gateway.id.to_string(),
        keep_until: mysql.keep_until_replicas,
    }
}

fn start_probes(config: &Config, settings: &Settings) -> (Vec<JoinHandle<()>>, watch::Receiver<Vec<View>>) {
    let unasked = settings.servers.iter().map(|server| View::unasked(server.to_string())).collect();
    let (sender, views) = watch::channel(unasked);
    let probes = settings.servers.iter().enumerate().map(|(index, server)| {
        let probe = Probe {
            index,
            server: server.clone(),
            account: crate::database::Account { database: None, ..settings.account.clone() },
            database: config.mysql.database.clone(),
            gateway: settings.gateway.clone(),
            period: config.mysql.probe_period,
            deadline: config.mysql.connect_timeout,
        };
        #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        tokio::spawn(probe.run(sender.clone()))
    });
    (probes.collect(), views)
}

/// Other commands can look into the queue; without the socket the gateway works all the same.
fn start_local(state: &Path, reader: &Reader) -> Option<JoinHandle<()>> {
    match local::listen(state) {
        #[allow(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        Ok(listener) => Some(tokio::spawn(local::serve(listener, reader.clone()))),
        Err(error) => {
            warn!("no socket for other commands in {}: {error}", state.display());
            None
        }
    }
}

/// A quarter of the disk, at most 4 GiB, unless configured.
fn max_bytes(config: &Config, state: &Path) -> io::Result<u64> {
    if let Some(bytes) = config.queue.max_bytes {
        return Ok(bytes);
    }
    let disk = rustix::fs::statvfs(state)?;
    Ok((disk.f_blocks.saturating_mul(disk.f_frsize) / 4).min(MOST_DEFAULT_BYTES))
}

/// Waits until any of the tasks has ended. Whoever waited must not wait for the tasks again.
async fn any_end(tasks: &mut [JoinHandle<()>]) {
    std::future::poll_fn(|context| {
        let ended = tasks.iter_mut().any(|task| Pin::new(task).poll(context).is_ready());
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Parts {
    /// Waits for a part to end that should not; says which and why.
    pub async fn first_end(&mut self) -> Trouble {
        tokio::select! {
            ended = &mut self.intake => match ended {
                Ok(Err(error)) => error.into(),
                Ok(Ok(())) | Err(_) => Trouble::Bug("the intake"),
            },
            ended = &mut self.drain => match ended {
                Ok(Err(error)) => error.into(),
                Ok(Ok(())) | Err(_) => Trouble::Bug("the drain"),
            },
            () = any_end(&mut self.sources) => Trouble::Bug("a source"),
            () = any_end(&mut self.helpers) => Trouble::Bug("a probe"),
        }
    }

    /// Tells the sources to take nothing new.
    pub fn stop_sources(&self) {
        self.stop_sources.send_replace(true);
    }

    /// Waits until everything that arrived is durable.
    pub async fn intake_end(&mut self) -> Result<(), Trouble> {
        match (&mut self.intake).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Trouble::Bug("the intake")),
        }
    }

    /// Waits until the last acknowledgements are out.
    pub async fn sources_end(&mut self) {
        for source in &mut self.sources {
            let _ = source.await;
        }
    }

    /// Tells the drain to finish its batch.
    pub fn stop_drain(&self) {
        self.stop_drain.send_replace(true);
    }

    /// Waits for the drain.
    pub async fn drain_end(&mut self) -> Result<(), Trouble> {
        match (&mut self.drain).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Trouble::Bug("the drain")),
        }
    }

    /// Readings in the queue that no source is known to have.
    pub fn still_queued(&self) -> Result<u64, Trouble> {
        let delivered = self.delivered.borrow();
        let waiting = self
            .reader
            .spans()?
            .iter()
            .map(|span| {
                let done = delivered.get(&span.stream).copied().unwrap_or(0).max(span.first.saturating_sub(1));
                span.last.saturating_sub(done)
            })
            .sum();
        Ok(waiting)
    }

    /// Ends whatever still runs.
    pub fn abandon(self) {
        for task in self.helpers.iter().chain(&self.sources) {
            task.abort();
        }
        self.drain.abort();
    }
}

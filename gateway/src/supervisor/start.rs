//! Builds the parts from the configuration and starts them. Tasks and threads that live as long as the gateway are started here, in `sources.rs` and in `notices.rs` only.

use super::absence;
use super::notices::{self, Notices};
use super::pair::{self, Pair};
use super::parts::Parts;
use super::sources::{self, Sources};
use super::{Passwords, Trouble, waiting};
use crate::disk::Disk;
use crate::drain::backlog::{Backlog, Limits};
use crate::drain::members::Members;
use crate::drain::{Drain, Live, Looks, Refusals, Settings, Throttle, ToldRefused};
use crate::intake::{Intake, IntakeError, Quotas, RoomRule, RoomWatch, TrimRule, Untold};
use crate::led::Watched;
use crate::local::{self, Desk};
use crate::memory::Memory;
use crate::notify::{self, EventKind};
use crate::origin::{OriginBook, Origins};
use crate::promotion::{Promoter, Rules};
use crate::pulse::Pulse;
use crate::status::{Board, DrainState, IntakeState};
use crate::systemd::Manager;
use crate::topology::probe::Probe;
use crate::topology::{Choice, View};
use config::{Config, Failover};
use queue::{Opened, Reader, StreamId};
use sensors::{Arrival, Content, KernelClock, Outlet, SampleClock, Turn};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// Messages on their way to the intake, over all sources.
const MESSAGES_WAITING: usize = 4096;
/// Bytes of payload on their way to the intake, over all sources; decoded, they take up to ten times as much.
const BYTES_WAITING: u32 = 4 * 1024 * 1024;
/// Given up when the disk is full and something still has to be written.
const BALLAST_BYTES: u64 = 16 * 1024 * 1024;

/// Starts everything; with `simulate`, the nodes of I2C buses are simulated.
pub fn start(file: &Path, config: &Config, passwords: Passwords, simulate: bool) -> Result<Parts, Trouble> {
    let state = &config.gateway.state_dir;
    let unusable = |source| Trouble::StateFolder { folder: state.clone(), source };
    std::fs::create_dir_all(state).map_err(unusable)?;
    waiting::forget(state).map_err(unusable)?;
    let clock: Arc<dyn SampleClock> =
        Arc::new(KernelClock::open().map_err(|source| Trouble::System { doing: "read the kernel's clock", source })?);
    let memory = Memory::open(state).map_err(unusable)?;
    let folder = state.join("queue");
    let reserve_bytes = Disk::look(state).map_err(unusable)?.reserve_bytes(&config.queue);
    let room = queue::Settings { reserve_bytes: Some(reserve_bytes), ballast_bytes: BALLAST_BYTES };
    let Opened { writer, reader, stream, damaged, marks_set_aside } = queue::open_with(&folder, room)?;
    let notices = Notices::start(config, &passwords, Arc::clone(&clock));
    for what in damaged {
        let text = format!(
            "a part of the queue is damaged: {what}; what can be read of it is sent all the same, and what the database lacks becomes a gap"
        );
        warn!("{text}");
        notices.tell(EventKind::QueueDamaged, text);
    }
    if let Some(aside) = marks_set_aside {
        warn!(
            "the file that remembers how far each stream went could not be used ({}) and was set aside as {}; streams that have left the queue are forgotten",
            aside.reason,
            aside.folder.display()
        );
    }
    info!(%stream, gateway = %config.gateway.id, site = %config.gateway.site, version = env!("CARGO_PKG_VERSION"), "started");
    let first_steps = (memory.servers.highest_term == 0).then(|| first_steps(file));
    if let Some(steps) = &first_steps {
        info!("{steps}");
    }

    let known: Vec<StreamId> = reader.known_streams().iter().map(|known| known.stream).collect();
    let names = (config.gateway.id.as_str(), config.gateway.site.as_str());
    let origin_book = OriginBook::open(state, names, &known).map_err(unusable)?;
    let origins = origin_book.listen();
    let (imports, asked_imports) = mpsc::channel(1);
    let (begins, asked_begins) = mpsc::channel(1);
    let (stop_sources, sources_stop) = watch::channel(false);
    let (stop_drain, drain_stop) = watch::channel(false);
    let (outlet, arrivals) = Outlet::new(MESSAGES_WAITING, BYTES_WAITING);
    let (intake_state, taken) = watch::channel(IntakeState::default());
    let (drain_state, drained) = watch::channel(drain_state_of(&memory));
    let pulses = [("intake", Pulse::default()), ("drain", Pulse::default())];
    let (leave, may_leave) = watch::channel(Arc::new(BTreeMap::new()));
    let receipts = sources::receipts(&reader)?;
    tell_absence(config, &reader, &outlet, clock.stamp().wall_us)?;
    let begun = pair::Begun::open(config, state)?;
    let turn = begun.as_ref().map_or_else(Turn::always, |begun| begun.turn.clone());
    let to_queue = begun.is_some().then(|| outlet.clone());
    let make = Sources::new(outlet, sources_stop, Arc::clone(&clock), turn);
    let Sources { tasks: sources, acknowledged, meters, .. } =
        make.mqtt(config, &passwords, &receipts).serial(config).i2c(config, simulate);
    let disk = Disk::look(&folder).map_err(unusable)?;
    let max_bytes = disk.max_bytes(&config.queue);
    let room = RoomWatch::new(room_rule(config, folder, disk));
    let rule = TrimRule { keep: config.queue.keep };
    let commit = config.queue.commit;
    let [(_, intake_pulse), (_, drain_pulse)] = pulses.clone();
    let intake = Intake {
        writer,
        reader: reader.clone(),
        queue_folder: state.join("queue"),
        imports: asked_imports,
        begins: asked_begins,
        origins: origin_book,
        arrivals,
        acknowledged,
        state: intake_state,
        pulse: intake_pulse,
        leave: may_leave,
        clock: Arc::clone(&clock),
        commit,
        quotas: Quotas::new(config.quota.readings_per_second),
        rule,
        room,
        untold: Untold::default(),
    };
    let intake = start_intake(intake)?;
    let settings = settings(config, passwords.mysql);
    let look = Arc::new(Notify::new());
    let (probes, views) = start_probes(config, &settings, &origins, &look);
    let pair = begun.zip(to_queue).map(|(begun, outlet)| {
        let (intake, stop) = (taken.clone(), stop_sources.subscribe());
        let (meters, clock) = (meters.clone(), Arc::clone(&clock));
        pair::start(begun, pair::Material { config, meters, intake, outlet, reader: &reader, clock, stop })
    });
    let Pair { group, asks, shown, tasks: standby } = pair.transpose()?.unwrap_or_default();
    let (tell_delivered, delivered) = watch::channel(delivered_before(&reader, &memory));
    let board = Arc::new(Board {
        identity: (config.gateway.id.to_string(), config.gateway.site.to_string()),
        reader: reader.clone(),
        max_bytes,
        clock: Arc::clone(&clock),
        started_us: clock.stamp().boottime_us,
        meters,
        intake: taken.clone(),
        drain: drained.clone(),
        delivered,
        views: views.clone(),
        first_steps,
        standby: shown.clone(),
    });
    let former = pair::former(config, state)?;
    let members = Members::of(config, clock.stamp().wall_us);
    let promoter = start_promoter(config, passwords.promote, (&views, &look), &drain_state, &clock);
    let drain = Drain {
        settings,
        backlog: Backlog { reader: reader.clone() },
        live: Live::new(config.drain.order, begins),
        throttle: Throttle::new(&config.drain, Limits::MOST, config.mysql.query_timeout),
        views,
        look,
        durable: taken.clone(),
        state: drain_state,
        pulse: drain_pulse,
        leave,
        memory,
        origins,
        clock,
        delivered: tell_delivered,
        stop: drain_stop,
        told: Choice::default(),
        group,
        former,
        refusals: Refusals::default(),
        told_refused: ToldRefused::default(),
        looks: Looks::new(members),
    };
    #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
    let drain = tokio::spawn(drain.run());
    let manager = Arc::new(Manager::from_environment());
    let mut helpers = probes;
    helpers.extend(promoter);
    helpers.extend(standby);
    helpers.extend(start_local(state, &Desk { board: Arc::clone(&board), imports, asks }));
    let watched = Watched { intake: taken.clone(), drain: drained.clone(), stop: stop_sources.subscribe() };
    helpers.extend(notices::light(config, watched));
    let standby = shown.zip(config.standby.as_ref().map(|standby| standby.silence));
    let gateway = config.gateway.id.to_string();
    helpers.extend(notices.watch(notify::Watched { gateway, drain: drained, intake: taken, standby }));
    #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
    helpers.push(tokio::spawn(Arc::clone(&manager).keep_told(Arc::clone(&board), pulses.to_vec())));
    manager.ready();
    Ok(Parts { stop_sources, stop_drain, intake, sources, drain, helpers, board, manager })
}

/// What to do with a fresh installation, which has not seen a database yet.
fn first_steps(file: &Path) -> String {
    format!(
        "to set it up: put your brokers and servers into {}, look at it with `fieldgate check`, make the tables with `fieldgate db schema`, then restart",
        file.display()
    )
}

/// How far earlier runs saw each stream in a source; what is kept after delivery does not wait for one.
fn delivered_before(reader: &Reader, memory: &Memory) -> BTreeMap<StreamId, u64> {
    reader.known_streams().iter().map(|known| (known.stream, memory.delivered(known.stream))).collect()
}

/// Hands the gaps of the time without a gateway to the queue, before any source can bring something newer.
fn tell_absence(config: &Config, reader: &Reader, outlet: &Outlet, now_us: i64) -> Result<(), Trouble> {
    let newest = reader.newest_first().next().transpose()?;
    let last_us =
        newest.and_then(|frame| i64::try_from(frame.written_ms.saturating_mul(1000)).ok()).filter(|us| *us > 0);
    for (gap, shared) in absence::gaps(config, last_us, now_us) {
        if !outlet.clone().shared(shared).try_send(Arrival::of(Content::Gap(gap)), 1) {
            warn!(
                "more nodes than the way to the queue has room for: not every gap of the time without a gateway is told"
            );
        }
    }
    Ok(())
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
        account: crate::database::Account::configured(config, password),
        deadlines: crate::command::deadlines(config),
        site: config.gateway.site.to_string(),
        gateway: config.gateway.id.to_string(),
        keep_until: mysql.keep_until_replicas,
        routes: config.routes.clone(),
    }
}

fn start_probes(
    config: &Config,
    settings: &Settings,
    origins: &watch::Receiver<Arc<Origins>>,
    look: &Arc<Notify>,
) -> (Vec<JoinHandle<()>>, watch::Receiver<Vec<View>>) {
    let unasked = settings.servers.iter().map(|server| View::unasked(server.to_string())).collect();
    let (sender, views) = watch::channel(unasked);
    let probes = (0..settings.servers.len()).filter_map(|index| {
        let probe = Probe::of(config, &settings.account, index, origins.clone(), Arc::clone(look))?;
        #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
        let task = tokio::spawn(probe.run(sender.clone()));
        Some(task)
    });
    (probes.collect(), views)
}

/// Before the first look at the servers only the file knows the highest term.
fn drain_state_of(memory: &Memory) -> DrainState {
    DrainState { highest_term: memory.servers.highest_term, ..DrainState::default() }
}

/// Lets another server become the source, where that is ours to do.
fn start_promoter(
    config: &Config,
    password: Option<String>,
    (views, look): (&watch::Receiver<Vec<View>>, &Arc<Notify>),
    told: &watch::Sender<DrainState>,
    clock: &Arc<dyn SampleClock>,
) -> Option<JoinHandle<()>> {
    if config.mysql.failover != Failover::Promote {
        return None;
    }
    let promoter = Promoter {
        account: crate::promotion::account(config, password)?,
        rules: Rules::of(config)?,
        config: config.clone(),
        views: views.clone(),
        look: Arc::clone(look),
        told: told.clone(),
        clock: Arc::clone(clock),
    };
    #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
    let task = tokio::spawn(promoter.run());
    Some(task)
}

/// Other commands can look into the queue; without the socket the gateway works all the same.
fn start_local(state: &Path, desk: &Desk) -> Vec<JoinHandle<()>> {
    match local::listen(state) {
        Ok(listener) => {
            let listener = Arc::new(listener);
            let serve = || local::serve(Arc::clone(&listener), desk.clone());
            #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
            std::iter::repeat_with(|| tokio::spawn(serve())).take(local::MOST_AT_ONCE).collect()
        }
        Err(error) => {
            warn!("no socket for other commands in {}: {error}", state.display());
            Vec::new()
        }
    }
}

fn room_rule(config: &Config, folder: PathBuf, disk: Disk) -> RoomRule {
    RoomRule {
        when_full: config.queue.when_full,
        max_bytes: disk.max_bytes(&config.queue),
        reserve_bytes: disk.reserve_bytes(&config.queue),
        // A disk that does not say what is free is no reason to drop readings: if it is full the queue refuses them.
        free_bytes: Box::new(move || Disk::look(&folder).map_or(u64::MAX, |disk| disk.free)),
    }
}

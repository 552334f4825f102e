//! Starts what makes this gateway one of two: its links, the loop of its role, and what the drain and the sources need of
//! them.

use super::Trouble;
use crate::drain::group::{Group, Listening, Sources};
use crate::standby::beat::FRAME_BYTES;
use crate::standby::book::{Book, Remembered};
use crate::standby::ends::LinkName;
use crate::standby::inputs::{Ask, GroupView, Marks};
use crate::standby::link::{Configured, Link, NEWS_WAITING, Reporter};
use crate::standby::role::Role;
use crate::standby::state::StandbyState;
use crate::standby::turns::{RoleTurns, Takeover};
use crate::standby::verdict::EDGE_US;
use crate::standby::watch::Watch;
use crate::status::IntakeState;
use config::{Config, NodeId, WhileStandby};
use queue::Reader;
use sensors::{Arrival, Content, Gap, Meter, Outlet, SampleClock, Turn};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::interval;

/// Requests of people on their way to the loop.
const ASKS_WAITING: usize = 8;
/// Takeovers on their way to the queue.
const TAKEOVERS_WAITING: usize = 4;
/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A process that is later than this stood still. What it hears then has a stamp that is as late: no more than two gateways
/// that listen may differ by.
const STOOD_STILL_US: u64 = EDGE_US.unsigned_abs();

/// Before the sources are there.
pub struct Begun {
    settings: config::Standby,
    book: Book,
    /// For the sources that only one gateway at a time may ask.
    pub turn: Turn,
}

impl Begun {
    /// None for a gateway alone.
    ///
    /// # Errors
    /// [`Trouble::StateFolder`].
    pub fn open(config: &Config, state: &Path) -> Result<Option<Self>, Trouble> {
        let Some(settings) = config.standby.clone() else { return Ok(None) };
        Ok(Some(Self { settings, book: open_book(state)?, turn: Turn::new() }))
    }
}

fn open_book(state: &Path) -> Result<Book, Trouble> {
    Book::open(state).map_err(|source| Trouble::StateFolder { folder: state.to_owned(), source })
}

/// What it is made of.
pub struct Material<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// One for each source.
    pub meters: Vec<Meter>,
    /// From the intake.
    pub intake: watch::Receiver<IntakeState>,
    /// The way to the queue.
    pub outlet: Outlet,
    /// The queue.
    pub reader: &'c Reader,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// True once the gateway stops.
    pub stop: watch::Receiver<bool>,
}

/// One of two, and running; or nothing of it, for a gateway alone.
#[derive(Default)]
pub struct Pair {
    /// For the drain.
    pub group: Option<Group>,
    /// What people ask.
    pub asks: Option<mpsc::Sender<Ask>>,
    /// What people see.
    pub shown: Option<watch::Receiver<StandbyState>>,
    /// Its tasks, which run until the gateway stops.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Starts the links and the loop.
///
/// # Errors
/// [`Trouble`] when the queue cannot be read.
pub fn start(begun: Begun, material: Material<'_>) -> Result<Pair, Trouble> {
    let Begun { settings, book, turn } = begun;
    let Material { config, meters, intake, outlet, reader, clock, stop } = material;
    let (tell_shown, shown) = watch::channel(StandbyState::default());
    let (tell_database, database) = watch::channel(GroupView::default());
    let (tell_marks, marks) = watch::channel(Marks::default());
    let (asks, asked) = mpsc::channel(ASKS_WAITING);
    let (tell_takeovers, takeovers) = mpsc::channel(TAKEOVERS_WAITING);
    let (tell_news, news) = mpsc::channel(NEWS_WAITING);
    let (outgoing, frames) = watch::channel([0; FRAME_BYTES]);
    let mut tasks = Vec::new();
    let mut links = Vec::new();
    for (index, link) in settings.links.iter().map(Configured::from).enumerate() {
        links.push(LinkName { name: link.name(), witness: link.is_witness() });
        tasks.push(spawn(link.run(frames.clone(), Reporter::new(index, tell_news.clone()))));
    }
    let listening = listening(config, &book, reader)?;
    let reached = Arc::new(AtomicI64::new(0));
    let turns = RoleTurns {
        shown: shown.clone(),
        database: tell_database,
        reached: Arc::clone(&reached),
        moved_us: AtomicI64::new(0),
        takeovers: tell_takeovers,
        silence_ms: u64::try_from(settings.silence.as_millis()).unwrap_or(u64::MAX),
        clock: Arc::clone(&clock),
    };
    let names = (config.gateway.site.to_string(), config.gateway.id.to_string());
    let changed = Arc::new(Notify::new());
    let sources = (Arc::clone(&listening), meters.clone());
    let group = Group::new((&names.0, &names.1), Box::new(turns), sources, Arc::clone(&changed));
    let watch = Watch {
        settings,
        names,
        start: rand::random(),
        first_term: book.remembered().term,
        links,
        news,
        outgoing,
        asks: asked,
        database,
        marks,
        grant: Box::new(move |until| until.map_or_else(|| turn.withdraw(), |until_us| turn.grant_until(until_us))),
        shown: tell_shown,
        clock: Arc::clone(&clock),
        stop: stop.clone(),
    };
    tasks.push(spawn(watch.run()));
    tasks.push(spawn(wake_drain(shown.clone(), changed)));
    let told_at = Arc::clone(&clock);
    let keeper = Keeper { meters, listening, book, intake, reached, shown: shown.clone(), marks: tell_marks, clock };
    tasks.push(spawn(keeper.run()));
    tasks.push(spawn(name_what_is_missing(config.clone(), takeovers, outlet, told_at, stop)));
    Ok(Pair { group: Some(group), asks: Some(asks), shown: Some(shown), tasks })
}

/// The sources that both gateways hear, with the breaks of earlier runs.
fn listening(config: &Config, book: &Book, reader: &Reader) -> Result<Arc<Mutex<Listening>>, Trouble> {
    let newest = reader.newest_first().next().transpose()?;
    let ran_until_us = newest.and_then(|frame| i64::try_from(frame.written_ms.saturating_mul(1000)).ok()).unwrap_or(0);
    let listening = Listening::new(shared_sources(config), book.remembered().breaks.clone(), ran_until_us);
    Ok(Arc::new(Mutex::new(listening)))
}

/// For what this gateway collected as one of two, where it is that no more.
///
/// # Errors
/// [`Trouble::StateFolder`].
pub fn former(config: &Config, state: &Path) -> Result<Option<Group>, Trouble> {
    if config.standby.is_some() {
        return Ok(None);
    }
    // Nothing new is heard as one of two, so only the breaks of before count.
    let sources = Sources { wires: by_meter(wires(config)), ..Sources::default() };
    let listening = Listening::new(sources, open_book(state)?.remembered().breaks.clone(), 0);
    Ok(Some(Group::former((config.gateway.site.as_str(), config.gateway.id.as_str()), listening)))
}

fn shared_sources(config: &Config) -> Sources {
    let brokers = config.mqtt.iter().map(|it| (it.broker.to_string(), it.while_standby, Vec::new()));
    let shared = brokers.chain(wires(config)).filter(|(_, while_standby, _)| while_standby.is_shared());
    Sources { nodes: by_meter(shared), wires: by_meter(wires(config)) }
}

/// A source's meter, what it does while this gateway stands by, and its nodes.
type Source = (String, WhileStandby, Vec<String>);

fn wires(config: &Config) -> impl Iterator<Item = Source> + '_ {
    let ports =
        config.serial.iter().map(|it| (it.port.display().to_string(), it.while_standby, vec![it.node.to_string()]));
    let nodes = |bus: &config::I2c| bus.nodes.iter().map(|node| node.name.to_string()).collect();
    ports.chain(config.i2c.iter().map(move |it| (it.bus.display().to_string(), it.while_standby, nodes(it))))
}

fn by_meter(sources: impl Iterator<Item = Source>) -> BTreeMap<String, Vec<String>> {
    sources.map(|(meter, _, nodes)| (meter, nodes)).collect()
}

/// The drain looks at its turn as soon as that may have changed.
async fn wake_drain(mut shown: watch::Receiver<StandbyState>, changed: Arc<Notify>) {
    let mut before = (Role::Starting, 0);
    while shown.changed().await.is_ok() {
        let now = {
            let shown = shown.borrow_and_update();
            (shown.role, shown.term)
        };
        if std::mem::replace(&mut before, now) != now {
            changed.notify_one();
        }
    }
    std::future::pending::<()>().await;
}

/// Looks after what is remembered, and tells the beats how far the readings have come.
struct Keeper {
    meters: Vec<Meter>,
    listening: Arc<Mutex<Listening>>,
    book: Book,
    intake: watch::Receiver<IntakeState>,
    reached: Arc<AtomicI64>,
    shown: watch::Receiver<StandbyState>,
    marks: watch::Sender<Marks>,
    clock: Arc<dyn SampleClock>,
}

impl Keeper {
    async fn run(mut self) {
        let mut turns = interval(LOOK_EVERY);
        let mut before = self.clock.stamp();
        loop {
            turns.tick().await;
            let now = self.clock.stamp();
            let breaks = {
                let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
                let states: Vec<_> = self.meters.iter().map(Meter::state).collect();
                listening.look(&states, now.wall_us);
                if now.boottime_us.saturating_sub(before.boottime_us) > STOOD_STILL_US {
                    listening.stood_still(before.wall_us, now.wall_us);
                }
                listening.breaks().clone()
            };
            before = now;
            let term = u64::from(self.shown.borrow().term).max(self.book.remembered().term);
            self.book.keep(Remembered { term, breaks });
            self.tell_marks();
        }
    }

    fn tell_marks(&self) {
        let ms = |us: i64| u64::try_from(us / 1000).unwrap_or(0);
        let intake = *self.intake.borrow();
        self.marks.send_replace(Marks {
            durable_through_ms: ms(intake.heard_through_us),
            drained_through_ms: ms(self.reached.load(Ordering::Relaxed)),
            unwell: intake.full.is_some(),
        });
    }
}

/// After a takeover: what the other gateway read from the sources that only one may ask, and did not bring, is missing until
/// that one comes back.
async fn name_what_is_missing(
    config: Config,
    mut takeovers: mpsc::Receiver<Takeover>,
    outlet: Outlet,
    clock: Arc<dyn SampleClock>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let takeover = tokio::select! {
            Some(takeover) = takeovers.recv() => takeover,
            _ = stop.wait_for(|stop| *stop) => break,
            else => break,
        };
        for node in only_one_asks(&config) {
            let Some(from_us) = takeover.positions.get(node.as_str()).copied() else { continue };
            let gap = gap_of(&takeover, node, from_us, clock.stamp().wall_us);
            outlet.send(Arrival::of(Content::Gap(gap)), 1).await;
        }
    }
    // The way to the queue closes when nobody holds it any more.
    drop(outlet);
    std::future::pending::<()>().await;
}

fn only_one_asks(config: &Config) -> impl Iterator<Item = &NodeId> {
    let serial = config.serial.iter().filter(|it| it.while_standby == WhileStandby::Off).map(|it| &it.node);
    let buses = config.i2c.iter().filter(|it| it.while_standby == WhileStandby::Off);
    serial.chain(buses.flat_map(|it| it.nodes.iter().map(|node| &node.name)))
}

fn gap_of(takeover: &Takeover, node: &NodeId, from_us: i64, to_us: i64) -> Gap {
    let reason = format!(
        "{} was active and was not heard any more; what it read after this is on its disk, and comes if it returns",
        takeover.from
    );
    Gap { node: Some(node.clone()), channel: None, reason, from_us: Some(from_us), to_us: Some(to_us), count: None }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    #[allow(clippy::disallowed_methods, reason = "tasks are started in this folder only")]
    tokio::spawn(task)
}

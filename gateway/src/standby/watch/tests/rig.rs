//! Two gateways without their links: what one sends is given to the other, unless the test says otherwise.

use crate::standby::beat::Frame;
use crate::standby::ends::LinkName;
use crate::standby::inputs::{Ask, GroupView, Marks};
use crate::standby::link::{News, What};
use crate::standby::role::Role;
use crate::standby::situation::micros;
use crate::standby::state::StandbyState;
use crate::standby::watch::Watch;
use sensors::{ClockQuality, SampleClock, Stamp};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// The number of the link over a wire.
pub const BUS: usize = 0;
/// That of the network.
pub const UDP: usize = 1;

/// A machine that has run for a while.
const BOOTTIME_US: u64 = 500_000_000;
const WALL_US: i64 = 1_790_000_000_000_000;

pub async fn after(span: Duration) {
    sleep(span).await;
}

pub fn settings(priority: u8) -> config::Standby {
    let (beat, silence) = (Duration::from_secs(1), Duration::from_secs(3));
    config::Standby { priority, beat, silence, preempt: false, links: Vec::new() }
}

#[derive(Clone)]
struct Clock(Instant);

impl SampleClock for Clock {
    fn stamp(&self) -> Stamp {
        let boottime_us = BOOTTIME_US + micros(self.0.elapsed());
        let wall_us = WALL_US + i64::try_from(self.0.elapsed().as_micros()).unwrap();
        Stamp { boot: 1, boottime_us, wall_us, quality: ClockQuality::Synced, error_us: None }
    }
}

/// Holds up a future as SIGSTOP holds up a process.
#[derive(Clone, Default)]
struct Ice(Arc<Mutex<(bool, Option<Waker>)>>);

impl Ice {
    async fn around(self, future: impl Future<Output = ()> + Send) {
        let mut future: Pin<Box<_>> = Box::pin(future);
        poll_fn(move |context| {
            {
                let mut state = self.0.lock().unwrap();
                if state.0 {
                    state.1 = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
            future.as_mut().poll(context)
        })
        .await;
    }

    fn set(&self, frozen: bool) {
        let mut state = self.0.lock().unwrap();
        state.0 = frozen;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

/// One gateway, from outside.
pub struct Gateway {
    pub outgoing: watch::Receiver<Frame>,
    pub asks: mpsc::Sender<Ask>,
    pub database: watch::Sender<GroupView>,
    pub marks: watch::Sender<Marks>,
    pub stop: watch::Sender<bool>,
    news: mpsc::Sender<News>,
    shown: watch::Receiver<StandbyState>,
    granted: Arc<Mutex<Option<u64>>>,
    last_beat: Arc<Mutex<Instant>>,
    changes: Arc<Mutex<Vec<Role>>>,
    ice: Ice,
    clock: Clock,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.die();
    }
}

#[allow(clippy::disallowed_methods, reason = "the test is what starts the loop")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

impl Gateway {
    fn start(id: &str, start: u32, settings: config::Standby) -> Self {
        let clock = Clock(Instant::now());
        let (news, told) = mpsc::channel(64);
        let (outgoing, frames) = watch::channel([0; 32]);
        let (asks, asked) = mpsc::channel(4);
        let (database, view) = watch::channel(GroupView::default());
        let (marks, marked) = watch::channel(Marks::default());
        let (stop, stopped) = watch::channel(false);
        let (shows, shown) = watch::channel(StandbyState::default());
        let granted = Arc::new(Mutex::new(None));
        let grant = Arc::clone(&granted);
        let link = |(name, witness): (&str, bool)| LinkName { name: name.to_owned(), witness };
        let looped = Watch {
            settings,
            names: ("barn".to_owned(), id.to_owned()),
            start,
            first_term: 0,
            links: [("wire", false), ("network", true)].map(link).to_vec(),
            news: told,
            outgoing,
            asks: asked,
            database: view,
            marks: marked,
            grant: Box::new(move |lease_us| *grant.lock().unwrap() = lease_us),
            shown: shows,
            clock: Arc::new(clock.clone()),
            stop: stopped,
        };
        let ice = Ice::default();
        let last_beat = Arc::new(Mutex::new(Instant::now()));
        let changes = Arc::new(Mutex::new(Vec::new()));
        let tasks = vec![
            spawn(ice.clone().around(looped.run())),
            spawn(note_beats(frames.clone(), Arc::clone(&last_beat))),
            spawn(note_roles(shown.clone(), Arc::clone(&changes))),
        ];
        let outgoing = frames;
        let gateway =
            Self { outgoing, asks, database, marks, stop, news, shown, granted, last_beat, changes, ice, clock, tasks };
        gateway.tell(BUS, What::Up);
        gateway
    }

    pub fn state(&self) -> StandbyState {
        self.shown.borrow().clone()
    }

    /// Every role it has had after the first.
    pub fn changes(&self) -> Vec<Role> {
        self.changes.lock().unwrap().clone()
    }

    pub fn lease(&self) -> Option<u64> {
        *self.granted.lock().unwrap()
    }

    pub fn last_beat(&self) -> Instant {
        *self.last_beat.lock().unwrap()
    }

    pub async fn first_beat(&self) -> Frame {
        let mut outgoing = self.outgoing.clone();
        *outgoing.wait_for(|frame| *frame != [0; 32]).await.unwrap()
    }

    pub fn now_us(&self) -> u64 {
        self.clock.stamp().boottime_us
    }

    pub fn wall_ms(&self) -> i64 {
        self.clock.stamp().wall_us / 1000
    }

    /// A link of it tells something.
    pub fn tell(&self, link: usize, what: What) {
        // Without room it is lost, as a link loses it.
        let _ = self.news.try_send(News { link, what });
    }

    /// A link of it brings these bytes.
    pub fn say(&self, link: usize, bytes: &[u8]) {
        self.tell(link, What::Bytes { bytes: bytes.to_vec(), age: Duration::ZERO });
    }

    pub fn freeze(&self) {
        self.ice.set(true);
    }

    pub fn thaw(&self) {
        self.ice.set(false);
    }

    /// SIGKILL.
    pub fn die(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    pub async fn ends(&mut self) {
        tokio::time::timeout(Duration::from_secs(1), &mut self.tasks[0]).await.unwrap().unwrap();
    }
}

async fn note_beats(mut frames: watch::Receiver<Frame>, last: Arc<Mutex<Instant>>) {
    while frames.changed().await.is_ok() {
        *last.lock().unwrap() = Instant::now();
    }
}

async fn note_roles(mut shown: watch::Receiver<StandbyState>, changes: Arc<Mutex<Vec<Role>>>) {
    let mut before = Role::Starting;
    while shown.changed().await.is_ok() {
        let role = shown.borrow_and_update().role;
        if std::mem::replace(&mut before, role) != role {
            changes.lock().unwrap().push(role);
        }
    }
}

/// One way from one gateway to the other.
#[derive(Clone, Default)]
pub struct Way(Arc<Mutex<Loss>>);

#[derive(Clone, Copy, Default)]
struct Loss {
    cut: bool,
    every_other: bool,
    lost_last: bool,
}

impl Way {
    pub fn cut(&self, cut: bool) {
        self.0.lock().unwrap().cut = cut;
    }

    pub fn lose_every_other(&self) {
        self.0.lock().unwrap().every_other = true;
    }

    fn loses(&self) -> bool {
        let mut loss = self.0.lock().unwrap();
        loss.lost_last = loss.every_other && !loss.lost_last;
        loss.cut || loss.lost_last
    }

    fn join(&self, from: &Gateway, to: &Gateway, link: usize) -> JoinHandle<()> {
        let (way, mut frames, news) = (self.clone(), from.outgoing.clone(), to.news.clone());
        spawn(async move {
            while frames.changed().await.is_ok() {
                let bytes = frames.borrow_and_update().to_vec();
                if !way.loses() {
                    let _ = news.try_send(News { link, what: What::Bytes { bytes, age: Duration::ZERO } });
                }
            }
        })
    }
}

/// `barn-1`, which goes first, and `barn-2`.
pub struct Pair {
    pub a: Gateway,
    pub b: Gateway,
    pub to_a: Way,
    pub to_b: Way,
    pub network: Way,
    ways: Vec<JoinHandle<()>>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.ways.iter().for_each(JoinHandle::abort);
    }
}

impl Pair {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl Fn(&mut config::Standby)) -> Self {
        let start = |id, start, priority| {
            let mut settings = settings(priority);
            change(&mut settings);
            Gateway::start(id, start, settings)
        };
        let (a, b) = (start("barn-1", 11, 1), start("barn-2", 22, 2));
        let (to_a, to_b, network) = (Way::default(), Way::default(), Way::default());
        let ways = vec![to_a.join(&b, &a, BUS), to_b.join(&a, &b, BUS)];
        Self { a, b, to_a, to_b, network, ways }
    }

    pub fn with_network() -> Self {
        let mut pair = Self::start();
        for (from, to) in [(&pair.a, &pair.b), (&pair.b, &pair.a)] {
            to.tell(UDP, What::Up);
            pair.ways.push(pair.network.join(from, to, UDP));
        }
        pair
    }

    pub fn roles(&self) -> (Role, Role) {
        (self.a.state().role, self.b.state().role)
    }
}

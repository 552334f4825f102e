//! The intake over a real queue, on a disk of which the test says what is free and whether the queue can write.

use config::{Commit, WhenFull};
use gateway::intake::{Intake, Quotas, RoomRule, RoomWatch, TrimRule, Untold, WritingEnd};
use gateway::origin::OriginBook;
use gateway::pulse::Pulse;
use gateway::status::IntakeState;
use queue::{Appended, Dropped, Kind, QueueError, Reader, StreamId, TakenIn, Unit, Writer};
use sensors::{Arrival, ClockQuality, Content, Gap, ManualClock, Outlet, Reading, Stamp, Ticket, Value};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// Nothing that is waited for takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// The least that can be configured, and twice what the newest frames, which always stay, can take.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Nothing becomes so old here that it would leave for its age.
const KEEP: Duration = Duration::from_secs(86_400);
/// More than is ever sent here.
const MOST_TICKETS: usize = 100_000;

/// The disk, as the test wants it to be.
pub struct Disk {
    free: AtomicU64,
    refuses: AtomicBool,
    refused: AtomicU64,
}

impl Disk {
    /// One with so many bytes free.
    pub fn of(free: u64) -> Arc<Self> {
        Arc::new(Self { free: free.into(), refuses: false.into(), refused: 0.into() })
    }

    /// So many bytes are free from now on.
    pub fn free(&self, bytes: u64) {
        self.free.store(bytes, Ordering::SeqCst);
    }

    /// Whether the queue has no room to write from now on.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// How many appends were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    /// Returns when so many were.
    pub async fn wait_refused(&self, count: u64) {
        let enough = async {
            while self.refused() < count {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(PATIENCE, enough).await.is_ok(), "{count} appends refused");
    }
}

/// A writer on such a disk.
struct OnDisk {
    writer: Writer,
    disk: Arc<Disk>,
}

impl WritingEnd for OnDisk {
    fn append(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        if self.disk.refuses.load(Ordering::SeqCst) {
            self.disk.refused.fetch_add(1, Ordering::SeqCst);
            return Err(QueueError::Full { path: PathBuf::from("/queue"), free_bytes: 0 });
        }
        self.writer.append(units, written_ms)
    }

    fn append_from_reserve(&mut self, units: &[Unit], written_ms: u64) -> Result<Appended, QueueError> {
        self.append(units, written_ms)
    }

    fn trim(&mut self, stream: StreamId, through: u64) -> Result<u64, QueueError> {
        self.writer.trim(stream, through)
    }

    fn drop_oldest(&mut self) -> Result<Option<Dropped>, QueueError> {
        self.writer.drop_oldest()
    }

    fn take_in(&mut self, import: &Path) -> Result<TakenIn, QueueError> {
        self.writer.take_in(import)
    }

    fn begin_stream(&mut self) -> Result<StreamId, QueueError> {
        self.writer.begin_stream()
    }

    fn live_bytes(&self) -> u64 {
        self.writer.live_bytes()
    }

    fn close(self) -> Result<(), QueueError> {
        self.writer.close()
    }
}

pub struct Rig {
    pub stream: StreamId,
    pub clock: Arc<ManualClock>,
    pub state: watch::Receiver<IntakeState>,
    pub leave: watch::Sender<Arc<BTreeMap<StreamId, u64>>>,
    outlet: Outlet,
    tickets: mpsc::Receiver<Ticket>,
    reader: Reader,
    thread: JoinHandle<()>,
    _folder: TempDir,
}

/// What is in the queue at the end.
pub struct Found {
    pub readings: u64,
    pub gaps: Vec<Gap>,
    /// The last number.
    pub last: u64,
    /// Readings dropped, by the last state that was told.
    pub dropped: u64,
}

impl Found {
    /// Readings counted by gaps.
    pub fn counted(&self) -> u64 {
        self.gaps.iter().filter_map(|gap| gap.count).sum()
    }
}

fn stamp() -> Stamp {
    let wall_us = 1_800_000_000_000_000;
    Stamp { boot: 1, boottime_us: 1, wall_us, quality: ClockQuality::Synced, error_us: None }
}

/// Letters that no compression packs into less than three quarters, by a generator of pseudo-random numbers.
fn note() -> String {
    static STATE: AtomicU64 = AtomicU64::new(1);
    let letter = |_| {
        let state = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        char::from(b' ' + u8::try_from(mixed >> 58).unwrap())
    };
    (0..2000).map(letter).collect()
}

fn reading() -> Reading {
    Reading {
        node: "silo".to_owned().try_into().unwrap(),
        channel: "note".to_owned().try_into().unwrap(),
        unit: None,
        value: Ok(Value::Text(note())),
        raw: None,
        stamp: stamp(),
        node_seq: None,
        node_time_us: None,
    }
}

impl Rig {
    /// On a disk with room for everything.
    pub fn start(when_full: WhenFull) -> Self {
        Self::start_on(when_full, Disk::of(u64::MAX), 0)
    }

    pub fn start_on(when_full: WhenFull, disk: Arc<Disk>, reserve_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let opened = queue::open(folder.path()).unwrap();
        let (outlet, arrivals) = Outlet::new(64, 1024 * 1024);
        let (tell, state) = watch::channel(IntakeState::default());
        let (leave, may_leave) = watch::channel(Arc::new(BTreeMap::new()));
        let (acknowledge, tickets) = mpsc::channel(MOST_TICKETS);
        let (reader, stream) = (opened.reader.clone(), opened.stream);
        let clock = Arc::new(ManualClock::new(stamp()));
        let asked = Arc::clone(&disk);
        let free_bytes = Box::new(move || asked.free.load(Ordering::SeqCst));
        let intake = Intake {
            writer: OnDisk { writer: opened.writer, disk },
            reader: opened.reader,
            queue_folder: folder.path().to_owned(),
            imports: mpsc::channel(1).1,
            begins: mpsc::channel(1).1,
            origins: OriginBook::open(folder.path(), ("barn-1", "barn"), &[]).unwrap(),
            arrivals,
            acknowledged: vec![acknowledge],
            state: tell,
            pulse: Pulse::default(),
            leave: may_leave,
            clock: Arc::<ManualClock>::clone(&clock),
            commit: Commit::Fast,
            quotas: Quotas::new(NonZeroU32::MAX),
            rule: TrimRule { keep: KEEP },
            room: RoomWatch::new(RoomRule { when_full, max_bytes: MAX_BYTES, reserve_bytes, free_bytes }),
            untold: Untold::default(),
        };
        let thread = std::thread::spawn(move || intake.run().unwrap());
        Self { stream, clock, state, leave, outlet, tickets, reader, thread, _folder: folder }
    }

    /// Hands over a reading that a broker would hold; true when it was taken.
    pub async fn send(&self) -> bool {
        self.hand_over(Some(Ticket { source: 0, connection: 1, packet: 1 })).await
    }

    async fn hand_over(&self, ticket: Option<Ticket>) -> bool {
        let arrival = Arrival { ticket, ..Arrival::of(Content::Readings(vec![reading()])) };
        timeout(PATIENCE, self.outlet.send(arrival, 2000)).await.is_ok_and(|taken| taken)
    }

    /// Sends readings that nobody holds until no more are taken for a while; how many were taken.
    pub async fn fill(&self) -> u64 {
        let mut taken = 0;
        while timeout(Duration::from_millis(500), self.hand_over(None)).await.is_ok_and(|taken| taken) {
            taken += 1;
        }
        taken
    }

    /// Sends until the state is as wanted; how many were taken.
    pub async fn send_until(&self, wanted: impl Fn(&IntakeState) -> bool) -> u64 {
        let mut taken = 0;
        while !wanted(&self.state.borrow()) {
            assert!(self.send().await, "the {taken}th is not taken: {:?}", *self.state.borrow());
            taken += 1;
            assert!(taken < 20_000, "{:?}", *self.state.borrow());
        }
        taken
    }

    /// Returns when the state is as wanted.
    pub async fn wait(&mut self, what: &str, wanted: impl FnMut(&IntakeState) -> bool) {
        let found = timeout(PATIENCE, self.state.wait_for(wanted)).await.is_ok_and(|found| found.is_ok());
        assert!(found, "{what}: {:?}", *self.state.borrow());
    }

    /// Returns when everything that was heard up to this moment is durable. Nobody is woken by that.
    pub async fn heard_through(&self, wall_us: i64) {
        let heard = async {
            while self.state.borrow().heard_through_us < wall_us {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(PATIENCE, heard).await.is_ok(), "{:?}", *self.state.borrow());
    }

    /// How many are acknowledged and have not been waited for.
    pub fn acknowledged(&self) -> usize {
        self.tickets.len()
    }

    /// Returns when so many are acknowledged.
    pub async fn wait_acknowledged(&mut self, count: u64) {
        for number in 0..count {
            let ticket = timeout(PATIENCE, self.tickets.recv()).await;
            assert!(ticket.is_ok_and(|ticket| ticket.is_some()), "{number} of {count} are acknowledged");
        }
    }

    /// Closes the sources; returns when the intake has ended.
    pub fn stop(self) -> Found {
        drop(self.outlet);
        self.thread.join().unwrap();
        let records = self.reader.read(self.stream, 1, usize::MAX, usize::MAX).unwrap();
        let of = |kind: Kind| records.iter().filter(move |item| item.record.kind == kind);
        Found {
            readings: of(Kind::READING).count() as u64,
            gaps: of(Kind::GAP).map(|item| Gap::from_bytes(&item.record.body).unwrap()).collect(),
            last: records.last().map_or(0, |item| item.seq),
            dropped: self.state.borrow().dropped,
        }
    }
}

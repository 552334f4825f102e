//! The one writer of the queue: gather, append, sync, and only then release the acknowledgements.
//!
//! A thread of its own, since syncing a card blocks. It also trims, so that nobody else writes.

mod begin;
mod commit;
mod gather;
mod group;
mod heard;
mod import;
mod quota;
mod room;
mod step;
mod stop;
mod trim;
mod units;
mod untold;
mod writing;

use crate::drain::Leave;
use crate::origin::OriginBook;
use crate::pulse::Pulse;
use crate::status::IntakeState;
use config::Commit;
use group::Group;
use queue::pressure::Pressure;
use queue::{QueueError, Writer};
use sensors::{Arrival, SampleClock, Ticket};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use step::{Outcome, Step, step};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

pub use begin::BeginStream;
pub use import::{Import, bytes_in};
pub use quota::Quotas;
pub use room::{RoomRule, RoomWatch};
pub use trim::TrimRule;
pub use untold::Untold;
pub use writing::WritingEnd;

/// While nothing is taken, how often to look whether there is room again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What ends the intake for good.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// The queue cannot be written.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The thread cannot have timers.
    #[error("cannot start the intake: {0}")]
    Runtime(#[from] io::Error),
}

/// Everything the intake thread owns.
pub struct Intake<W: WritingEnd = Writer> {
    /// The queue.
    pub writer: W,
    /// The same queue, for reading what may be trimmed.
    pub reader: queue::Reader,
    /// The queue's folder.
    pub queue_folder: PathBuf,
    /// What other commands want taken in.
    pub imports: mpsc::Receiver<Import>,
    /// The drain wants a new stream for what comes in from now on.
    pub begins: mpsc::Receiver<BeginStream>,
    /// Which gateway made what is in the queue.
    pub origins: OriginBook,
    /// What the sources bring.
    pub arrivals: mpsc::Receiver<Arrival>,
    /// Where to give back the right to acknowledge, by source.
    pub acknowledged: Vec<mpsc::Sender<Ticket>>,
    /// Tells the drain, and people, that something became durable.
    pub state: watch::Sender<IntakeState>,
    /// Beats at every turn.
    pub pulse: Pulse,
    /// What may leave the queue.
    pub leave: watch::Receiver<Leave>,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// How to group.
    pub commit: Commit,
    /// What one node may bring.
    pub quotas: Quotas,
    /// What stays although it may leave.
    pub rule: TrimRule,
    /// How much there may be at all.
    pub room: RoomWatch,
    /// What was dropped, until a gap says so.
    pub untold: Untold,
}

impl<W: WritingEnd> Intake<W> {
    /// Runs until all sources have gone and everything they brought is durable, or named by a gap.
    ///
    /// # Errors
    /// [`IntakeError`]; a failed sync is final, since nobody knows then what the disk holds. A full disk is none.
    pub fn run(mut self) -> Result<(), IntakeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let limits = gather::Limits::for_commit(self.commit);
        let mut held: Option<Group> = None;
        loop {
            self.pulse.beat();
            self.tell();
            if self.must_wait(held.as_ref()) {
                // The sources wait, and so does the broker, which keeps what it has not delivered.
                // Made within the runtime: a timer outside of one has no clock.
                runtime.block_on(async { tokio::time::sleep(LOOK_EVERY).await });
                held = held.take().map_or(Ok(None), |group| self.commit(group))?;
            } else {
                match runtime.block_on(gather::gather(&mut self.arrivals, &limits, self.clock.as_ref())) {
                    gather::Gathered::Some(arrivals, empty_at_us) => held = self.take(arrivals, empty_at_us)?,
                    gather::Gathered::End => break,
                }
            }
            self.trim()?;
            self.import()?;
            self.begin_stream()?;
            if self.must_wait(held.as_ref()) && self.arrivals.is_closed() {
                self.refuse_rest(held.take());
                break;
            }
        }
        self.finish()
    }

    /// Whether nothing more may be taken now.
    fn must_wait(&mut self, held: Option<&Group>) -> bool {
        held.is_some() || self.next_step(Outcome::Untried) == Step::Wait
    }

    fn next_step(&mut self, outcome: Outcome) -> Step {
        let pressure = self.look();
        step(self.room.when_full(), pressure, outcome)
    }

    fn look(&mut self) -> Pressure {
        self.room.look(self.writer.live_bytes(), self.clock.stamp())
    }

    fn take(&mut self, arrivals: Vec<Arrival>, empty_at_us: Option<i64>) -> Result<Option<Group>, QueueError> {
        let mut group = Group::admit(arrivals, &mut self.quotas);
        group.empty_at_us = empty_at_us;
        let now = self.clock.stamp();
        self.untold.owe(self.quotas.due(now), self.room.cause(), now);
        self.commit(group)
    }

    fn tell(&mut self) {
        self.look();
        let (pressure, full) = self.room.shown();
        let now = IntakeState {
            durable: self.state.borrow().durable,
            live_bytes: self.writer.live_bytes(),
            is_pressed: pressure != Pressure::Normal,
            full,
            dropped: self.room.dropped(),
            over_quota: self.quotas.dropped(),
            heard_through_us: self.state.borrow().heard_through_us,
        };
        self.state.send_if_modified(|state| std::mem::replace(state, now) != now);
    }

    /// Removes what may leave; true when it removed anything.
    fn trim(&mut self) -> Result<bool, QueueError> {
        let leave = Arc::clone(&self.leave.borrow());
        let now_ms = self.clock.stamp().wall_us / 1000;
        let is_pressed = |live_bytes| self.room.is_pressed(live_bytes);
        match self.rule.trim(&mut self.writer, &self.reader, &leave, now_ms, is_pressed) {
            // It may need a few bytes itself; the next turn tries again.
            Err(error) if error.is_full_disk() => Ok(false),
            trimmed => trimmed,
        }
    }
}

//! The one writer of the queue: gather, append, sync, and only then release the acknowledgements.
//!
//! A thread of its own, since syncing a card blocks. It also trims, so that nobody else writes.

mod gather;
mod import;
mod quota;
mod trim;

use crate::drain::Leave;
use crate::origin::OriginBook;
use crate::pulse::Pulse;
use crate::status::IntakeState;
use config::Commit;
use queue::{Kind, QueueError, Record, Unit, Writer};
use sensors::reading::WireError;
use sensors::{Arrival, Content, Gap, SampleClock, Ticket};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tracing::error;

pub use import::{Import, bytes_in};
pub use quota::Quotas;
pub use trim::TrimRule;

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
pub struct Intake {
    /// The queue.
    pub writer: Writer,
    /// The same queue, for reading what may be trimmed.
    pub reader: queue::Reader,
    /// The queue's folder.
    pub queue_folder: PathBuf,
    /// What other commands want taken in.
    pub imports: mpsc::Receiver<Import>,
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
    /// What stays although it may leave, and how much there may be at all.
    pub rule: TrimRule,
}

impl Intake {
    /// Runs until all sources have gone and everything they brought is durable.
    ///
    /// # Errors
    /// [`IntakeError`]; a failed sync is final, since nobody knows then what the disk holds.
    pub fn run(mut self) -> Result<(), IntakeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let limits = gather::Limits::for_commit(self.commit);
        let mut full = false;
        loop {
            self.pulse.beat();
            self.rule.tell_if_changed(&mut full, self.writer.live_bytes());
            self.tell(full);
            if full {
                // The sources wait, and so does the broker, which keeps what it has not delivered.
                // Made within the runtime: a timer outside of one has no clock.
                runtime.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
            } else {
                match runtime.block_on(gather::gather(&mut self.arrivals, &limits)) {
                    gather::Gathered::Group(group) => self.commit(group)?,
                    gather::Gathered::Nothing => self.commit(Vec::new())?,
                    gather::Gathered::End => break,
                }
            }
            self.trim()?;
            self.import(full)?;
            if full && self.arrivals.is_closed() {
                self.refuse_rest()?;
                break;
            }
        }
        let rest = self.quotas.rest();
        self.append(&gap_units(rest))?;
        self.writer.close()?;
        Ok(())
    }

    fn commit(&mut self, group: Vec<Arrival>) -> Result<(), IntakeError> {
        let mut units: Vec<Unit> =
            group.iter().filter(|arrival| is_admitted(&mut self.quotas, &arrival.content)).filter_map(unit).collect();
        units.extend(gap_units(self.quotas.due(self.clock.stamp())));
        self.append(&units)?;
        // Durable, or over the quota and counted: now, and only now, the nodes may hear of it.
        for ticket in group.iter().filter_map(|arrival| arrival.ticket) {
            if let Some(source) = self.acknowledged.get(ticket.source) {
                // An acknowledgement that does not fit is sent when the broker sends its message again.
                let _ = source.try_send(ticket);
            }
        }
        Ok(())
    }

    fn append(&mut self, units: &[Unit]) -> Result<(), QueueError> {
        if !units.is_empty() {
            let now_ms = u64::try_from(self.clock.stamp().wall_us / 1000).unwrap_or(0);
            let appended = self.writer.append(units, now_ms)?;
            self.state.send_modify(|state| state.durable = appended.last);
        }
        let over_quota = self.quotas.dropped();
        self.state.send_if_modified(|state| std::mem::replace(&mut state.over_quota, over_quota) != over_quota);
        Ok(())
    }

    /// The queue is full and the gateway stops. What waits was not acknowledged, so a broker keeps it; what came over a
    /// wire is lost and becomes a gap.
    fn refuse_rest(&mut self) -> Result<(), IntakeError> {
        let mut lost: u64 = 0;
        while let Ok(arrival) = self.arrivals.try_recv() {
            if arrival.ticket.is_none()
                && let Content::Readings(readings) = &arrival.content
            {
                lost = lost.saturating_add(u64::try_from(readings.len()).unwrap_or(u64::MAX));
            }
        }
        if lost == 0 {
            return Ok(());
        }
        let now_us = self.clock.stamp().wall_us;
        let reason = "the queue was full when the gateway stopped".to_owned();
        let gap = Gap { node: None, channel: None, reason, from_us: None, to_us: Some(now_us), count: Some(lost) };
        Ok(self.append(&gap_units(vec![gap]))?)
    }

    fn tell(&self, full: bool) {
        let live_bytes = self.writer.live_bytes();
        self.state.send_if_modified(|state| {
            let changed = (state.live_bytes, state.full) != (live_bytes, full);
            (state.live_bytes, state.full) = (live_bytes, full);
            changed
        });
    }

    fn trim(&mut self) -> Result<(), QueueError> {
        let leave = Arc::clone(&self.leave.borrow());
        let now_ms = self.clock.stamp().wall_us / 1000;
        self.rule.trim(&mut self.writer, &self.reader, &leave, now_ms)
    }
}

fn is_admitted(quotas: &mut Quotas, content: &Content) -> bool {
    match content {
        Content::Readings(readings) => quotas.admits(readings),
        Content::DeadLetter(_) | Content::Gap(_) | Content::AlreadyQueued => true,
    }
}

/// Gaps that the intake itself knows of.
fn gap_units(gaps: Vec<Gap>) -> Vec<Unit> {
    let arrival = |gap| Arrival { content: Content::Gap(gap), receipt: None, ticket: None, room: None };
    gaps.into_iter().filter_map(|gap| unit(&arrival(gap))).collect()
}

/// What an arrival leaves in the queue; none when it is there already.
fn unit(arrival: &Arrival) -> Option<Unit> {
    let mut records = match &arrival.content {
        Content::AlreadyQueued => return None,
        Content::Readings(readings) => {
            readings.iter().map(|reading| record(Kind::READING, reading.to_bytes())).collect()
        }
        Content::DeadLetter(letter) => vec![record(Kind::DEAD_LETTER, letter.to_bytes())],
        Content::Gap(gap) => vec![record(Kind::GAP, gap.to_bytes())],
    };
    if let Some(receipt) = &arrival.receipt {
        records.push(record(Kind::MQTT_RECEIPT, receipt.to_bytes()));
    }
    let whole: Result<Vec<Record>, WireError> = records.into_iter().collect();
    let unit = whole
        .map_err(|error| error.to_string())
        .and_then(|records| Unit::new(records).map_err(|error| error.to_string()));
    unit.or_else(|why| refused(&why)).ok()
}

fn record(kind: Kind, body: Result<Vec<u8>, WireError>) -> Result<Record, WireError> {
    body.map(|body| Record { kind, body })
}

/// The decoders bound everything, so this is a bug; what was lost by it is named all the same.
fn refused(why: &str) -> Result<Unit, String> {
    error!("readings could not be put into the queue: {why}");
    let gap = Gap {
        node: None,
        channel: None,
        reason: format!("could not be queued: {why}"),
        from_us: None,
        to_us: None,
        count: None,
    };
    let body = gap.to_bytes().map_err(|error| error.to_string())?;
    Unit::new(vec![Record { kind: Kind::GAP, body }]).map_err(|error| error.to_string())
}

//! Where the parts leave what they know, and how a snapshot is made of it.

use super::servers::states;
use super::{ClockState, DrainState, IntakeState, QueueState, ServerState, Snapshot};
use crate::standby::state::StandbyState;
use crate::topology::{Facts, View};
use queue::{QueueError, Reader, StreamId};
use sensors::{Meter, SampleClock, SourceState};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Per stream, how far it is known to be in a source.
pub type Delivered = BTreeMap<StreamId, u64>;

/// Receiving ends of everything the parts tell.
pub struct Board {
    /// This gateway and its site.
    pub identity: (String, String),
    /// The queue.
    pub reader: Reader,
    /// The limit of the queue.
    pub max_bytes: u64,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// Microseconds of CLOCK_BOOTTIME at the start.
    pub started_us: u64,
    /// One for each source.
    pub meters: Vec<Meter>,
    /// From the intake.
    pub intake: watch::Receiver<IntakeState>,
    /// From the drain.
    pub drain: watch::Receiver<DrainState>,
    /// From the drain.
    pub delivered: watch::Receiver<Delivered>,
    /// From the probes.
    pub views: watch::Receiver<Vec<View>>,
    /// What to do first, while no earlier run has seen a database.
    pub first_steps: Option<String>,
    /// From the loop of the role, where this gateway is one of two.
    pub standby: Option<watch::Receiver<StandbyState>>,
}

impl Board {
    /// Everything at this moment. Reads the queue, so not for a task that must not wait for the disk.
    ///
    /// # Errors
    /// [`QueueError`] when the queue cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, QueueError> {
        let (gateway, site) = &self.identity;
        let stamp = self.clock.stamp();
        let drain = self.drain.borrow().clone();
        Ok(Snapshot {
            gateway: gateway.clone(),
            site: site.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stream: self.reader.current().to_string(),
            running_s: stamp.boottime_us.saturating_sub(self.started_us) / 1_000_000,
            clock: ClockState { now_us: stamp.wall_us, quality: stamp.quality, error_us: stamp.error_us },
            sources: self.meters.iter().map(Meter::state).collect(),
            queue: self.queue(stamp.wall_us)?,
            servers: self.servers(&drain, stamp.wall_us),
            drain,
            standby: self.standby.as_ref().map(|shown| shown.borrow().clone()),
        })
    }

    fn servers(&self, drain: &DrainState, now_us: i64) -> Vec<ServerState> {
        let views = self.views.borrow();
        let lag = |facts: &Facts| drain.heartbeats.lag(|stream| facts.heartbeats.get(&stream).copied(), now_us);
        let lags: Vec<Option<Duration>> = views.iter().map(|view| view.facts().and_then(lag)).collect();
        states(&views, drain.source.as_deref(), &lags)
    }

    /// Readings that no source is known to have.
    ///
    /// # Errors
    /// [`QueueError`] when the queue cannot be read.
    pub fn waiting(&self) -> Result<u64, QueueError> {
        Ok(self.queue(0)?.waiting)
    }

    fn queue(&self, now_us: i64) -> Result<QueueState, QueueError> {
        let delivered = self.delivered.borrow().clone();
        let intake = *self.intake.borrow();
        let mut state = QueueState {
            durable: intake.durable,
            live_bytes: intake.live_bytes,
            max_bytes: self.max_bytes,
            pressed: intake.is_pressed,
            full: intake.full.is_some(),
            full_because: intake.full.map(|full| full.words()),
            dropped: intake.dropped,
            over_quota: intake.over_quota,
            damaged_places: self.reader.damaged_places(),
            ..QueueState::default()
        };
        for span in self.reader.spans() {
            let before = span.first.saturating_sub(1);
            let done = delivered.get(&span.stream).copied().unwrap_or(0).clamp(before, span.last);
            state.kept += done - before;
            state.waiting += span.last - done;
            if done < span.last && state.oldest_waiting_s.is_none() {
                state.oldest_waiting_s = self.age_s(span.stream, done.saturating_add(1), now_us)?;
            }
        }
        Ok(state)
    }

    fn age_s(&self, stream: StreamId, seq: u64, now_us: i64) -> Result<Option<u64>, QueueError> {
        let oldest = self.reader.read(stream, seq, 1, 1)?;
        let written_ms = oldest.first().map_or(0, |item| item.written_ms);
        let now_ms = u64::try_from(now_us / 1000).unwrap_or(0);
        Ok((written_ms > 0).then(|| now_ms.saturating_sub(written_ms) / 1000))
    }

    /// The most important of it in one line, without a look at the disk.
    pub fn line(&self) -> String {
        let sources: Vec<SourceState> = self.meters.iter().map(Meter::state).collect();
        super::text::line(*self.intake.borrow(), &self.drain.borrow(), &sources, self.first_steps.as_deref())
    }
}

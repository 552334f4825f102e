//! Where the parts leave what they know, and how a snapshot is made of it.

use super::{ClockState, DrainState, IntakeState, QueueState, ServerState, Snapshot};
use crate::topology::View;
use queue::{QueueError, Reader, StreamId};
use sensors::{Meter, SampleClock, SourceState};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Per stream, how far it is known to be in a source.
pub type Delivered = BTreeMap<StreamId, u64>;

/// Receiving ends of everything the parts tell.
pub struct Board {
    /// This gateway, its site and its stream.
    pub identity: (String, String, StreamId),
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
}

impl Board {
    /// Everything at this moment. Reads the queue, so not for a task that must not wait for the disk.
    ///
    /// # Errors
    /// [`QueueError`] when the queue cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, QueueError> {
        let (gateway, site, stream) = &self.identity;
        let stamp = self.clock.stamp();
        let drain = self.drain.borrow().clone();
        Ok(Snapshot {
            gateway: gateway.clone(),
            site: site.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stream: stream.to_string(),
            running_s: stamp.boottime_us.saturating_sub(self.started_us) / 1_000_000,
            clock: ClockState { now_us: stamp.wall_us, quality: stamp.quality, error_us: stamp.error_us },
            sources: self.meters.iter().map(Meter::state).collect(),
            queue: self.queue(stamp.wall_us)?,
            servers: servers(&self.views.borrow(), drain.source.as_deref()),
            drain,
        })
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

/// The servers as people see them.
fn servers(views: &[View], source: Option<&str>) -> Vec<ServerState> {
    let cursor = |view: &View| view.last_facts().map(|facts| facts.cursors.values().sum::<u64>());
    let most = views.iter().find(|view| Some(view.name.as_str()) == source).and_then(cursor);
    views.iter().map(|view| server(view, source, cursor(view), most)).collect()
}

fn server(view: &View, source: Option<&str>, cursor: Option<u64>, most: Option<u64>) -> ServerState {
    let mut state = ServerState { name: view.name.clone(), role: "away".to_owned(), cursor, ..ServerState::default() };
    state.behind = most.zip(cursor).map(|(most, cursor)| most.saturating_sub(cursor));
    let Some(facts) = view.facts() else {
        state.note = Some(view.trouble().to_owned());
        return state;
    };
    let role = if source == Some(view.name.as_str()) {
        "source"
    } else if facts.read_only {
        "replica"
    } else {
        "writable"
    };
    let not_counted = facts.not_promotable().map(|why| format!("does not count: {why}"));
    let error = facts.replication.iter().find_map(|replication| replication.error.clone());
    state.role = role.to_owned();
    state.read_only = Some(facts.read_only);
    state.term = facts.term.as_ref().map(|term| term.number);
    state.follows = facts.replication.iter().map(|replication| replication.upstream.clone()).collect();
    state.note = error.or(not_counted);
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Facts, Replication};

    #[test]
    fn servers_are_shown_with_role_lag_and_note() {
        let view = |name: &str, facts: Option<Facts>| {
            let mut view = View::unasked(name.to_owned());
            match facts {
                Some(facts) => view.answered(facts),
                None => view.failed("refused".to_owned()),
            }
            view
        };
        let with = |read_only, cursor: u64| Facts {
            read_only,
            cursors: [(1, cursor)].into(),
            crash_safe: true,
            ..Facts::default()
        };
        let broken = Replication { error: Some("duplicate key".to_owned()), ..Replication::default() };
        let lagging = Facts { replication: vec![broken], ..with(true, 60) };
        let views = [
            view("a", Some(with(false, 100))),
            view("b", Some(lagging)),
            view("c", Some(with(false, 100))),
            view("d", None),
        ];
        let shown = servers(&views, Some("a"));
        let roles: Vec<&str> = shown.iter().map(|server| server.role.as_str()).collect();
        assert_eq!(roles, ["source", "replica", "writable", "away"]);
        assert_eq!((shown[1].behind, shown[1].note.as_deref()), (Some(40), Some("duplicate key")));
        assert_eq!(shown[0].behind, Some(0));
    }
}

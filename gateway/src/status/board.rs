//! Where the parts leave what they know, and how a snapshot is made of it.

use super::{ClockState, DrainState, IntakeState, QueueState, ServerState, Snapshot};
use crate::topology::lag::Heartbeats;
use crate::topology::same::{is_same_server, moved_words, same_as};
use crate::topology::{Facts, Replication, View};
use queue::{QueueError, Reader, StreamId};
use sensors::{Meter, SampleClock, SourceState};
use std::collections::BTreeMap;
use std::sync::Arc;
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
            servers: servers(&self.views.borrow(), &drain, stamp.wall_us),
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
fn servers(views: &[View], drain: &DrainState, now_us: i64) -> Vec<ServerState> {
    let cursor = |view: &View| view.last_facts().map(|facts| facts.cursors.values().sum::<u64>());
    let source = views.iter().find(|view| Some(&view.name) == drain.source.as_ref());
    let most = source.and_then(cursor);
    let server = |(index, view): (usize, &View)| {
        let mut state = ServerState { name: view.name.clone(), cursor: cursor(view), ..ServerState::default() };
        state.behind = most.zip(state.cursor).map(|(most, cursor)| most.saturating_sub(cursor));
        match view.facts() {
            Some(facts) => {
                state.lag_ms = lag_ms(facts, &drain.heartbeats, now_us);
                answering(&mut state, facts, source, &notes(views, index, facts, source));
            }
            None => (state.role, state.note) = ("away".to_owned(), Some(view.trouble().to_owned())),
        }
        state
    };
    views.iter().enumerate().map(server).collect()
}

fn lag_ms(facts: &Facts, heartbeats: &Heartbeats, now_us: i64) -> Option<u64> {
    let there = |stream| facts.heartbeats.get(&stream).copied();
    heartbeats.lag(there, now_us).map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX))
}

fn answering(state: &mut ServerState, facts: &Facts, source: Option<&View>, notes: &[String]) {
    let role = match source {
        Some(source) if source.name == state.name => "source",
        Some(source) if source.facts().is_some_and(|source| source.is_in_cluster_with(facts)) => "member",
        _ if facts.read_only => "replica",
        _ => "writable",
    };
    state.role = role.to_owned();
    state.read_only = Some(facts.read_only);
    state.term = facts.term.as_ref().map(|term| term.number);
    state.follows = facts.replication.iter().map(|replication| replication.upstream.clone()).collect();
    state.note = (!notes.is_empty()).then(|| notes.join("; "));
}

/// Replication errors, why it does not count, and what is odd about its name.
fn notes(views: &[View], index: usize, facts: &Facts, source: Option<&View>) -> Vec<String> {
    let Some(view) = views.get(index) else { return Vec::new() };
    let is_source = source.is_some_and(|source| is_same_server(source, view) || source.name == view.name);
    let mut notes: Vec<String> = facts.replication.iter().filter_map(Replication::error).collect();
    let same = same_as(views, index).and_then(|other| views.get(other));
    notes.extend(same.map(|other| format!("the same server as {}", other.name)));
    let not_counted = facts.not_promotable(source.and_then(View::facts)).filter(|_| !is_source);
    notes.extend(not_counted.map(|why| format!("does not count: {why}")));
    notes.extend(facts.cluster.as_ref().map(|member| format!("member of a cluster ({})", member.state)));
    notes.extend(moved_words(view));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::ReplicationError;

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
            heartbeats: [(1, if cursor < 100 { 5_000_000 } else { 6_000_000 })].into(),
            crash_safe: true,
            ..Facts::default()
        };
        let broken = Replication {
            apply_error: Some(ReplicationError { number: 1062, text: "duplicate key".to_owned() }),
            ..Replication::default()
        };
        let lagging = Facts { replication: vec![broken], ..with(true, 60) };
        let views = [
            view("a", Some(with(false, 100))),
            view("b", Some(lagging)),
            view("c", Some(with(false, 100))),
            view("d", None),
        ];
        let mut drain = DrainState { source: Some("a".to_owned()), ..DrainState::default() };
        drain.heartbeats.written(1, 5_000_000);
        drain.heartbeats.written(1, 6_000_000);
        let shown = servers(&views, &drain, 8_500_000);
        let roles: Vec<&str> = shown.iter().map(|server| server.role.as_str()).collect();
        assert_eq!(roles, ["source", "replica", "writable", "away"]);
        assert_eq!((shown[1].behind, shown[1].note.as_deref()), (Some(40), Some("1062: duplicate key")));
        assert_eq!(shown[0].behind, Some(0));
        let lags: Vec<Option<u64>> = shown.iter().map(|server| server.lag_ms).collect();
        assert_eq!(lags, [Some(0), Some(2500), Some(0), None]);
    }
}

//! Brings the queue into the database, exactly once, whatever breaks.
//!
//! The database holds the only cursor, in the transaction of the rows, and every connection begins by asking for it. So
//! every connection is a failover, and a failover is no special case here: a server that lacks readings shows an older cursor
//! and gets them again.

mod ahead;
mod aside;
pub mod backlog;
mod ended;
mod heartbeat;
mod latency;
mod letters;
mod live;
mod missing;
mod pace;
pub mod plan;
mod rate;
mod refused;
pub mod routes;
pub mod rows;
mod settings;
mod source;
mod telling;
mod throttle;
pub mod write;

pub use ended::DrainError;
pub use live::Live;
pub use settings::Settings;
pub use throttle::Throttle;

use crate::database::DbError;
use crate::memory::Memory;
use crate::origin::Origins;
use crate::pulse::Pulse;
use crate::status::{DrainState, IntakeState};
use crate::topology::leave::may_leave;
use crate::topology::{Choice, View, choose};
use ahead::Ahead;
use backlog::Backlog;
use ended::Ended;
use heartbeat::LastBeat;
use letters::Letters;
use pace::Pace;
use plan::Batch;
use queue::StreamId;
use refused::Next;
pub use refused::Refusals;
use sensors::SampleClock;
use source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
pub use telling::ToldRefused;
use tokio::sync::watch;
use tracing::info;

/// How often the file of what is remembered of the servers is written while all is well.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// The loop turns at least this often, with work or without.
const TURN: Duration = Duration::from_secs(2);

/// Per stream, the last number that may leave the queue.
pub type Leave = Arc<BTreeMap<StreamId, u64>>;

/// The drain.
pub struct Drain {
    /// Who and where.
    pub settings: Settings,
    /// The queue.
    pub backlog: Backlog,
    /// Which stream goes first.
    pub live: Live,
    /// How fast it may be.
    pub throttle: Throttle,
    /// What the servers said.
    pub views: watch::Receiver<Vec<View>>,
    /// Changes whenever something became durable.
    pub durable: watch::Receiver<IntakeState>,
    /// Tells the queue's writer what may leave.
    pub leave: watch::Sender<Leave>,
    /// What is remembered of the servers.
    pub memory: Memory,
    /// Which gateway made what is in the queue.
    pub origins: watch::Receiver<Arc<Origins>>,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// Tells how far each stream is known to be in a source.
    pub delivered: watch::Sender<BTreeMap<StreamId, u64>>,
    /// Tells people how it is getting on.
    pub state: watch::Sender<DrainState>,
    /// Beats at every turn.
    pub pulse: Pulse,
    /// True: finish the batch and end.
    pub stop: watch::Receiver<bool>,
    /// The choice that was told last.
    pub told: Choice,
    /// What the source has refused.
    pub refusals: Refusals,
    /// What was said of it.
    pub told_refused: ToldRefused,
}

/// What came of a turn of the loop.
enum Turn {
    /// A batch was written, some of it perhaps as dead letters.
    Wrote { set_aside: bool },
    /// The source has everything.
    Idle,
    /// A batch was refused and taken back; the next one is smaller.
    Refused,
}

impl Drain {
    /// Runs until told to stop. What is left stays in the queue.
    ///
    /// # Errors
    /// Only what cannot be mended by trying again: the queue or the state folder cannot be used.
    pub async fn run(mut self) -> Result<(), DrainError> {
        let mut pace = Pace::new();
        while !*self.stop.borrow() {
            self.pulse.beat();
            let choice = self.choose();
            // Of several that take writes, the one that answers first is not the one to write to.
            if self.views.borrow().iter().any(View::is_unasked) {
                self.pause(None).await;
                continue;
            }
            if choice.source != self.told.source {
                pace.start_again();
            }
            if self.tell(&choice) {
                pace.backoff.reset();
            }
            let Some(index) = choice.source else {
                self.pause(None).await;
                continue;
            };
            match self.serve(index, &mut pace).await {
                Ended::Moved | Ended::GivenUp => {}
                Ended::Final(error) => return Err(error),
                Ended::Database(error) => {
                    self.memory.save()?;
                    self.state.send_modify(|state| state.trouble = Some(error.to_string()));
                    pace.tell_trouble(error);
                    self.pause(Some(pace.backoff.delay())).await;
                }
            }
        }
        self.memory.save()?;
        Ok(())
    }

    fn choose(&mut self) -> Choice {
        let views = self.views.borrow_and_update();
        self.memory.servers.see_terms(&views);
        choose(&views, self.memory.servers.highest_term)
    }

    /// Waits until a server says something new, we are told to stop, or `most` has passed.
    async fn pause(&mut self, most: Option<Duration>) {
        tokio::select! {
            _ = self.views.changed(), if most.is_none() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(most.unwrap_or(TURN)) => {}
        }
    }

    /// Writes to one server until something changes.
    async fn serve(&mut self, index: usize, pace: &mut Pace) -> Ended {
        match self.connect(index, pace).await {
            Ok(mut source) => {
                let ended = self.write_all(index, &mut source, pace).await;
                if matches!(ended, Ended::Moved) {
                    source.close().await;
                }
                ended
            }
            Err(ended) => ended,
        }
    }

    async fn connect(&mut self, index: usize, pace: &Pace) -> Result<Source, Ended> {
        let Some(server) = self.settings.servers.get(index).cloned() else { return Err(Ended::Moved) };
        // Taken before the source's own cursors are read, so that a replica can be ahead only if the source forgot.
        let views = self.views.borrow().clone();
        let mut source = Source::open(&server, &self.settings, &views, index).await?;
        let raised = source.confirm_term(&self.settings, self.memory.servers.highest_term, self.now_us()).await?;
        self.tell_term(&source, raised);
        self.memory.servers.highest_term = raised.max(self.memory.servers.highest_term);
        self.memory.save()?;
        let origins = Arc::clone(&self.origins.borrow());
        source.locate(&self.settings, &origins, &self.backlog.streams(), self.now_us()).await?;
        source.refuse_if_behind(&views, index)?;
        self.backlog.note_cursors(&source)?;
        self.begin_live(&mut source).await?;
        let behind = source.expect_again(|stream| self.memory.delivered(stream));
        for (stream, cursor) in source.cursors() {
            self.see_delivered(stream, cursor);
        }
        if pace.is_well() {
            info!(server = %server, term = raised, sent_again_up_to = behind, "connected to the source");
        }
        Ok(source)
    }

    /// Shows a new connection: its term, and that it began with a failover: one that we adopted, or another gateway.
    fn tell_term(&self, source: &Source, term: u64) {
        self.state.send_modify(|state| {
            if source.is_failover() || state.term.is_some_and(|before| term > before) {
                state.failover = Some(format!("{} is the source in term {term}", source.name()));
            }
            state.term = Some(term);
            state.heartbeats.begin_again();
        });
    }

    async fn write_all(&mut self, index: usize, source: &mut Source, pace: &mut Pace) -> Ended {
        let mut saved_at = tokio::time::Instant::now();
        let mut letters = Letters::default();
        let mut last_beat = LastBeat::now();
        let mut ahead = Ahead::default();
        loop {
            self.pulse.beat();
            match self.write_next(index, source, &mut ahead).await {
                Ok(Turn::Wrote { set_aside }) => {
                    pace.went_well();
                    last_beat = LastBeat::now();
                    letters.look_soon_if(set_aside);
                }
                Ok(Turn::Refused) => {}
                Ok(Turn::Idle) => {
                    self.state.send_if_modified(|state| state.trouble.take().is_some());
                    if let Err(ended) = self.say_what_is_new(source, &mut letters).await {
                        return ended;
                    }
                    if let Err(ended) = self.beat(index, source, &mut last_beat).await {
                        return ended;
                    }
                    self.idle().await;
                }
                Err(ended) => return ended,
            }
            self.publish_leave(index, source);
            if saved_at.elapsed() >= SAVE_EVERY {
                saved_at = tokio::time::Instant::now();
                if let Err(error) = self.memory.save() {
                    return error.into();
                }
            }
            let choice = self.choose();
            // An imported stream is located like all others: on a new connection.
            let is_elsewhere = leads_elsewhere(&self.views.borrow(), &choice, index, source.identity());
            if *self.stop.borrow() || is_elsewhere || self.has_new_stream(source) {
                return Ended::Moved;
            }
            self.tell_strays(&choice);
            self.show(&choice);
        }
    }

    fn has_new_stream(&self, source: &Source) -> bool {
        let origins = self.origins.borrow();
        self.backlog.streams().iter().any(|stream| !source.is_located(*stream, origins.gateway_of(*stream)))
    }

    /// Waits until there may be something to do.
    async fn idle(&mut self) {
        tokio::select! {
            _ = self.durable.changed() => {}
            _ = self.views.changed() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(TURN) => {}
        }
    }

    /// Writes the next batch.
    async fn write_next(&mut self, index: usize, source: &mut Source, ahead: &mut Ahead) -> Result<Turn, Ended> {
        let Some(batch) = self.next_batch(source, ahead).await? else { return Ok(Turn::Idle) };
        let identity = source.identity().to_owned();
        self.wait_to_send(index, &batch, &identity).await?;
        let (views, highest_term, now_us) = (self.views.clone(), self.memory.servers.highest_term, self.now_us());
        let began = tokio::time::Instant::now();
        let written = tokio::select! {
            biased;
            written = source.write(&batch, now_us) => written,
            () = another_source(views, highest_term, index, identity) => return Err(Ended::GivenUp),
        };
        self.throttle.took(batch.rows(), began.elapsed());
        let again = match written {
            Ok(again) => again,
            Err(error) => return self.went_wrong(&batch, error, source.is_open()),
        };
        self.note_heartbeat(batch.stream, now_us);
        self.memory.servers.sent_again += again;
        self.see_delivered(batch.stream, batch.last);
        self.tell_written(&batch, again);
        let set_aside = self.refusals.went_well(&batch);
        self.tell_set_aside(&batch, set_aside);
        Ok(Turn::Wrote { set_aside })
    }

    async fn next_batch(&mut self, source: &Source, ahead: &mut Ahead) -> Result<Option<Batch>, DrainError> {
        let first = self.live.first(&self.backlog, source);
        if let Some(part) = self.refusals.go_on(first, |stream| source.cursor(stream)) {
            return Ok(Some(part));
        }
        let limits = self.throttle.limits();
        let Some(mut batch) = self.backlog.next_batch(source, first, limits, ahead).await? else { return Ok(None) };
        let has_more = ahead.prepare(&self.backlog, &batch, limits);
        self.live.took(batch.stream == self.backlog.reader.current(), has_more);
        batch.explain_missing(self.memory.delivered(batch.stream));
        Ok(Some(self.refusals.prepare(batch)))
    }

    /// A batch that the server refuses is tried again with less, at once: on this connection if it can still be used.
    fn went_wrong(&mut self, batch: &Batch, error: DbError, is_open: bool) -> Result<Turn, Ended> {
        match self.refusals.refused(batch, &error) {
            Next::Again if is_open => Ok(Turn::Refused),
            Next::Again => Err(Ended::Moved),
            Next::Wait => Err(error.into()),
        }
    }

    /// With nothing else to do: what was sent again, and which dead letters there are.
    async fn say_what_is_new(&mut self, source: &mut Source, letters: &mut Letters) -> Result<(), Ended> {
        self.announce_again(source).await?;
        if let Some(found) = letters.look(source, &self.settings).await? {
            self.state.send_if_modified(|state| {
                let is_new = state.dead_letters.as_ref() != Some(&found);
                state.dead_letters = Some(found);
                is_new
            });
        }
        Ok(())
    }

    /// Waits for as long as the configuration wants it, and no longer than this server is the source and nobody stops us.
    async fn wait_to_send(&mut self, index: usize, batch: &Batch, identity: &str) -> Result<(), Ended> {
        let (views, highest_term) = (self.views.clone(), self.memory.servers.highest_term);
        tokio::select! {
            biased;
            () = self.throttle.wait(batch, &self.pulse) => Ok(()),
            _ = self.stop.wait_for(|stop| *stop) => Err(Ended::Moved),
            () = another_source(views, highest_term, index, identity.to_owned()) => Err(Ended::Moved),
        }
    }

    /// All that the source lacked has been sent again: say how much, in the log and in the database.
    async fn announce_again(&mut self, source: &mut Source) -> Result<(), Ended> {
        source.expect_again(|_| 0);
        let count = self.memory.servers.sent_again;
        if count > 0 {
            let text = format!("sent again after failover: {count}");
            info!(server = source.name(), "{text}");
            source.event(&self.settings, "sent again", &text, Some(count), self.now_us()).await?;
            self.memory.servers.sent_again = 0;
            self.memory.save()?;
        }
        Ok(())
    }

    fn publish_leave(&mut self, index: usize, source: &Source) {
        let views = self.views.borrow();
        let leave: BTreeMap<StreamId, u64> = source
            .cursors()
            .map(|(stream, cursor)| {
                (stream, may_leave(stream.as_u64(), cursor, index, &views, self.settings.keep_until))
            })
            .collect();
        drop(views);
        for stream in self.backlog.forget_surplus(&leave) {
            self.memory.forget(stream);
        }
        self.leave.send_if_modified(|before| {
            let changed = **before != leave;
            if changed {
                *before = Arc::new(leave);
            }
            changed
        });
    }

    fn see_delivered(&mut self, stream: StreamId, seq: u64) {
        self.memory.see_delivered(stream, seq);
        self.delivered.send_modify(|delivered| {
            delivered.insert(stream, seq);
        });
    }

    fn now_us(&self) -> i64 {
        self.clock.stamp().wall_us
    }
}

/// Waits until another server is chosen. A frozen source would otherwise be waited for until the deadline of its
/// statement, although the probes know earlier.
async fn another_source(mut views: watch::Receiver<Vec<View>>, highest_term: u64, current: usize, identity: String) {
    while views.changed().await.is_ok() {
        let views = views.borrow_and_update();
        let choice = choose(&views, highest_term);
        if choice.source.is_some() && leads_elsewhere(&views, &choice, current, &identity) {
            return;
        }
    }
    std::future::pending().await
}

/// Whether another name was chosen than the one that we are connected to, or another server answers at that name now.
fn leads_elsewhere(views: &[View], choice: &Choice, current: usize, identity: &str) -> bool {
    let now = views.get(current).and_then(View::facts).map(|facts| facts.identity.as_str());
    choice.source != Some(current) || now.is_some_and(|now| now != identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Facts;
    use std::io;

    #[test]
    fn a_database_error_and_a_final_one_are_told_apart() {
        let database: Ended = DbError::closed("db1").into();
        assert!(matches!(database, Ended::Database(_)));
        let last: Ended = io::Error::other("disk").into();
        assert!(matches!(last, Ended::Final(DrainError::Memory(_))));
    }

    #[test]
    fn a_name_that_leads_to_another_server_is_another_source() {
        let mut view = View::unasked("db".to_owned());
        let choice = Choice { source: Some(0), ..Choice::default() };
        view.answered(Facts { identity: "a".to_owned(), ..Facts::default() });
        assert!(!leads_elsewhere(&[view.clone()], &choice, 0, "a"));
        assert!(leads_elsewhere(&[view.clone()], &choice, 0, "b"));
        assert!(leads_elsewhere(&[view], &Choice::default(), 0, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_source_is_given_up_only_when_another_one_is_chosen() {
        let writable = |identity: &str| Facts { identity: identity.to_owned(), ..Facts::default() };
        let named = |name: &str| View::unasked(name.to_owned());
        let (sender, views) = watch::channel(vec![named("db1"), named("db2")]);
        sender.send_modify(|views| views[0].answered(writable("a")));
        let mut waiting = Box::pin(another_source(views, 1, 0, "a".to_owned()));
        let soon = Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "it is the source");
        sender.send_modify(|views| views[0].failed("no answer".to_owned()));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "nobody is");
        sender.send_modify(|views| views[1].answered(writable("b")));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_ok());
    }
}

//! Brings the queue into the database, exactly once, whatever breaks.
//!
//! The database holds the only cursor, in the transaction of the rows, and every connection begins by asking for it. So
//! every connection is a failover, and a failover is no special case here: a server that lacks readings shows an older cursor
//! and gets them again.

pub mod backlog;
mod ended;
mod pace;
pub mod plan;
pub mod routes;
pub mod rows;
mod settings;
mod source;
mod telling;
mod write;

pub use ended::DrainError;
pub use settings::Settings;

use crate::memory::Memory;
use crate::origin::Origins;
use crate::pulse::Pulse;
use crate::status::{DrainState, IntakeState};
use crate::topology::leave::may_leave;
use crate::topology::{Choice, View, choose};
use backlog::Backlog;
use ended::Ended;
use pace::Pace;
use queue::StreamId;
use sensors::SampleClock;
use source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
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
            if choice.source.is_none() && self.views.borrow().iter().any(View::is_unasked) {
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
        let behind = source.expect_again(|stream| self.memory.delivered(stream));
        for (stream, cursor) in source.cursors() {
            self.see_delivered(stream, cursor);
        }
        if pace.is_well() {
            info!(server = %server, term = raised, sent_again_up_to = behind, "connected to the source");
        }
        Ok(source)
    }

    /// Shows the term of a new connection, and that it began with a failover: one that we adopted, or another gateway.
    fn tell_term(&self, source: &Source, term: u64) {
        self.state.send_modify(|state| {
            if source.is_failover() || state.term.is_some_and(|before| term > before) {
                state.failover = Some(format!("{} is the source in term {term}", source.name()));
            }
            state.term = Some(term);
        });
    }

    async fn write_all(&mut self, index: usize, source: &mut Source, pace: &mut Pace) -> Ended {
        let mut saved_at = tokio::time::Instant::now();
        loop {
            self.pulse.beat();
            match self.write_next(index, source).await {
                Ok(true) => pace.went_well(),
                Ok(false) => {
                    self.state.send_if_modified(|state| state.trouble.take().is_some());
                    if let Err(ended) = self.announce_again(source).await {
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
            if *self.stop.borrow() || choice.source != Some(index) || self.has_new_stream(source) {
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

    /// Writes the next batch, oldest stream first; false when the source has everything.
    async fn write_next(&mut self, index: usize, source: &mut Source) -> Result<bool, Ended> {
        let Some(batch) = self.backlog.next_batch(source).await? else { return Ok(false) };
        let (views, highest_term, now_us) = (self.views.clone(), self.memory.servers.highest_term, self.now_us());
        let again = tokio::select! {
            biased;
            written = source.write(&batch, now_us) => written?,
            () = another_source(views, highest_term, index) => return Err(Ended::GivenUp),
        };
        self.memory.servers.sent_again += again;
        self.see_delivered(batch.stream, batch.last);
        self.tell_written(&batch, again);
        Ok(true)
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
async fn another_source(mut views: watch::Receiver<Vec<View>>, highest_term: u64, current: usize) {
    while views.changed().await.is_ok() {
        let chosen = choose(&views.borrow_and_update(), highest_term).source;
        if chosen.is_some_and(|chosen| chosen != current) {
            return;
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DbError;
    use crate::topology::Facts;
    use std::io;

    #[test]
    fn a_database_error_and_a_final_one_are_told_apart() {
        let database: Ended = DbError::closed("db1").into();
        assert!(matches!(database, Ended::Database(_)));
        let last: Ended = io::Error::other("disk").into();
        assert!(matches!(last, Ended::Final(DrainError::Memory(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_source_is_given_up_only_when_another_one_is_chosen() {
        let writable = |identity: &str| Facts { identity: identity.to_owned(), ..Facts::default() };
        let named = |name: &str| View::unasked(name.to_owned());
        let (sender, views) = watch::channel(vec![named("db1"), named("db2")]);
        sender.send_modify(|views| views[0].answered(writable("a")));
        let mut waiting = Box::pin(another_source(views, 1, 0));
        let soon = Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "it is the source");
        sender.send_modify(|views| views[0].failed("no answer".to_owned()));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_err(), "nobody is");
        sender.send_modify(|views| views[1].answered(writable("b")));
        assert!(tokio::time::timeout(soon, &mut waiting).await.is_ok());
    }
}

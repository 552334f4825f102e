//! Brings the queue into the database, exactly once, whatever breaks.
//!
//! The database holds the only cursor, in the transaction of the rows, and every connection begins by asking for it. So
//! every connection is a failover, and a failover is no special case here: a server that lacks readings shows an older cursor
//! and gets them again.

pub mod backlog;
pub mod plan;
pub mod rows;
mod source;
mod write;

use crate::database::{Account, Class, DbError, Deadlines};
use crate::memory::Memory;
use crate::topology::leave::may_leave;
use crate::topology::{Choice, View, choose};
use backlog::Backlog;
use config::{KeepUntil, ServerAddress};
use queue::{QueueError, StreamId};
use sensors::SampleClock;
use sensors::backoff::Backoff;
use source::Source;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

/// How often the file of what is remembered of the servers is written while all is well.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// Per stream, the last number that may leave the queue.
pub type Leave = Arc<BTreeMap<StreamId, u64>>;

/// What ends the drain for good.
#[derive(Debug, Error)]
pub enum DrainError {
    /// The queue cannot be read.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The file beside it cannot be written.
    #[error(
        "cannot write what is remembered of the servers: {0}; look at the disk and the permissions of the state folder"
    )]
    Memory(#[from] io::Error),
}

/// Why serving a server ended.
enum Ended {
    Database(DbError),
    Final(DrainError),
    /// The choice changed, or we were told to stop.
    Moved,
}

impl From<DbError> for Ended {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl<T: Into<DrainError>> From<T> for Ended {
    fn from(error: T) -> Self {
        Self::Final(error.into())
    }
}

/// Who we are and where to write; values of the configuration.
pub struct Settings {
    /// The configured servers, in order.
    pub servers: Vec<ServerAddress>,
    /// The account, with the database.
    pub account: Account,
    /// Deadlines for connecting and for each statement.
    pub deadlines: Deadlines,
    /// The site that rows are keyed by.
    pub site: String,
    /// This gateway.
    pub gateway: String,
    /// How many replicas must have a reading before it may leave the queue.
    pub keep_until: KeepUntil,
}

/// The drain.
pub struct Drain {
    /// Who and where.
    pub settings: Settings,
    /// The queue.
    pub backlog: Backlog,
    /// What the servers said.
    pub views: watch::Receiver<Vec<View>>,
    /// Changes whenever something became durable.
    pub durable: watch::Receiver<u64>,
    /// Tells the queue's writer what may leave.
    pub leave: watch::Sender<Leave>,
    /// What is remembered of the servers.
    pub memory: Memory,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
    /// Tells how far each stream is known to be in a source.
    pub delivered: watch::Sender<BTreeMap<StreamId, u64>>,
    /// True: finish the batch and end.
    pub stop: watch::Receiver<bool>,
}

impl Drain {
    /// Runs until told to stop. What is left stays in the queue.
    ///
    /// # Errors
    /// Only what cannot be mended by trying again: the queue or the state folder cannot be used.
    pub async fn run(mut self) -> Result<(), DrainError> {
        let mut backoff =
            Backoff::new(Duration::from_millis(100), Duration::from_secs(10), u64::from(std::process::id()));
        let mut told = None;
        while !*self.stop.borrow() {
            let choice = self.choose();
            if choice.source.is_none() && self.views.borrow().iter().any(View::is_unasked) {
                self.pause(None).await;
                continue;
            }
            if told.as_ref() != Some(&choice) {
                tell(&choice);
                backoff.reset();
                told = Some(choice.clone());
            }
            let Some(index) = choice.source else {
                self.pause(None).await;
                continue;
            };
            match self.serve(index, &mut backoff).await {
                Ended::Moved => {}
                Ended::Final(error) => return Err(error),
                Ended::Database(error) => {
                    self.memory.save()?;
                    self.tell_trouble(&error);
                    self.pause(Some(backoff.delay())).await;
                }
            }
        }
        self.memory.save()?;
        Ok(())
    }

    fn choose(&mut self) -> Choice {
        let views = self.views.borrow_and_update();
        self.memory.see_terms(&views);
        choose(&views, self.memory.servers.highest_term)
    }

    /// Waits until a server says something new, we are told to stop, or `most` has passed.
    async fn pause(&mut self, most: Option<Duration>) {
        tokio::select! {
            _ = self.views.changed(), if most.is_none() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(most.unwrap_or(Duration::MAX)), if most.is_some() => {}
        }
    }

    fn tell_trouble(&self, error: &DbError) {
        match error.class {
            Class::Protocol => tracing::error!("draining stopped, collecting goes on: {error}"),
            Class::Setup => warn!("draining waits, collecting goes on: {error}"),
            _ => warn!("draining is interrupted: {error}; the cursor will say where to go on"),
        }
    }

    /// Writes to one server until something changes.
    async fn serve(&mut self, index: usize, backoff: &mut Backoff) -> Ended {
        match self.connect(index).await {
            Ok(mut source) => {
                let ended = self.write_all(index, &mut source, backoff).await;
                if matches!(ended, Ended::Moved) {
                    source.close().await;
                }
                ended
            }
            Err(ended) => ended,
        }
    }

    async fn connect(&mut self, index: usize) -> Result<Source, Ended> {
        let Some(server) = self.settings.servers.get(index).cloned() else { return Err(Ended::Moved) };
        // Taken before the source's own cursors are read, so that a replica can be ahead only if the source forgot.
        let views = self.views.borrow().clone();
        let mut source = Source::open(&server, &self.settings, &views, index).await?;
        let raised = source.confirm_term(&self.settings, self.memory.servers.highest_term, self.now_us()).await?;
        self.memory.servers.highest_term = raised.max(self.memory.servers.highest_term);
        self.memory.save()?;
        source.locate(&self.settings, &self.backlog.streams(), self.now_us()).await?;
        source.refuse_if_behind(&views, index)?;
        self.backlog.note_cursors(&source)?;
        let behind = source.expect_again(|stream| self.memory.delivered(stream));
        for (stream, cursor) in source.cursors() {
            self.see_delivered(stream, cursor);
        }
        info!(server = %server, term = raised, sent_again_up_to = behind, "connected to the source");
        Ok(source)
    }

    async fn write_all(&mut self, index: usize, source: &mut Source, backoff: &mut Backoff) -> Ended {
        let mut saved_at = tokio::time::Instant::now();
        loop {
            match self.write_next(source).await {
                Ok(true) => backoff.reset(),
                Ok(false) => {
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
            if *self.stop.borrow() || self.choose().source != Some(index) {
                return Ended::Moved;
            }
        }
    }

    /// Waits until there may be something to do.
    async fn idle(&mut self) {
        tokio::select! {
            _ = self.durable.changed() => {}
            _ = self.views.changed() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Writes the next batch, oldest stream first; false when the source has everything.
    async fn write_next(&mut self, source: &mut Source) -> Result<bool, Ended> {
        let Some(batch) = self.backlog.next_batch(source).await? else { return Ok(false) };
        self.memory.servers.sent_again += source.write(&batch, self.now_us()).await?;
        self.see_delivered(batch.stream, batch.last);
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

fn tell(choice: &Choice) {
    match choice.source {
        Some(_) => info!("{}", choice.why),
        None => warn!("{}; readings stay in the queue", choice.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_error_and_a_final_one_are_told_apart() {
        let database: Ended = DbError::closed("db1").into();
        assert!(matches!(database, Ended::Database(_)));
        let last: Ended = io::Error::other("disk").into();
        assert!(matches!(last, Ended::Final(DrainError::Memory(_))));
    }
}

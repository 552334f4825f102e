//! One turn of the loop: the next batch is taken, waited for, written, and what came of it noted.

use super::ahead::Ahead;
use super::elsewhere::another_source;
use super::ended::Ended;
use super::plan::Batch;
use super::refused::Next;
use super::source::Source;
use super::{Drain, DrainError};
use crate::database::DbError;

/// What came of a turn of the loop.
pub enum Turn {
    /// A batch was written, some of it perhaps as dead letters.
    Wrote { set_aside: bool },
    /// The source has everything.
    Idle,
    /// A batch was refused and taken back; the next one is smaller.
    Refused,
    /// What is next may still come from the other gateway of the site, which is active.
    Waits,
}

impl Drain {
    /// Writes the next batch.
    pub(super) async fn write_next(
        &mut self,
        index: usize,
        source: &mut Source,
        ahead: &mut Ahead,
    ) -> Result<Turn, Ended> {
        let Some(batch) = self.next_batch(source, ahead).await? else { return Ok(Turn::Idle) };
        let identity = source.identity().to_owned();
        self.wait_to_send(index, &batch, &identity).await?;
        let (views, highest_term, now_us) = (self.views.clone(), self.memory.servers.highest_term, self.now_us());
        let began = tokio::time::Instant::now();
        let former = self.former.as_mut().filter(|_| !batch.shared.is_empty());
        let group = self.group.as_mut().or(former);
        let written = tokio::select! {
            biased;
            written = source.write(&batch, group, now_us) => written,
            () = another_source(views, highest_term, index, identity) => return Err(Ended::GivenUp),
        };
        self.throttle.took(batch.rows(), began.elapsed());
        let wrote = match written {
            Ok(wrote) => wrote,
            Err(error) => return self.went_wrong(&batch, error, source.is_open()),
        };
        if wrote.is_waiting {
            return Ok(Turn::Waits);
        }
        self.note_heartbeat(batch.stream, now_us);
        self.memory.servers.sent_again += wrote.again;
        self.see_delivered(wrote.batch.stream, wrote.batch.last);
        self.tell_written(&wrote);
        let set_aside = self.refusals.went_well(&wrote.batch);
        self.tell_set_aside(&wrote.batch, set_aside);
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
}

//! The sign of life that replicates: each transaction of the drain writes its time, by our own clock, into the row of its
//! stream. While there is nothing to drain, the time alone is written now and then: so the lag of a replica is known, and
//! that the source still takes writes.

use super::Drain;
use super::elsewhere::another_source;
use super::ended::Ended;
use super::group::Group;
use super::source::Source;
use crate::database::{Cell, DbError, Session};
use queue::StreamId;
use std::time::Duration;
use tokio::time::Instant;

/// While there is nothing to drain, no more often than this: a transaction costs the server's disk two flushes.
const EVERY: Duration = Duration::from_secs(10);

/// When the last time was written over this connection; none over a new one, where it is due at once. That a gateway writes
/// to it is what tells a source that somebody closes soon from one that was promoted and not opened yet.
#[derive(Default)]
pub(super) struct LastBeat(Option<Instant>);

impl LastBeat {
    /// One was written.
    pub fn now() -> Self {
        Self(Some(Instant::now()))
    }

    /// Long enough ago for another one.
    fn is_over(&self) -> bool {
        self.0.is_none_or(|at| at.elapsed() >= EVERY)
    }
}

/// Writes the time into the row of a stream and nothing else. Its cursor must be where it was: otherwise somebody else has
/// moved it, or another state of the data was put in place.
pub(super) async fn write(session: &mut Session, stream: StreamId, cursor: u64, now_us: i64) -> Result<(), DbError> {
    let sql = "UPDATE streams SET updated_at = ? WHERE stream = ? AND last_seq = ?";
    let parameters = vec![Cell::TimeUs(now_us), Cell::UInt(stream.as_u64()), Cell::UInt(cursor)];
    if session.change(sql, parameters).await? == 1 {
        return Ok(());
    }
    let words = format!("the cursor of stream {stream} is not at {cursor} any more; reading it again");
    Err(DbError::cursor_moved(session.server(), words))
}

impl Drain {
    /// Writes the time into the row of the running stream when the last one is old enough.
    /// `through_us`: everything that was heard until then is dealt with.
    pub(super) async fn beat(
        &mut self,
        index: usize,
        source: &mut Source,
        last: &mut LastBeat,
        through_us: Option<i64>,
    ) -> Result<(), Ended> {
        let (stream, now_us) = (self.backlog.reader.current(), self.now_us());
        let must_tell = self.group.as_ref().is_some_and(Group::must_tell);
        if !(last.is_over() || must_tell) || source.cursor(stream).is_none() {
            return Ok(());
        }
        let (views, highest_term) = (self.views.clone(), self.memory.servers.highest_term);
        let elsewhere = another_source(views, highest_term, index, source.identity().to_owned());
        tokio::select! {
            biased;
            written = source.beat(stream, self.group.as_mut(), through_us, now_us) => written?,
            () = elsewhere => return Err(Ended::GivenUp),
        }
        *last = LastBeat::now();
        self.note_heartbeat(stream, now_us);
        Ok(())
    }

    /// This time is in the source now, in the row of this stream.
    pub(super) fn note_heartbeat(&self, stream: StreamId, at_us: i64) {
        self.state.send_modify(|state| state.heartbeats.written(stream.as_u64(), at_us));
    }
}

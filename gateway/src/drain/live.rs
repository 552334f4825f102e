//! Live readings first: after an outage a new stream begins for them, and what waits is drained behind it.
//!
//! Numbers go into the database in their order, stream by stream. So what comes in now can overtake what waits only in a
//! stream of its own.

use super::Drain;
use super::backlog::Backlog;
use super::ended::Ended;
use super::source::Source;
use crate::intake::BeginStream;
use config::Order;
use queue::StreamId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::{info, warn};

/// With fewer rows than this in front of them, ten batches, live readings wait no longer than a few seconds.
const LIVE_BACKLOG: u64 = 50_000;
/// The writer of the queue answers within its next turn, unless its disk stalls.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which stream goes first.
pub struct Live {
    order: Order,
    begins: mpsc::Sender<BeginStream>,
    /// The live stream had its turn.
    is_turn_of_older: bool,
}

impl Live {
    /// In this order; `begins` leads to the writer of the queue.
    pub fn new(order: Order, begins: mpsc::Sender<BeginStream>) -> Self {
        Self { order, begins, is_turn_of_older: false }
    }

    /// The stream that goes before older ones, if one does: that which is being written, when it has something for the
    /// source.
    pub fn first(&self, backlog: &Backlog, source: &Source) -> Option<StreamId> {
        if self.order == Order::OldestFirst || self.is_turn_of_older {
            return None;
        }
        let current = backlog.reader.current();
        (backlog.waiting(source, current) > 0).then_some(current)
    }

    /// A batch was taken. After one with all live readings that there were an older one has its turn: with readings every
    /// few milliseconds, some are always waiting.
    pub fn took(&mut self, is_live: bool, has_more: bool) {
        self.is_turn_of_older = is_live && !has_more;
    }

    async fn begin(&self) -> Result<StreamId, String> {
        let (answer, answered) = oneshot::channel();
        let asked = async {
            self.begins.send(BeginStream { answer }).await.ok()?;
            answered.await.ok()
        };
        let said = timeout(PATIENCE, asked).await.map_err(|_| "the queue did not answer in time".to_owned())?;
        said.unwrap_or_else(|| Err("the gateway is stopping".to_owned()))
    }
}

/// Whether so many rows are too many to wait for.
fn is_worth_a_stream(order: Order, waiting: u64) -> bool {
    order == Order::LiveFirst && waiting > LIVE_BACKLOG
}

impl Drain {
    /// On a new connection: lets what comes in from now on overtake what waits, if that is wanted and much waits. Without a
    /// new stream everything goes on as before.
    pub(super) async fn begin_live(&self, source: &mut Source) -> Result<(), Ended> {
        let waiting = self.backlog.waiting(source, self.backlog.reader.current());
        if !is_worth_a_stream(self.live.order, waiting) {
            return Ok(());
        }
        match self.live.begin().await {
            Ok(stream) => {
                info!(%stream, waiting, "a new stream begins for live readings; what waits follows behind them");
                let origins = Arc::clone(&self.origins.borrow());
                source.locate(&self.settings, &origins, &[stream], self.now_us()).await?;
            }
            Err(why) => warn!("no new stream could begin, so live readings wait behind {waiting} older ones: {why}"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_backlog_is_worth_a_stream() {
        assert!(!is_worth_a_stream(Order::LiveFirst, LIVE_BACKLOG));
        assert!(is_worth_a_stream(Order::LiveFirst, LIVE_BACKLOG + 1));
        assert!(!is_worth_a_stream(Order::OldestFirst, u64::MAX));
    }

    #[test]
    fn after_all_live_readings_an_older_batch_has_its_turn() {
        let mut live = Live::new(Order::LiveFirst, mpsc::channel(1).0);
        for (is_live, has_more, is_turn_of_older) in
            [(true, true, false), (true, false, true), (false, true, false), (false, false, false)]
        {
            live.took(is_live, has_more);
            assert_eq!(live.is_turn_of_older, is_turn_of_older, "{is_live} {has_more}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_does_not_answer_is_waited_for_only_so_long() {
        let (begins, mut asked) = mpsc::channel(1);
        let live = Live::new(Order::LiveFirst, begins);
        assert!(live.begin().await.unwrap_err().contains("in time"));
        assert!(asked.recv().await.unwrap().answer.is_closed(), "who asked is gone");
        drop(asked);
        assert!(live.begin().await.unwrap_err().contains("stopping"));
    }
}

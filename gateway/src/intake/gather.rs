//! Gathers arrivals into a group that is made durable at once.

use config::Commit;
use sensors::{Arrival, Content, SampleClock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// How long to wait for a first arrival before looking after the queue.
const IDLE: Duration = Duration::from_secs(1);

/// When a group is complete.
pub struct Limits {
    /// How long the first arrival may wait for company.
    pub window: Duration,
    /// So many readings are enough.
    pub readings: usize,
    /// So many bytes, by a rough count, are enough.
    pub bytes: usize,
}

impl Limits {
    /// The defaults of the two commit modes.
    pub fn for_commit(commit: Commit) -> Self {
        let window = match commit {
            Commit::Card => Duration::from_millis(200),
            Commit::Fast => Duration::ZERO,
        };
        Self { window, readings: 1000, bytes: 64 * 1024 }
    }
}

/// What came of waiting.
pub enum Gathered {
    /// What has arrived; nothing, if nothing did within a second. And a moment after which nothing more was found waiting,
    /// microseconds since 1970; none when the group is full.
    Some(Vec<Arrival>, Option<i64>),
    /// None, and none will ever come.
    End,
}

/// Waits for a first arrival and then for the group to be complete.
pub async fn gather(
    arrivals: &mut mpsc::Receiver<Arrival>,
    limits: &Limits,
    clock: &(dyn SampleClock + '_),
) -> Gathered {
    let first = match timeout(IDLE, arrivals.recv()).await {
        Ok(Some(first)) => first,
        Ok(None) => return Gathered::End,
        Err(_) => match last_look(arrivals, clock) {
            Ok(first) => first,
            Err(empty_at_us) => return Gathered::Some(Vec::new(), Some(empty_at_us)),
        },
    };
    let until = Instant::now() + limits.window;
    let (mut readings, mut bytes) = size(&first);
    let mut group = vec![first];
    while readings < limits.readings && bytes < limits.bytes {
        let next = match next(arrivals, until, clock).await {
            Ok(next) => next,
            Err(empty_at_us) => return Gathered::Some(group, Some(empty_at_us)),
        };
        let (more_readings, more_bytes) = size(&next);
        (readings, bytes) = (readings + more_readings, bytes + more_bytes);
        group.push(next);
    }
    Gathered::Some(group, None)
}

/// What has arrived is taken at once; only for what has not is there a wait.
async fn next(
    arrivals: &mut mpsc::Receiver<Arrival>,
    until: Instant,
    clock: &(dyn SampleClock + '_),
) -> Result<Arrival, i64> {
    if let Ok(next) = arrivals.try_recv() {
        return Ok(next);
    }
    match timeout_at(until, arrivals.recv()).await {
        Ok(Some(next)) => Ok(next),
        Ok(None) | Err(_) => last_look(arrivals, clock),
    }
}

/// What is there now; if nothing is, a moment just before, microseconds since 1970.
fn last_look(arrivals: &mut mpsc::Receiver<Arrival>, clock: &(dyn SampleClock + '_)) -> Result<Arrival, i64> {
    let now_us = clock.stamp().wall_us;
    arrivals.try_recv().map_err(|_| now_us)
}

/// Readings and bytes, the latter by a rough count that leans to the high side.
fn size(arrival: &Arrival) -> (usize, usize) {
    match &arrival.content {
        Content::Readings(readings) => (readings.len(), readings.len() * 100),
        Content::DeadLetter(letter) => (1, letter.bytes.len()),
        Content::Gap(_) | Content::AlreadyQueued => (1, 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensors::{ClockQuality, ManualClock, Stamp};

    fn arrival() -> Arrival {
        Arrival::of(Content::AlreadyQueued)
    }

    fn clock() -> ManualClock {
        ManualClock::new(Stamp { boot: 1, boottime_us: 1, wall_us: 7, quality: ClockQuality::Synced, error_us: None })
    }

    /// How many were gathered, and the moment after which nothing more was waiting.
    async fn gathered(arrivals: &mut mpsc::Receiver<Arrival>, commit: Commit) -> (usize, Option<i64>) {
        match gather(arrivals, &Limits::for_commit(commit), &clock()).await {
            Gathered::Some(group, empty_at_us) => (group.len(), empty_at_us),
            Gathered::End => panic!("the end"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn card_mode_waits_for_company_and_fast_mode_takes_what_is_there() {
        let (sender, mut receiver) = mpsc::channel(5000);
        for _ in 0..3 {
            sender.send(arrival()).await.unwrap();
        }
        let later = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            sender.send(arrival()).await.unwrap();
        };
        let (found, ()) = tokio::join!(gathered(&mut receiver, Commit::Card), later);
        assert_eq!(found, (4, Some(7)));
        sender.send(arrival()).await.unwrap();
        let before = Instant::now();
        assert_eq!(gathered(&mut receiver, Commit::Fast).await, (1, Some(7)));
        assert!(before.elapsed() < Duration::from_millis(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_is_bounded_and_the_end_is_told_from_silence() {
        let (sender, mut receiver) = mpsc::channel(5000);
        for _ in 0..1500 {
            sender.send(arrival()).await.unwrap();
        }
        let found = gathered(&mut receiver, Commit::Card).await;
        assert_eq!(found, (656, None), "64 KiB at 100 bytes each, and more waits");
        while receiver.try_recv().is_ok() {}
        assert_eq!(gathered(&mut receiver, Commit::Card).await, (0, Some(7)));
        drop(sender);
        assert!(matches!(gather(&mut receiver, &Limits::for_commit(Commit::Card), &clock()).await, Gathered::End));
    }
}

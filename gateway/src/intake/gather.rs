//! Gathers arrivals into a group that is made durable at once.

use config::Commit;
use sensors::{Arrival, Content};
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
    /// At least one arrival.
    Group(Vec<Arrival>),
    /// None within a second.
    Nothing,
    /// None, and none will ever come.
    End,
}

/// Waits for a first arrival and then for the group to be complete.
pub async fn gather(arrivals: &mut mpsc::Receiver<Arrival>, limits: &Limits) -> Gathered {
    let first = match timeout(IDLE, arrivals.recv()).await {
        Ok(Some(first)) => first,
        Ok(None) => return Gathered::End,
        Err(_) => return Gathered::Nothing,
    };
    let until = Instant::now() + limits.window;
    let (mut readings, mut bytes) = size(&first);
    let mut group = vec![first];
    while readings < limits.readings && bytes < limits.bytes {
        // What has arrived is taken at once; only for what has not is there a wait.
        let next = match arrivals.try_recv() {
            Ok(next) => Some(next),
            Err(_) => timeout_at(until, arrivals.recv()).await.ok().flatten(),
        };
        let Some(next) = next else { break };
        let (more_readings, more_bytes) = size(&next);
        (readings, bytes) = (readings + more_readings, bytes + more_bytes);
        group.push(next);
    }
    Gathered::Group(group)
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

    fn arrival() -> Arrival {
        Arrival { content: Content::AlreadyQueued, receipt: None, ticket: None, room: None }
    }

    async fn group_size(arrivals: &mut mpsc::Receiver<Arrival>, commit: Commit) -> usize {
        match gather(arrivals, &Limits::for_commit(commit)).await {
            Gathered::Group(group) => group.len(),
            _ => 0,
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
        let (size, ()) = tokio::join!(group_size(&mut receiver, Commit::Card), later);
        assert_eq!(size, 4);
        sender.send(arrival()).await.unwrap();
        let before = Instant::now();
        assert_eq!(group_size(&mut receiver, Commit::Fast).await, 1);
        assert!(before.elapsed() < Duration::from_millis(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_is_bounded_and_the_end_is_told_from_silence() {
        let (sender, mut receiver) = mpsc::channel(5000);
        for _ in 0..1500 {
            sender.send(arrival()).await.unwrap();
        }
        assert_eq!(group_size(&mut receiver, Commit::Card).await, 656, "64 KiB at 100 bytes each");
        while receiver.try_recv().is_ok() {}
        assert!(matches!(gather(&mut receiver, &Limits::for_commit(Commit::Card)).await, Gathered::Nothing));
        drop(sender);
        assert!(matches!(gather(&mut receiver, &Limits::for_commit(Commit::Card)).await, Gathered::End));
    }
}

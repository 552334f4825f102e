//! When a node's next message is due.

use std::time::Duration;

use tokio::time::Instant;

/// A node that was held back catches up at most this much.
const CATCH_UP: Duration = Duration::from_secs(1);

/// An even pace, or none.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    due: Instant,
}

impl Pace {
    /// So many messages a second; as many as can be sent if 0.
    pub fn new(per_second: f64, now: Instant) -> Self {
        let interval = if per_second > 0.0 { Duration::from_secs_f64(1.0 / per_second) } else { Duration::ZERO };
        Self { interval, due: now }
    }

    /// True if a message is due; the caller sends it.
    pub fn take(&mut self, now: Instant) -> bool {
        if self.due > now {
            return false;
        }
        let oldest = now.checked_sub(CATCH_UP).unwrap_or(now);
        self.due = self.due.max(oldest) + self.interval;
        true
    }

    /// How often to ask: neither faster than a timer can, nor too seldom for the journal's flush.
    pub fn poll_period(&self) -> Duration {
        self.interval.clamp(Duration::from_millis(1), Duration::from_millis(50))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pace: &mut Pace, now: Instant) -> usize {
        (0..1000).take_while(|_| pace.take(now)).count()
    }

    #[test]
    fn messages_come_due_one_by_one() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, start);
        assert_eq!(taken(&mut pace, start), 1);
        assert_eq!(taken(&mut pace, start + Duration::from_millis(99)), 0);
        assert_eq!(taken(&mut pace, start + Duration::from_millis(100)), 1);
        assert_eq!(taken(&mut pace, start + Duration::from_millis(500)), 4);
    }

    #[test]
    fn a_long_break_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, start);
        assert_eq!(taken(&mut pace, start + Duration::from_secs(60)), 11);
    }

    #[test]
    fn without_a_pace_a_message_is_always_due() {
        let start = Instant::now();
        assert_eq!(taken(&mut Pace::new(0.0, start), start), 1000);
    }
}

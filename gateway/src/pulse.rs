//! Whether a loop turns: it beats at every turn, with work or without, and somebody looks how long ago the last beat was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A loop's last sign of life; clones are of one loop.
#[derive(Debug, Clone)]
pub struct Pulse {
    began: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { began: Instant::now(), last_ms: Arc::default() }
    }
}

impl Pulse {
    /// The loop turns.
    pub fn beat(&self) {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    /// How long ago it turned last.
    pub fn age(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last_ms.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pulse_ages_until_the_next_beat() {
        let pulse = Pulse::default();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(pulse.age(), Duration::from_secs(9));
        pulse.clone().beat();
        assert_eq!(pulse.age(), Duration::ZERO);
    }
}

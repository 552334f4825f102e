//! At most so much a second. The only file of the drain that names governor.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// The clock of the runtime, which a test can stop.
#[derive(Debug, Clone)]
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A rate that is kept by waiting. After a pause of a second, one second's worth passes at once.
pub struct Rate {
    per_second: NonZeroU32,
    clock: RuntimeClock,
    limiter: RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Duration>>,
}

impl Rate {
    /// So much a second.
    pub fn new(per_second: NonZeroU32) -> Self {
        let clock = RuntimeClock(Instant::now());
        let limiter = RateLimiter::direct_with_clock(Quota::per_second(per_second), clock.clone());
        Self { per_second, clock, limiter }
    }

    /// Waits until so much more may pass; more than a second's worth passes piece by piece, and so takes its time.
    pub async fn wait(&self, amount: u64) {
        let mut left = amount;
        while let Some(piece) = self.piece(left) {
            match self.limiter.check_n(piece) {
                Ok(Ok(())) => left = left.saturating_sub(u64::from(piece.get())),
                Ok(Err(early)) => tokio::time::sleep(early.wait_time_from(self.clock.now())).await,
                // Only for a piece above a second's worth, which none is.
                Err(_) => return,
            }
        }
    }

    fn piece(&self, left: u64) -> Option<NonZeroU32> {
        let most = self.per_second.get();
        NonZeroU32::new(u32::try_from(left).unwrap_or(most).min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_whatever_passes_at_once() {
        for (amount, times) in [(1, 300), (50, 6), (100, 3), (300, 1)] {
            let rate = Rate::new(NonZeroU32::new(100).unwrap());
            let began = Instant::now();
            for _ in 0..times {
                rate.wait(amount).await;
            }
            let took = began.elapsed();
            assert!((1.95..2.05).contains(&took.as_secs_f64()), "one second's worth at once, then 100/s: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_for_nothing() {
        let rate = Rate::new(NonZeroU32::MIN);
        let began = Instant::now();
        rate.wait(0).await;
        rate.wait(1).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}

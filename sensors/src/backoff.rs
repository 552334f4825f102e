//! Waiting before the next attempt: doubling, jittered, bounded.

use std::time::Duration;

/// A delay that doubles from `least` to `most`, each spread over its upper half so that many gateways do not
/// knock on a server's door together.
#[derive(Debug, Clone)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
    seed: u64,
}

impl Backoff {
    /// `least` is raised to one millisecond, `most` to `least`. The same `seed` gives the same delays.
    pub fn new(least: Duration, most: Duration, seed: u64) -> Self {
        let least = least.max(Duration::from_millis(1));
        Self { least, most: most.max(least), next: least, seed }
    }

    /// The next delay: between half of the current step and the whole of it.
    pub fn delay(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.most);
        // SplitMix64: enough to spread delays, and repeatable in tests.
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let permille = u32::try_from((mixed >> 32) % 501).unwrap_or(0);
        step / 2 + step * permille / 1000
    }

    /// The attempt succeeded: begin with the shortest delay again.
    pub fn reset(&mut self) {
        self.next = self.least;
    }

    /// Waits for the next delay.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.delay()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_stay_within_bounds_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5), 7);
        let mut step = Duration::from_millis(100);
        for _ in 0..20 {
            let delay = backoff.delay();
            assert!(delay >= step / 2 && delay <= step, "{delay:?} for a step of {step:?}");
            step = (step * 2).min(Duration::from_secs(5));
        }
        backoff.reset();
        assert!(backoff.delay() <= Duration::from_millis(100));
    }

    #[test]
    fn two_seeds_do_not_wait_in_step() {
        let mut one = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 1);
        let mut two = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 2);
        assert!((0..8).any(|_| one.delay() != two.delay()));
    }
}

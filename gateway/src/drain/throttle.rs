//! What holds the drain back where the configuration asks for it: rates, and a budget of time for each transaction.

use super::backlog::Limits;
use super::latency::Latency;
use super::plan::Batch;
use super::rate::Rate;
use super::rows::sent_bytes;
use crate::pulse::Pulse;
use std::num::NonZeroU32;
use std::time::Duration;

/// Bytes are counted in units of so many: governor counts whole nanoseconds, and a byte is less than a few at high rates.
const BYTES_A_UNIT: u64 = 16;
/// A row takes about so many bytes, for how many rows a second's worth of bytes is.
const TYPICAL_ROW_BYTES: u64 = 64;
/// While it waits, the loop still turns.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// How fast the drain may be.
pub struct Throttle {
    limits: Limits,
    rows: Option<Rate>,
    bytes: Option<Rate>,
    latency: Latency,
}

impl Throttle {
    /// As configured, for batches of at most `most` and statements that may take `deadline`. With a rate a batch is at most what
    /// a second allows. Without a budget of its own a transaction is to take half of the deadline at most: over a slow link, or
    /// at a slow server, a larger one would be given up again and again.
    pub fn new(drain: &config::Drain, most: Limits, deadline: Duration) -> Self {
        let bytes_a_second = drain.bytes_per_second.map_or(u64::MAX, |bytes| u64::from(bytes.get()));
        let rows_of_bytes = at_least_one(bytes_a_second / TYPICAL_ROW_BYTES);
        let rows = drain.rows_per_second.map_or(usize::MAX, |rows| at_least_one(u64::from(rows.get())));
        let rows = most.rows.min(rows).min(rows_of_bytes);
        let limits = Limits { rows, bytes: most.bytes.min(at_least_one(bytes_a_second)) };
        let units = |bytes: NonZeroU32| u32::try_from(u64::from(bytes.get()).div_ceil(BYTES_A_UNIT)).ok();
        Self {
            limits,
            rows: drain.rows_per_second.map(Rate::new),
            bytes: drain.bytes_per_second.and_then(units).and_then(NonZeroU32::new).map(Rate::new),
            latency: Latency::new(drain.latency_budget.unwrap_or(deadline / 2), rows),
        }
    }

    /// What the next batch may hold.
    pub fn limits(&self) -> Limits {
        Limits { rows: self.latency.rows(), ..self.limits }
    }

    /// Waits until a batch may be sent. May be given up at any time.
    pub async fn wait(&self, batch: &Batch, pulse: &Pulse) {
        let mut waiting = std::pin::pin!(self.wait_for(batch));
        while tokio::time::timeout(BEAT_EVERY, &mut waiting).await.is_err() {
            pulse.beat();
        }
    }

    async fn wait_for(&self, batch: &Batch) {
        if !self.latency.pause().is_zero() {
            tokio::time::sleep(self.latency.pause()).await;
        }
        if let Some(rate) = &self.rows {
            rate.wait(batch.rows()).await;
        }
        if let Some(rate) = &self.bytes {
            rate.wait(sent_bytes(batch).div_ceil(BYTES_A_UNIT)).await;
        }
    }

    /// A batch of so many rows took so long, or was given up after that.
    pub fn took(&mut self, rows: u64, time: Duration) {
        self.latency.took(usize::try_from(rows).unwrap_or(usize::MAX), time);
    }
}

fn at_least_one(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{MissingSpan, StreamId, Why};
    use tokio::time::Instant;

    const MOST: Limits = Limits { rows: 5000, bytes: 1 << 20 };

    const DEADLINE: Duration = Duration::from_secs(5);

    fn drain(rows: Option<u32>, bytes: Option<u32>) -> config::Drain {
        let (rows, bytes) = (rows.and_then(NonZeroU32::new), bytes.and_then(NonZeroU32::new));
        config::Drain {
            rows_per_second: rows,
            bytes_per_second: bytes,
            latency_budget: None,
            ..config::Drain::default()
        }
    }

    #[test]
    fn a_rate_below_one_batch_makes_the_batch_smaller_and_never_empty() {
        let limits = |rows, bytes| Throttle::new(&drain(rows, bytes), MOST, DEADLINE).limits();
        assert_eq!(limits(None, None), MOST);
        assert_eq!(limits(Some(100_000), None), MOST);
        assert_eq!(limits(Some(7), None), Limits { rows: 7, ..MOST });
        assert_eq!(limits(None, Some(64 * 1024)), Limits { rows: 1024, bytes: 64 * 1024 });
        assert_eq!(limits(Some(1), Some(32)), Limits { rows: 1, bytes: 32 });
    }

    #[tokio::test(start_paused = true)]
    async fn both_rates_are_kept_and_the_pulse_beats_meanwhile() {
        let gap = |first, last| vec![MissingSpan { first, last, why: Why::Gone }];
        let batch = Batch::of_missing(StreamId::from_u64(7).unwrap(), 0, 9, gap);
        let pulse = Pulse::default();
        let throttle = Throttle::new(&drain(Some(1), None), MOST, DEADLINE);
        let began = Instant::now();
        for _ in 0..5 {
            throttle.wait(&batch, &pulse).await;
        }
        assert_eq!(began.elapsed().as_secs(), 4, "one row each, the first at once");
        let bytes = u32::try_from(sent_bytes(&batch)).unwrap();
        let throttle = Throttle::new(&drain(None, Some(bytes / 2)), MOST, DEADLINE);
        let began = Instant::now();
        for _ in 0..3 {
            throttle.wait(&batch, &pulse).await;
        }
        let took = began.elapsed().as_secs_f64();
        assert!((4.5..5.5).contains(&took), "two seconds' worth each, the first second at once: {took}");
        assert!(pulse.age() <= BEAT_EVERY);
    }

    #[test]
    fn a_latency_budget_makes_batches_smaller() {
        let budget = Duration::from_millis(10);
        let mut throttle =
            Throttle::new(&config::Drain { latency_budget: Some(budget), ..drain(Some(1000), None) }, MOST, DEADLINE);
        assert_eq!(throttle.limits().rows, 1000);
        throttle.took(1000, budget * 2);
        assert_eq!(throttle.limits().rows, 500);
    }

    #[test]
    fn without_a_budget_half_of_the_deadline_is_one() {
        let mut throttle = Throttle::new(&drain(None, None), MOST, DEADLINE);
        throttle.took(5000, DEADLINE / 2);
        assert_eq!(throttle.limits(), MOST);
        throttle.took(5000, DEADLINE);
        assert_eq!(throttle.limits().rows, 2500);
    }
}

//! Keeps transactions short, so that a database with other work to do stays quick for it. Pure.

use std::time::Duration;

/// A batch never has fewer rows, or a slow server would make it stand still.
const LEAST_ROWS: usize = 1;
/// The longest pause: the server may have been frozen, and that is over.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many rows a transaction may have, and how long to wait before the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    budget: Duration,
    most_rows: usize,
    rows: usize,
    pause: Duration,
}

impl Latency {
    /// For transactions that are to take no longer than `budget`, and to have `most_rows` at most.
    pub fn new(budget: Duration, most_rows: usize) -> Self {
        Self { budget, most_rows, rows: most_rows, pause: Duration::ZERO }
    }

    /// How many rows the next transaction may have.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How long to wait before it.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// A transaction of so many rows took so long. Over the budget, the next one has half as many and waits for as long as the
    /// excess; within it, one that was as large as it might be makes the next one larger by a sixteenth.
    pub fn took(&mut self, rows: usize, time: Duration) {
        let excess = time.saturating_sub(self.budget);
        self.pause = excess.min(LONGEST_PAUSE);
        if excess > Duration::ZERO {
            self.rows = (rows.min(self.rows) / 2).max(LEAST_ROWS);
        } else if rows >= self.rows {
            self.rows = (self.rows + self.rows.div_ceil(16)).min(self.most_rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_millis(50);

    /// What becomes of the rows at a server that takes so long for each.
    fn settled(us_a_row: u64) -> Vec<usize> {
        let mut latency = Latency::new(BUDGET, 5000);
        let mut seen = Vec::new();
        for _ in 0..200 {
            let rows = latency.rows();
            latency.took(rows, Duration::from_micros(us_a_row * u64::try_from(rows).unwrap()));
            seen.push(rows);
        }
        seen.split_off(100)
    }

    #[test]
    fn a_quick_server_gets_whole_batches() {
        assert_eq!(settled(9), [5000; 100]);
    }

    #[test]
    fn a_slow_server_gets_batches_around_its_budget_and_a_hopeless_one_single_rows() {
        let around = settled(100);
        assert!(around.iter().all(|rows| (250..=550).contains(rows)), "{around:?}");
        assert_eq!(settled(1_000_000), [1; 100]);
    }

    #[test]
    fn the_excess_is_waited_for_up_to_a_bound_and_forgotten_when_there_is_none() {
        let mut latency = Latency::new(BUDGET, 5000);
        latency.took(5000, BUDGET * 3);
        assert_eq!((latency.rows(), latency.pause()), (2500, BUDGET * 2));
        latency.took(2500, Duration::from_secs(60));
        assert_eq!((latency.rows(), latency.pause()), (1250, LONGEST_PAUSE));
        latency.took(1250, BUDGET);
        assert_eq!((latency.rows(), latency.pause()), (1329, Duration::ZERO));
        latency.took(10, BUDGET);
        assert_eq!(latency.rows(), 1329, "a batch that was small for want of readings says nothing");
        latency.took(10, BUDGET * 2);
        assert_eq!(latency.rows(), 5, "not even ten rows were quick enough");
    }
}

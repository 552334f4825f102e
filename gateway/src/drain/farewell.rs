//! When a drain that was told to stop ends.

use std::time::Duration;
use tokio::time::Instant;

/// A gateway of two that stops goes on for so long with what only it has read: nobody would bring it until it runs again.
const FAREWELL: Duration = Duration::from_secs(5);

/// Since when it is to stop.
#[derive(Debug, Default)]
pub struct Farewell(Option<Instant>);

impl Farewell {
    /// Whether it may end, after a turn that found nothing to do (`is_done`) or not. A gateway alone finishes its batch and ends.
    pub fn may_end(&mut self, is_stopping: bool, is_one_of_two: bool, is_done: bool) -> bool {
        if !is_stopping {
            return false;
        }
        let since = *self.0.get_or_insert_with(Instant::now);
        !is_one_of_two || is_done || since.elapsed() >= FAREWELL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_of_two_ends_when_it_has_brought_everything_or_after_a_while() {
        let mut farewell = Farewell::default();
        assert!(!farewell.may_end(false, true, true));
        assert!(!farewell.may_end(true, true, false));
        assert!(farewell.may_end(true, true, true));
        tokio::time::advance(FAREWELL).await;
        assert!(farewell.may_end(true, true, false));
        assert!(Farewell::default().may_end(true, false, false), "a gateway alone");
    }
}

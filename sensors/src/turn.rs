//! Whether it is this gateway's turn to ask the nodes that only one gateway may ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a source looks whether its turn has come or is over.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a source says of itself while it waits for its turn.
pub const WAITING: &str = "this gateway is on standby; the other one reads it";

/// The right to ask, until a moment on the clock that never steps ([`Stamp::boottime_us`](crate::Stamp)): a gateway that was
/// frozen finds it expired. Clones are the same right.
#[derive(Debug, Clone)]
pub struct Turn(Option<Arc<AtomicU64>>);

impl Turn {
    /// Ours for ever: nobody else asks. It can be neither granted nor withdrawn.
    pub fn always() -> Self {
        Self(None)
    }

    /// Not ours until it is granted.
    #[allow(clippy::new_without_default, reason = "of two ways to begin neither is the usual one")]
    pub fn new() -> Self {
        Self(Some(Arc::new(AtomicU64::new(0))))
    }

    /// Ours until this moment, in microseconds since boot; instead of what was granted before.
    pub fn grant_until(&self, boottime_us: u64) {
        if let Some(until_us) = &self.0 {
            until_us.store(boottime_us, Ordering::SeqCst);
        }
    }

    /// Not ours from now on.
    pub fn withdraw(&self) {
        self.grant_until(0);
    }

    /// Whether it is ours at this moment, in microseconds since boot.
    pub fn is_ours(&self, now_boottime_us: u64) -> bool {
        self.0.as_ref().is_none_or(|until_us| now_boottime_us < until_us.load(Ordering::SeqCst))
    }

    /// Whether it may be over some time.
    pub fn may_end(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_granted_expires_and_is_withdrawn_for_all_clones() {
        let turn = Turn::new();
        let other = turn.clone();
        assert!(!other.is_ours(0));
        turn.grant_until(50);
        assert!(other.is_ours(49) && !other.is_ours(50), "up to the moment, without it");
        turn.grant_until(80);
        assert!(other.is_ours(79));
        turn.withdraw();
        assert!(!other.is_ours(0) && other.may_end());
    }

    #[test]
    fn what_nobody_else_asks_is_ours_for_ever() {
        let turn = Turn::always();
        turn.withdraw();
        assert!(turn.is_ours(u64::MAX) && !turn.may_end());
    }
}

//! When to try again after trouble at the database, and what to say of it: the first and the last of a run, not each try.

use crate::database::{Class, DbError};
use sensors::backoff::Backoff;
use std::time::Duration;
use tracing::{error, info, warn};

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// How the drain is getting on.
pub struct Pace {
    /// How long to wait before the next try.
    pub backoff: Backoff,
    /// The trouble that was said last; none since a batch was written.
    told: Option<DbError>,
}

impl Pace {
    /// Nothing has gone wrong yet.
    pub fn new() -> Self {
        Self { backoff: Backoff::new(SHORTEST, LONGEST, u64::from(std::process::id())), told: None }
    }

    /// Another server takes writes, or one does again: no reason to wait, and the same trouble would be news.
    pub fn start_again(&mut self) {
        self.backoff.reset();
        self.told = None;
    }

    /// No trouble has been said since a batch was written.
    pub fn is_well(&self) -> bool {
        self.told.is_none()
    }

    /// A batch was written.
    pub fn went_well(&mut self) {
        self.backoff.reset();
        if self.told.take().is_some() {
            info!("draining goes on");
        }
    }

    /// Says what is wrong, unless it has been said. True if it was news.
    pub fn tell_trouble(&mut self, trouble: DbError) -> bool {
        if self.told.as_ref() == Some(&trouble) {
            return false;
        }
        match trouble.class {
            Class::Protocol => error!("draining stopped, collecting goes on: {trouble}"),
            Class::Setup => warn!("draining waits, collecting goes on: {trouble}"),
            _ => warn!("draining is interrupted: {trouble}; the cursor will say where to go on"),
        }
        self.told = Some(trouble);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_said_again_only_after_something_has_changed() {
        let trouble = || DbError::closed("db1");
        let mut pace = Pace::new();
        assert!(pace.tell_trouble(trouble()));
        assert!(!pace.tell_trouble(trouble()));
        assert!(pace.tell_trouble(DbError::closed("db2")));
        assert!(!pace.is_well());
        pace.went_well();
        assert!(pace.is_well());
        assert!(pace.tell_trouble(DbError::closed("db2")));
        pace.start_again();
        assert!(pace.tell_trouble(DbError::closed("db2")));
    }
}

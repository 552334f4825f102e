//! Whether the bus is there, and when to look again.

use super::bus::{Bus, BusError};
use crate::backoff::Backoff;
use crate::clock::Stamp;
use crate::meter::Meter;
use crate::turn::WAITING;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing::{info, warn};

/// What is known of a bus. Times are microseconds on a clock that never steps.
pub struct Presence {
    path: PathBuf,
    meter: Meter,
    /// Why the bus is not open; none when it is.
    away: Option<BusError>,
    /// Whether a transfer has shown that what was opened is a bus.
    proven: bool,
    /// The trouble already reported, so that a run of equal failures is one line.
    reported: Option<BusError>,
    look_at_us: u64,
    backoff: Backoff,
}

impl Presence {
    /// A bus that is to be opened at once.
    pub fn new(path: &Path, meter: Meter, now_us: u64) -> Self {
        Self {
            path: path.to_owned(),
            meter,
            away: Some(BusError::Away("the bus has not been opened".to_owned())),
            proven: false,
            reported: None,
            look_at_us: now_us,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(10), 1),
        }
    }

    /// Why the bus is not open; none when it is.
    pub fn away(&self) -> Option<&BusError> {
        self.away.as_ref()
    }

    /// When to look again; none while the bus is open.
    pub fn look_at_us(&self) -> Option<u64> {
        self.away.as_ref().map(|_| self.look_at_us)
    }

    /// Opens the bus when it is time. True when it was away and is open now.
    pub fn look(&mut self, bus: &mut dyn Bus, now: Stamp) -> bool {
        if self.look_at_us().is_none_or(|at_us| now.boottime_us < at_us) {
            return false;
        }
        match bus.open() {
            Ok(()) => self.away = None,
            Err(error) => self.gone(error, now),
        }
        self.away.is_none()
    }

    /// A transfer has said that the bus is gone.
    pub fn gone(&mut self, error: BusError, now: Stamp) {
        if self.reported.as_ref() != Some(&error) {
            warn!(bus = %self.path.display(), "the bus is away: {error}; trying again until it is there");
            self.reported = Some(error.clone());
        }
        self.meter.lost(&error.to_string(), now.wall_us);
        self.away = Some(error);
        self.proven = false;
        let delay_us = u64::try_from(self.backoff.delay().as_micros()).unwrap_or(u64::MAX);
        self.look_at_us = now.boottime_us.saturating_add(delay_us);
    }

    /// A transfer was tried: the bus is there, whatever the node said.
    pub fn proven(&mut self, now: Stamp) {
        if !self.proven {
            info!(bus = %self.path.display(), "the bus is there");
            self.meter.connected(now.wall_us);
            self.proven = true;
            self.reported = None;
            self.backoff.reset();
        }
    }

    /// The other gateway asks from now on. Whether the bus is there is not known until it is asked again.
    pub fn rest(&mut self, now: Stamp) {
        self.meter.lost(WAITING, now.wall_us);
        self.proven = false;
    }

    /// This gateway asks again: a bus that was away is looked for at once.
    pub fn resume(&mut self, now: Stamp) {
        self.backoff.reset();
        self.look_at_us = now.boottime_us;
    }
}

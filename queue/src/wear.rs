//! Counting what is written to the disk.

use std::fs;

use crate::Wear;

/// Counts from what earlier processes counted.
#[derive(Debug)]
pub(crate) struct Meter {
    before: Wear,
    written_at_start: u64,
    syncs: u64,
}

impl Meter {
    pub(crate) fn new(before: Wear) -> Meter {
        Meter { before, written_at_start: written_bytes(), syncs: 0 }
    }

    pub(crate) fn count_sync(&mut self) {
        self.syncs = self.syncs.saturating_add(1);
    }

    /// Everything so far. The first time at which the clock is known begins the count.
    pub(crate) fn wear(&mut self, now_ms: u64) -> Wear {
        if self.before.since_ms == 0 {
            self.before.since_ms = now_ms;
        }
        let since_ms = self.before.since_ms;
        let written = written_bytes().saturating_sub(self.written_at_start);
        Wear {
            since_ms,
            written_bytes: self.before.written_bytes.saturating_add(written),
            syncs: self.before.syncs.saturating_add(self.syncs),
        }
    }
}

/// What this process handed to disks so far, all files together, as the kernel counts it; 0 where it does not.
fn written_bytes() -> u64 {
    let counts = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let written = counts.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    written.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_what_was_counted_before() {
        let mut meter = Meter::new(Wear { since_ms: 7, written_bytes: 1000, syncs: 3 });
        meter.count_sync();
        let wear = meter.wear(99);
        assert_eq!((wear.since_ms, wear.syncs), (7, 4));
        assert!(wear.written_bytes >= 1000);
        let mut fresh = Meter::new(Wear::default());
        assert_eq!([0, 99, 120].map(|now_ms| fresh.wear(now_ms).since_ms), [0, 99, 99]);
    }
}

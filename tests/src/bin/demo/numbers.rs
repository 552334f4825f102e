//! What it costs: printed, not asserted.

use std::time::Instant;

use crate::site::Site;

/// A measurement that has begun.
pub struct Measure {
    began: Instant,
    rows: usize,
    cpu_seconds: f64,
}

/// What was measured.
pub struct Numbers {
    /// Rows committed in the source each second.
    pub rows_a_second: f64,
    /// Processor seconds of the gateway for 100,000 rows.
    pub cpu_seconds_a_100_000: f64,
    /// Memory of the gateway at the end, MiB.
    pub rss_mib: f64,
}

/// Begins to measure.
pub fn begin(site: &Site) -> Measure {
    Measure { began: Instant::now(), rows: site.rows(0).unwrap_or(0), cpu_seconds: site.gateway.cpu_seconds() }
}

impl Measure {
    /// What happened since.
    pub fn end(self, site: &Site) -> Numbers {
        let rows = site.rows(0).unwrap_or(0).saturating_sub(self.rows) as f64;
        Numbers {
            rows_a_second: rows / self.began.elapsed().as_secs_f64(),
            cpu_seconds_a_100_000: (site.gateway.cpu_seconds() - self.cpu_seconds) / rows.max(1.0) * 100_000.0,
            rss_mib: site.gateway.rss_bytes() as f64 / (1024.0 * 1024.0),
        }
    }
}

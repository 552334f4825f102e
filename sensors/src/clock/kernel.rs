//! The clock of this machine. The only file with unsafe code: reading adjtimex(2) has no safe wrapper in a crate
//! that is kept, and it is the only place where the kernel says whether its wall time is synchronised.

use super::{ClockQuality, SampleClock, Stamp, quality};
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Made by systemd-timesyncd when it has set the clock in this boot.
const TIMESYNC_WITNESS: &str = "/run/systemd/timesync/synchronized";

/// Stamps from the kernel's clocks.
#[derive(Debug)]
pub struct KernelClock {
    boot: u128,
    was_synced: AtomicBool,
}

impl KernelClock {
    /// Reads the id of this boot.
    ///
    /// # Errors
    /// When `/proc/sys/kernel/random/boot_id` cannot be read or holds no id.
    pub fn open() -> io::Result<Self> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        let boot = u128::from_str_radix(&digits, 16).map_err(io::Error::other)?;
        let was_synced = AtomicBool::new(Path::new(TIMESYNC_WITNESS).exists());
        Ok(Self { boot, was_synced })
    }
}

impl SampleClock for KernelClock {
    fn stamp(&self) -> Stamp {
        let (unsynchronised, max_error_us) = kernel_sync_state();
        if !unsynchronised {
            self.was_synced.store(true, Ordering::Relaxed);
        }
        let quality = quality(unsynchronised, self.was_synced.load(Ordering::Relaxed));
        Stamp {
            boot: self.boot,
            boottime_us: u64::try_from(micros(clock_gettime(ClockId::Boottime))).unwrap_or(0),
            wall_us: micros(clock_gettime(ClockId::Realtime)),
            quality,
            error_us: (quality == ClockQuality::Synced).then_some(max_error_us),
        }
    }
}

fn micros(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1000)
}

/// STA_UNSYNC and the maximum error in microseconds. A call that fails (a sandbox that forbids it) counts as
/// not synchronised: better modest than wrong.
#[allow(unsafe_code, reason = "adjtimex(2) has no safe wrapper in a kept crate")]
fn kernel_sync_state() -> (bool, u32) {
    // SAFETY: timex is plain data for which all zeroes is valid; modes = 0 asks and changes nothing, and the
    // kernel writes only within the struct that the pointer names.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut timex);
        (state, timex)
    };
    let unsynchronised = state < 0 || timex.status & libc::STA_UNSYNC != 0;
    (unsynchronised, u32::try_from(timex.maxerror).unwrap_or(u32::MAX))
}

//! What leaves the queue: readings that every promotable replica has and that are older than `keep`; under
//! pressure also younger ones.

use queue::{QueueError, Reader, StreamId, Writer};
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::{info, warn};

/// Frames removed in one go, so that trimming a long backlog does not hold up the next group.
const FRAMES_A_TURN: usize = 256;
/// A wall clock before 2020 has not been set; what it wrote has no known age.
const EARLIEST_MS: i64 = 1_577_836_800_000;

/// Age and size.
#[derive(Debug, Clone, Copy)]
pub struct TrimRule {
    /// How long a reading stays after it could have left.
    pub keep: Duration,
    /// How many live bytes the queue may hold.
    pub max_bytes: u64,
}

impl TrimRule {
    /// At 95 % of the limit nothing new is taken, until it is below 90 % again.
    fn is_full(&self, was_full: bool, live_bytes: u64) -> bool {
        let percent = if was_full { 90 } else { 95 };
        live_bytes >= self.max_bytes / 100 * percent
    }

    /// Whether so many bytes more do not fill the queue.
    pub fn has_room(&self, live_bytes: u64, more: u64) -> bool {
        !self.is_full(true, live_bytes.saturating_add(more))
    }

    /// At 75 % of the limit what may leave does so at once.
    fn is_pressed(&self, live_bytes: u64) -> bool {
        live_bytes >= self.max_bytes / 100 * 75
    }

    /// Logs when the queue becomes full and when it has room again.
    pub fn tell_if_changed(&self, full: &mut bool, live_bytes: u64) {
        let now = self.is_full(*full, live_bytes);
        match (*full, now) {
            (false, true) => warn!(
                "the queue is full ({live_bytes} bytes of {}): nothing more is taken and the broker has to hold its messages; bring a database back, or raise queue.max",
                self.max_bytes
            ),
            (true, false) => info!("the queue has room again"),
            _ => {}
        }
        *full = now;
    }

    /// Removes what may go, oldest first.
    ///
    /// # Errors
    /// [`QueueError`].
    pub fn trim(
        &self,
        writer: &mut Writer,
        reader: &Reader,
        leave: &BTreeMap<StreamId, u64>,
        now_ms: i64,
    ) -> Result<(), QueueError> {
        for _ in 0..FRAMES_A_TURN {
            let Some(oldest) = reader.oldest()? else { return Ok(()) };
            let may_leave = leave.get(&oldest.stream).is_some_and(|through| *through >= oldest.last);
            let old = self.is_pressed(writer.live_bytes()) || is_older(oldest.written_ms, now_ms, self.keep);
            if !may_leave || !old || writer.trim(oldest.stream, oldest.last)? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether something written at `written_ms` is older than `keep`. What an unset clock wrote has no known age and stays
/// until the pressure rises, unless nothing is to be kept at all.
fn is_older(written_ms: u64, now_ms: i64, keep: Duration) -> bool {
    let (written, keep) =
        (i64::try_from(written_ms).unwrap_or(i64::MAX), i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
    keep == 0 || (written >= EARLIEST_MS && now_ms.saturating_sub(written) > keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_known_only_from_a_clock_that_was_set() {
        let (day, now) = (Duration::from_secs(86_400), 1_800_000_000_000);
        assert!(is_older(1_800_000_000_000 - 86_400_001, now, day));
        assert!(!is_older(1_800_000_000_000 - 86_399_999, now, day));
        assert!(!is_older(5_000, now, day), "written in 1970");
        assert!(!is_older(0, now, day));
        assert!(!is_older(1_900_000_000_000, now, day), "written in the future");
        assert!(is_older(0, now, Duration::ZERO));
    }

    #[test]
    fn pressure_comes_before_fullness_and_fullness_has_a_hysteresis() {
        let rule = TrimRule { keep: Duration::from_secs(1), max_bytes: 1000 };
        assert!(!rule.is_pressed(749) && rule.is_pressed(750));
        assert!(!rule.is_full(false, 949) && rule.is_full(false, 950));
        assert!(rule.is_full(true, 920) && !rule.is_full(true, 899));
    }
}

//! What leaves the queue: readings that every promotable replica has and that are older than `keep`; under
//! pressure also younger ones.

use super::writing::WritingEnd;
use queue::{QueueError, Reader, StreamId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Frames removed in one go, so that trimming a long backlog does not hold up the next group.
const FRAMES_A_TURN: usize = 256;
/// A wall clock before 2020 has not been set; what it wrote has no known age.
const EARLIEST_MS: i64 = 1_577_836_800_000;

/// Age.
#[derive(Debug, Clone, Copy)]
pub struct TrimRule {
    /// How long a reading stays after it could have left.
    pub keep: Duration,
}

impl TrimRule {
    /// Removes what may go, oldest first, as much as one turn may take; true when it removed anything. `is_pressed` says
    /// for so many live bytes whether also what is younger goes.
    ///
    /// # Errors
    /// [`QueueError`].
    pub fn trim(
        &self,
        writer: &mut impl WritingEnd,
        reader: &Reader,
        leave: &BTreeMap<StreamId, u64>,
        now_ms: i64,
        is_pressed: impl Fn(u64) -> bool,
    ) -> Result<bool, QueueError> {
        for turn in 0..FRAMES_A_TURN {
            let Some(oldest) = reader.oldest()? else { return Ok(turn > 0) };
            let may_leave = leave.get(&oldest.stream).is_some_and(|through| *through >= oldest.last);
            let old = is_pressed(writer.live_bytes()) || is_older(oldest.written_ms, now_ms, self.keep);
            if !may_leave || !old || writer.trim(oldest.stream, oldest.last)? == 0 {
                return Ok(turn > 0);
            }
        }
        Ok(true)
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
}

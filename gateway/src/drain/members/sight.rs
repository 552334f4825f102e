//! Whether another gateway lives, and how far its clock is from ours, by the times in its row alone: no server is asked for the
//! time. A row that has changed between two looks was written between them. Pure.

/// What is known of another gateway's row. All times in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// When it was written, by the other one's clock.
    updated_us: i64,
    /// When it was last looked at, by ours.
    looked_us: i64,
    /// About when it was written, by ours.
    moved_us: i64,
    /// How far the other one's clock is ahead at least; below 0 when it is behind.
    pub ahead_us: i64,
}

impl Sight {
    /// After the next look at it.
    pub fn next(before: Option<&Self>, updated_us: i64, now_us: i64) -> Self {
        let (moved_us, ahead_us) = match before {
            Some(before) if before.updated_us == updated_us => (before.moved_us, before.ahead_us),
            Some(before) => (now_us, outside(before.looked_us, updated_us, now_us)),
            // At the first look it may be old, and only what is still to come is certain.
            None => (updated_us.min(now_us), outside(updated_us, updated_us, now_us)),
        };
        Self { updated_us, looked_us: now_us, moved_us, ahead_us }
    }

    /// Whether it was written so lately.
    pub fn is_fresh(&self, now_us: i64, within_us: i64) -> bool {
        now_us.saturating_sub(self.moved_us) <= within_us
    }
}

/// How far a time lies outside of the span in which it was taken.
fn outside(from_us: i64, time_us: i64, to_us: i64) -> i64 {
    if time_us > to_us { time_us.saturating_sub(to_us) } else { time_us.saturating_sub(from_us).min(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    /// Looks at these times of ours, each with the time in the row.
    fn looks(looks: &[(i64, i64)]) -> Sight {
        let next =
            |before: Option<Sight>, (now, updated): &(i64, i64)| Some(Sight::next(before.as_ref(), *updated, *now));
        looks.iter().fold(None, next).unwrap()
    }

    #[test]
    fn equal_clocks_are_not_apart_however_long_ago_it_wrote() {
        assert_eq!(looks(&[(1000, 100)]).ahead_us, 0);
        assert_eq!(looks(&[(1000, 990), (1060, 1050)]).ahead_us, 0);
        assert_eq!(looks(&[(1000, 990), (1060, 990), (1120, 1110)]).ahead_us, 0);
    }

    #[test]
    fn a_clock_that_is_ahead_is_seen_at_once_and_one_that_is_behind_when_its_row_moves() {
        assert_eq!(looks(&[(1000, 1300)]).ahead_us, 300);
        assert_eq!(looks(&[(1000, 500)]).ahead_us, 0, "it may have written then");
        assert_eq!(looks(&[(1000, 500), (1060, 540)]).ahead_us, -460);
        assert_eq!(looks(&[(1000, 500), (1030, 500), (1060, 540)]).ahead_us, -490, "the later look tells more");
        assert_eq!(looks(&[(1000, 500), (1060, 540), (1061, 540)]).ahead_us, -460, "it stays known");
        assert_eq!(looks(&[(1000, 500), (1060, 540), (1120, 1100)]).ahead_us, 0, "it was set");
    }

    #[test]
    fn one_that_writes_lives_whatever_its_clock_says() {
        let is_fresh = |sight: Sight| sight.is_fresh(sight.looked_us, MINUTE);
        assert!(is_fresh(looks(&[(1000, 990)])) && !is_fresh(looks(&[(1000, 500)])));
        assert!(is_fresh(looks(&[(1000, 500), (1060, 540)])));
        assert!(!is_fresh(looks(&[(1000, 9000), (1061, 9000)])), "nor does one from the future live for ever");
        assert!(!is_fresh(looks(&[(1000, 500), (1060, 540), (1130, 540)])));
    }
}

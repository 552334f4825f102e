//! How long a card will last at the rate at which the queue writes. Pure.

/// A consumer card is assumed to be good for writing all of it so many times.
pub const FULL_OVERWRITES: u64 = 1000;
/// Less tells nothing of a day.
const SHORTEST_MS: u64 = 3_600_000;
const DAY_MS: u128 = 86_400_000;

/// What the queue does to its card at its present rate.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CardLife {
    /// Bytes written a day.
    pub bytes_a_day: u64,
    /// Syncs a day.
    pub syncs_a_day: u64,
    /// How many days until the whole card has been written [`FULL_OVERWRITES`] times; none when nothing is written.
    pub days: Option<u64>,
}

/// What is counted since a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Written {
    /// Milliseconds since 1970; 0 = unknown.
    pub since_ms: u64,
    /// Bytes.
    pub bytes: u64,
    /// Syncs.
    pub syncs: u64,
}

/// The rate and what follows of it for a disk of `card_bytes`; none before an hour has passed.
pub fn project(written: Written, now_ms: u64, card_bytes: u64) -> Option<CardLife> {
    let passed = now_ms.checked_sub(written.since_ms).filter(|ms| *ms >= SHORTEST_MS && written.since_ms > 0)?;
    let a_day = |count: u64| u64::try_from(u128::from(count) * DAY_MS / u128::from(passed)).unwrap_or(u64::MAX);
    let bytes_a_day = a_day(written.bytes);
    let days = u128::from(card_bytes) * u128::from(FULL_OVERWRITES);
    let days = days.checked_div(u128::from(bytes_a_day)).map(|days| u64::try_from(days).unwrap_or(u64::MAX));
    Some(CardLife { bytes_a_day, syncs_a_day: a_day(written.syncs), days })
}

/// The length of a card's life, as far as it is worth telling.
pub fn in_words(days: Option<u64>) -> String {
    match days {
        None => "nothing is being written".to_owned(),
        Some(days @ 0..60) => format!("about {days} days at this rate"),
        Some(days @ 60..730) => format!("about {} months at this rate", days / 30),
        Some(days @ 730..36_500) => format!("about {} years at this rate", days / 365),
        Some(_) => "more than 100 years at this rate".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_763_632_800_000;
    const GB: u64 = 1_000_000_000;

    #[test]
    fn the_rate_is_one_of_a_day_and_the_card_is_written_a_thousand_times() {
        let written = Written { since_ms: NOW - 43_200_000, bytes: 5 * GB, syncs: 100 };
        let life = project(written, NOW, 32 * GB).unwrap();
        assert_eq!((life.bytes_a_day, life.syncs_a_day, life.days), (10 * GB, 200, Some(3200)));
        assert_eq!(in_words(life.days), "about 8 years at this rate");
    }

    #[test]
    fn before_an_hour_and_with_a_clock_that_was_not_set_nothing_is_known() {
        let written = |since_ms| Written { since_ms, bytes: 1, syncs: 1 };
        assert_eq!(project(written(NOW - 3_599_999), NOW, GB), None);
        assert!(project(written(NOW - 3_600_000), NOW, GB).is_some());
        assert_eq!(project(written(0), NOW, GB), None);
        assert_eq!(project(written(NOW + 1), NOW, GB), None);
    }

    #[test]
    fn a_card_on_which_nothing_is_written_and_one_that_is_worn_out_in_days() {
        let quiet = project(Written { since_ms: 1, bytes: 0, syncs: 0 }, NOW, GB).unwrap();
        assert_eq!(in_words(quiet.days), "nothing is being written");
        assert_eq!(
            [in_words(Some(3)), in_words(Some(90)), in_words(Some(u64::MAX))],
            ["about 3 days at this rate", "about 3 months at this rate", "more than 100 years at this rate"]
        );
    }
}

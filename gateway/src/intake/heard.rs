//! Up to when everything that was heard is durable. Pure.

/// What one turn of the intake has found. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// A moment after which nothing was found waiting; none when something was, or may have been.
    pub empty_at_us: Option<i64>,
    /// The stamp of the last that became durable.
    pub last_us: Option<i64>,
}

/// The moment before which everything that the sources stamped and handed over is durable, or told by a gap that is. It never
/// goes back, except with the wall clock; 0 when nothing is known.
pub fn heard_through(before_us: i64, found: Found, now_us: i64) -> i64 {
    let found_us = found.empty_at_us.or(found.last_us).map(|us| us.min(now_us));
    if before_us > now_us {
        // The clock went back: what is heard from now on has times that seemed to be over.
        return found_us.unwrap_or(0);
    }
    found_us.map_or(before_us, |us| us.max(before_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(empty_at_us: Option<i64>, last_us: Option<i64>) -> Found {
        Found { empty_at_us, last_us }
    }

    #[test]
    fn an_empty_way_says_more_than_the_last_reading_and_less_is_known_while_more_waits() {
        assert_eq!(heard_through(10, found(Some(50), Some(30)), 60), 50);
        assert_eq!(heard_through(10, found(None, Some(30)), 60), 30);
        assert_eq!(heard_through(10, found(Some(50), None), 60), 50, "silence is known too");
        assert_eq!(heard_through(10, found(None, None), 60), 10);
    }

    #[test]
    fn it_goes_back_with_the_clock_only_and_never_before_it() {
        assert_eq!(heard_through(40, found(None, Some(30)), 60), 40, "a reading that waited long");
        assert_eq!(heard_through(40, found(None, Some(90)), 60), 60, "stamped before the clock went back a little");
        assert_eq!(heard_through(100, found(Some(50), Some(99)), 60), 50);
        assert_eq!(heard_through(100, found(None, None), 60), 0);
    }
}

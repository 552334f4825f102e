//! Durations and sizes as people write them: a whole number and a unit.
//!
//! One table serves reading and showing, so a message names a bound in words that the file accepts. The packages for this read
//! more than we want to allow: `1M` as a month of 30.44 days beside `1m`, or `GB` and `GiB` side by side.

use std::time::Duration;

/// A unit's name for one, its name for several, and how many of the smallest unit it is.
type Scale = (&'static str, &'static str, u64);

/// Largest first; of units of the same length the first one is shown.
const DURATION: &[Scale] = &[
    ("day", "days", 86_400_000),
    ("h", "h", 3_600_000),
    ("hour", "hours", 3_600_000),
    ("min", "min", 60_000),
    ("minute", "minutes", 60_000),
    ("s", "s", 1000),
    ("second", "seconds", 1000),
    ("ms", "ms", 1),
];

/// Largest first; of units of the same size the first one is shown.
const SIZE: &[Scale] = &[
    ("TiB", "TiB", 1 << 40),
    ("GiB", "GiB", 1 << 30),
    ("MiB", "MiB", 1 << 20),
    ("KiB", "KiB", 1 << 10),
    ("B", "B", 1),
    ("byte", "bytes", 1),
];

/// Reads `"10s"`, `"200 ms"`, `"7 days"`. None when it is not a whole number with a unit; a number too large to hold is held
/// at the largest, so that the bounds refuse it.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    number(text, DURATION).map(Duration::from_millis)
}

/// Reads `"4 GiB"` or `"64 KiB"`, in bytes. None and too large: as for durations.
pub(crate) fn size_bytes(text: &str) -> Option<u64> {
    number(text, SIZE)
}

/// A duration in the largest unit that shows it whole. Parts of a millisecond are left out.
pub(crate) fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), DURATION)
}

/// A size in the largest unit that shows it whole.
pub(crate) fn show_size(bytes: u64) -> String {
    show(bytes, SIZE)
}

fn number(text: &str, scales: &[Scale]) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    if digits.is_empty() {
        return None;
    }
    let unit = unit.trim_start();
    let (_, _, scale) = scales.iter().find(|(one, many, _)| unit == *one || unit == *many)?;
    Some(digits.parse().unwrap_or(u64::MAX).saturating_mul(*scale))
}

fn show(number: u64, scales: &[Scale]) -> String {
    let whole = scales.iter().find(|(_, _, scale)| number >= *scale && number.is_multiple_of(*scale));
    let (one, many, scale) = whole.or(scales.last()).copied().unwrap_or(("", "", 1));
    let count = number / scale;
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let day = 86_400;
        for (text, seconds) in [
            ("10s", 10),
            ("7 days", 7 * day),
            ("1 day", day),
            ("1h", 3600),
            ("10 min", 600),
            ("2 hours", 7200),
            ("0 s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration(" 200 ms "), Some(Duration::from_millis(200)));
        for text in ["", "10", "s", "-1 s", "1.5 h", "1 m", "1 S", "1 h 5 min", "1 fortnight"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(size_bytes("4 GiB"), Some(4 << 30));
        assert_eq!(size_bytes("256MiB"), Some(256 << 20));
        assert_eq!(size_bytes("64 KiB"), Some(65_536));
        assert_eq!(size_bytes("7 bytes"), Some(7));
        assert_eq!(size_bytes("4 GB"), None);
        assert_eq!(size_bytes("99999999999999999999 TiB"), Some(u64::MAX));
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for (text, shown) in
            [("24 hours", "1 day"), ("60 s", "1 min"), ("90 s", "90 s"), ("0 days", "0 ms"), ("365 days", "365 days")]
        {
            assert_eq!(show_duration(duration(text).unwrap()), shown);
            assert_eq!(duration(shown), duration(text));
        }
        assert_eq!(show_size(1 << 40), "1 TiB");
        assert_eq!(show_size(1025), "1025 B");
    }
}

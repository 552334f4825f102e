//! Why there is no room for readings, in words.

use config::WhenFull;
use jiff::Timestamp;
use queue::pressure::Cause;

/// Why and since when there is no room, and what it has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Whether the queue or the disk has none.
    pub cause: Cause,
    /// What is done about it.
    pub when_full: WhenFull,
    /// When it began, microseconds since 1970.
    pub since_us: i64,
    /// Readings dropped since then.
    pub dropped: u64,
}

impl Full {
    /// What is wrong and what is done, in a sentence.
    pub fn words(&self) -> String {
        let what = match self.cause {
            Cause::Queue => "the queue is full",
            Cause::Disk => "the disk is nearly full",
        };
        let (dropped, since) = (self.dropped, self.since());
        match self.when_full {
            WhenFull::DropNewest => format!("{what}: dropping the newest readings, {dropped} dropped since {since}"),
            WhenFull::DropOldest => format!("{what}: dropping the oldest readings, {dropped} dropped since {since}"),
            WhenFull::Pause => format!("{what}: nothing more is taken since {since}, and brokers have to hold theirs"),
        }
    }

    /// That it is over, in a sentence.
    pub fn over(&self) -> String {
        match self.dropped {
            0 => "the queue has room again".to_owned(),
            dropped => format!(
                "the queue has room again; {dropped} readings were dropped since {}, and rows of gaps say which",
                self.since()
            ),
        }
    }

    fn since(&self) -> String {
        let since = Timestamp::from_microsecond(self.since_us);
        since.map(|since| since.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_what_is_wrong_what_is_done_and_since_when() {
        let since_us = 1_800_000_000_000_000;
        let full = Full { cause: Cause::Queue, when_full: WhenFull::DropNewest, since_us, dropped: 12 };
        let words = "the queue is full: dropping the newest readings, 12 dropped since 2027-01-15 08:00 UTC";
        assert_eq!(full.words(), words);
        let disk = Full { cause: Cause::Disk, when_full: WhenFull::DropOldest, ..full };
        assert!(disk.words().starts_with("the disk is nearly full: dropping the oldest readings, 12"), "{disk:?}");
        let pause = Full { when_full: WhenFull::Pause, dropped: 0, ..full };
        assert!(pause.words().contains("nothing more is taken since 2027"), "{}", pause.words());
        assert_eq!(pause.over(), "the queue has room again");
        assert!(full.over().contains("12 readings were dropped since 2027"), "{}", full.over());
    }
}

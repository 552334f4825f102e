//! How urgently the queue needs room. Pure.
//!
//! | | begins | ends |
//! | --- | --- | --- |
//! | [`Pressure::High`] | at 75 % of the limit | below 70 % |
//! | [`Pressure::Full`], because of the queue | at 95 % of the limit | below 90 % |
//! | [`Pressure::Full`], because of the disk | when less than the reserve is free | when 5/4 of the reserve are free |
//!
//! The live bytes count, not the files: those shrink later than the readings leave. The disk counts whatever the
//! queue holds, since somebody else may have filled it.

/// What is used and what there is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of all frames in the queue.
    pub live_bytes: u64,
    /// The limit of that.
    pub max_bytes: u64,
    /// Free on the disk, for us.
    pub free_bytes: u64,
    /// What is to stay free there.
    pub reserve_bytes: u64,
}

/// How urgently room is needed; the later is the more urgent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// There is room.
    #[default]
    Normal,
    /// What has been delivered leaves at once.
    High,
    /// Nothing more should be written, but for a few bytes that say so.
    Full(Cause),
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The queue has nearly reached its limit.
    Queue,
    /// The disk has less free than the reserve.
    Disk,
}

impl Pressure {
    /// Whether nothing more should be written.
    #[must_use]
    pub fn is_full(self) -> bool {
        matches!(self, Pressure::Full(_))
    }
}

/// The pressure now; what it was `before` decides between the bound where it begins and the lower one where it ends.
///
/// Each cause has its own: a disk that always has a little more than its reserve does not keep a queue full that has
/// been emptied.
#[must_use]
pub fn pressure(before: Pressure, room: &Room) -> Pressure {
    let enough_free = match before {
        Pressure::Full(Cause::Disk) => room.reserve_bytes.saturating_add(room.reserve_bytes / 4),
        _ => room.reserve_bytes,
    };
    let full_percent = if before == Pressure::Full(Cause::Queue) { 90 } else { 95 };
    let high_percent = if before == Pressure::Normal { 75 } else { 70 };
    if room.free_bytes < enough_free {
        Pressure::Full(Cause::Disk)
    } else if room.live_bytes >= part(room.max_bytes, full_percent) {
        Pressure::Full(Cause::Queue)
    } else if room.live_bytes >= part(room.max_bytes, high_percent) {
        Pressure::High
    } else {
        Pressure::Normal
    }
}

/// So many hundredths of it, rounded down, for any number of bytes.
fn part(bytes: u64, percent: u64) -> u64 {
    bytes / 100 * percent + bytes % 100 * percent / 100
}

#[cfg(test)]
mod tests {
    use super::Cause::{Disk, Queue};
    use super::Pressure::{Full, High, Normal};
    use super::*;

    const ALL: [Pressure; 4] = [Normal, High, Full(Queue), Full(Disk)];

    fn after(before: Pressure, live_bytes: u64, free_bytes: u64) -> Pressure {
        pressure(before, &Room { live_bytes, max_bytes: 1000, free_bytes, reserve_bytes: 100 })
    }

    #[test]
    fn each_bound_lies_where_the_table_says() {
        let table = [
            (Normal, 749, 100, Normal),
            (Normal, 750, 100, High),
            (Normal, 949, 100, High),
            (Normal, 950, 100, Full(Queue)),
            (Normal, 0, 99, Full(Disk)),
            (High, 700, 100, High),
            (High, 699, 100, Normal),
            (High, 949, 100, High),
            (High, 950, 100, Full(Queue)),
            (Full(Queue), 900, 100, Full(Queue)),
            (Full(Queue), 899, 100, High),
            (Full(Queue), 699, 100, Normal),
            (Full(Queue), 1000, 99, Full(Disk)),
            (Full(Disk), 0, 124, Full(Disk)),
            (Full(Disk), 0, 125, Normal),
            (Full(Disk), 949, 125, High),
            (Full(Disk), 950, 125, Full(Queue)),
        ];
        for (before, live, free, expected) in table {
            assert_eq!(after(before, live, free), expected, "{before:?}, {live} live, {free} free");
        }
    }

    /// More live bytes, or fewer free ones, never lower the pressure; nor does a higher one before.
    #[test]
    fn it_is_monotone() {
        for before in ALL {
            for (live, free) in
                (0..=1100).step_by(10).flat_map(|live| (0..200).step_by(5).map(move |free| (live, free)))
            {
                let now = after(before, live, free);
                assert!(after(before, live + 10, free) >= now, "{before:?}, {live}, {free}");
                assert!(after(before, live, free + 5) <= now, "{before:?}, {live}, {free}");
                let order = [Normal, High, Full(Queue)].map(|before| after(before, live, free));
                assert!(order.is_sorted() && after(Full(Disk), live, free) >= order[1], "{live}, {free}");
            }
        }
    }

    /// Without a change of the room there is none of the pressure either: it never swings.
    #[test]
    fn it_rests_at_once() {
        for before in ALL {
            for (live, free) in (0..=1100).flat_map(|live| [0, 99, 100, 124, 125, 300].map(|free| (live, free))) {
                let now = after(before, live, free);
                assert_eq!(after(now, live, free), now, "{before:?}, {live}, {free}");
            }
        }
    }

    #[test]
    fn it_has_an_answer_for_every_number() {
        let edges = [0, 1, 99, 100, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for (live_bytes, max_bytes) in edges.iter().flat_map(|live| edges.map(|max| (*live, max))) {
            for (free_bytes, reserve_bytes) in edges.iter().flat_map(|free| edges.map(|reserve| (*free, reserve))) {
                let room = Room { live_bytes, max_bytes, free_bytes, reserve_bytes };
                let found = ALL.map(|before| pressure(before, &room));
                assert_eq!(found[0] == Full(Disk), free_bytes < reserve_bytes, "{room:?}");
            }
        }
    }
}

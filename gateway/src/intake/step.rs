//! What to do with the readings that have arrived while there may be no room for them. Pure.

use config::WhenFull;
use queue::pressure::Pressure;

/// What has come of the group so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: it is new, or room was made for it.
    Untried,
    /// The queue could not write it, and wrote nothing.
    Refused,
    /// There is nothing old that could make room for it.
    NothingOlder,
}

/// What to do with the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write it.
    Append,
    /// Count it, acknowledge it and forget it.
    DropNewest,
    /// Make room, then ask again.
    DropOldest,
    /// Keep it unacknowledged and try again later; take nothing more.
    Wait,
}

/// The next step for the group.
pub fn step(when_full: WhenFull, pressure: Pressure, outcome: Outcome) -> Step {
    match (when_full, outcome) {
        (_, Outcome::Untried) if !pressure.is_full() => Step::Append,
        (WhenFull::DropNewest, _) | (WhenFull::DropOldest, Outcome::NothingOlder) => Step::DropNewest,
        (WhenFull::DropOldest, _) => Step::DropOldest,
        (WhenFull::Pause, _) => Step::Wait,
    }
}

/// Whether a queue that was full counts as full no more for people. Where the oldest make room it hovers at its limit, and
/// only a source that takes the backlog ends that.
pub fn is_over(when_full: WhenFull, pressure: Pressure) -> bool {
    match when_full {
        WhenFull::DropOldest => pressure == Pressure::Normal,
        WhenFull::DropNewest | WhenFull::Pause => !pressure.is_full(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::pressure::Cause;

    const ROOM: [Pressure; 2] = [Pressure::Normal, Pressure::High];
    const FULL: [Pressure; 2] = [Pressure::Full(Cause::Queue), Pressure::Full(Cause::Disk)];
    const POLICIES: [WhenFull; 3] = [WhenFull::DropNewest, WhenFull::DropOldest, WhenFull::Pause];

    #[test]
    fn with_room_every_new_group_is_written_and_without_it_the_policy_decides() {
        for (index, when_full) in POLICIES.into_iter().enumerate() {
            for pressure in ROOM {
                assert_eq!(step(when_full, pressure, Outcome::Untried), Step::Append, "{when_full:?}");
            }
            for pressure in FULL {
                let expected = [Step::DropNewest, Step::DropOldest, Step::Wait][index];
                assert_eq!(step(when_full, pressure, Outcome::Untried), expected, "{when_full:?}");
            }
        }
    }

    #[test]
    fn what_the_queue_refused_is_never_written_again_without_making_room_or_waiting() {
        for pressure in ROOM.into_iter().chain(FULL) {
            let after = |when_full, outcome| step(when_full, pressure, outcome);
            assert_eq!(after(WhenFull::DropNewest, Outcome::Refused), Step::DropNewest);
            assert_eq!(after(WhenFull::DropOldest, Outcome::Refused), Step::DropOldest);
            assert_eq!(after(WhenFull::DropOldest, Outcome::NothingOlder), Step::DropNewest);
            assert_eq!(after(WhenFull::Pause, Outcome::Refused), Step::Wait);
        }
    }

    #[test]
    fn a_queue_that_drops_its_oldest_is_over_it_only_when_the_pressure_is_gone() {
        let over = |when_full| ROOM.into_iter().chain(FULL).filter(|pressure| is_over(when_full, *pressure)).count();
        assert_eq!(POLICIES.map(over), [2, 1, 2]);
    }
}

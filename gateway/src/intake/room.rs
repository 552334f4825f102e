//! Whether there is room for more, and what people hear of it.

use super::step::is_over;
use crate::status::Full;
use config::WhenFull;
use queue::pressure::{Cause, Pressure, Room, pressure};
use sensors::Stamp;
use tracing::{info, warn};

/// The limits, and what to do at them.
pub struct RoomRule {
    /// What happens to readings that find no room.
    pub when_full: WhenFull,
    /// How many live bytes the queue may hold.
    pub max_bytes: u64,
    /// How many bytes of the disk stay free.
    pub reserve_bytes: u64,
    /// How many bytes of it are free for us now.
    pub free_bytes: Box<dyn Fn() -> u64 + Send>,
}

/// The pressure, and since when there has been no room.
pub struct RoomWatch {
    rule: RoomRule,
    free_bytes: u64,
    pressure: Pressure,
    /// The queue has written nothing since it refused a group.
    refused: bool,
    full: Option<Full>,
    dropped: u64,
}

impl RoomWatch {
    /// Nothing was looked at yet.
    pub fn new(rule: RoomRule) -> Self {
        Self { rule, free_bytes: u64::MAX, pressure: Pressure::Normal, refused: false, full: None, dropped: 0 }
    }

    /// What happens to readings that find no room.
    pub fn when_full(&self) -> WhenFull {
        self.rule.when_full
    }

    /// Looks at queue and disk; says in the log when there is no room any more, and when there is again.
    pub fn look(&mut self, live_bytes: u64, now: Stamp) -> Pressure {
        self.free_bytes = (self.rule.free_bytes)();
        self.pressure = self.pressure_at(live_bytes);
        match self.pressure {
            Pressure::Full(cause) => self.become_full(cause, live_bytes, now),
            _ if !self.refused && is_over(self.rule.when_full, self.pressure) => self.have_room(),
            _ => {}
        }
        self.pressure
    }

    /// The queue refused a group although there seemed to be room.
    pub fn note_refused(&mut self, live_bytes: u64, now: Stamp) {
        self.refused = true;
        self.become_full(self.cause(), live_bytes, now);
    }

    /// The queue has written something.
    pub fn note_written(&mut self) {
        self.refused = false;
    }

    /// So many readings were dropped for want of room.
    pub fn note_dropped(&mut self, readings: u64) {
        self.dropped = self.dropped.saturating_add(readings);
        if let Some(full) = &mut self.full {
            full.dropped = full.dropped.saturating_add(readings);
        }
    }

    /// Readings dropped since the start for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing more should be written now.
    pub fn is_full(&self) -> bool {
        self.refused || self.pressure.is_full()
    }

    /// Why there is no room; the disk where the queue does not know itself.
    pub fn cause(&self) -> Cause {
        match self.pressure {
            Pressure::Full(cause) => cause,
            Pressure::Normal | Pressure::High => Cause::Disk,
        }
    }

    /// Whether what has been delivered should leave at once, if the queue had so many live bytes.
    pub fn is_pressed(&self, live_bytes: u64) -> bool {
        self.refused || self.pressure_at(live_bytes) != Pressure::Normal
    }

    /// Whether the little room above the limit of a full queue still has some: for a few bytes that say what is missing.
    pub fn has_last_room(&self, live_bytes: u64) -> bool {
        live_bytes < self.rule.max_bytes
    }

    /// For people: the pressure, and why and since when there is no room.
    pub fn shown(&self) -> (Pressure, Option<Full>) {
        (self.pressure, self.full)
    }

    fn pressure_at(&self, live_bytes: u64) -> Pressure {
        let RoomRule { max_bytes, reserve_bytes, .. } = self.rule;
        pressure(self.pressure, &Room { live_bytes, max_bytes, free_bytes: self.free_bytes, reserve_bytes })
    }

    fn become_full(&mut self, cause: Cause, live_bytes: u64, now: Stamp) {
        if let Some(full) = &mut self.full {
            full.cause = cause;
            return;
        }
        let full = Full { cause, when_full: self.rule.when_full, since_us: now.wall_us, dropped: 0 };
        match cause {
            Cause::Queue => warn!(
                "{}: {live_bytes} bytes of {}; bring a database back, or raise queue.max",
                full.words(),
                self.rule.max_bytes
            ),
            Cause::Disk => warn!(
                "{}: {} bytes are free, and {} are to stay free (queue.reserve); free some on the disk",
                full.words(),
                self.free_bytes,
                self.rule.reserve_bytes
            ),
        }
        self.full = Some(full);
    }

    fn have_room(&mut self) {
        if let Some(full) = self.full.take() {
            info!("{}", full.over());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensors::ClockQuality;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NOW: Stamp = Stamp {
        boot: 1,
        boottime_us: 1,
        wall_us: 1_800_000_000_000_000,
        quality: ClockQuality::Synced,
        error_us: None,
    };

    /// A queue of 1000 bytes on a disk of which 100 are to stay free, and how many are.
    fn watch(when_full: WhenFull) -> (RoomWatch, Arc<AtomicU64>) {
        let free = Arc::new(AtomicU64::new(u64::MAX));
        let shared = Arc::clone(&free);
        let free_bytes = Box::new(move || shared.load(Ordering::Relaxed));
        (RoomWatch::new(RoomRule { when_full, max_bytes: 1000, reserve_bytes: 100, free_bytes }), free)
    }

    fn is_shown_full(room: &RoomWatch) -> bool {
        room.shown().1.is_some()
    }

    #[test]
    fn the_disk_counts_whatever_the_queue_holds_and_the_state_says_which() {
        let (mut room, free) = watch(WhenFull::DropNewest);
        room.look(0, NOW);
        assert!(!room.is_full() && !room.is_pressed(749) && room.is_pressed(750));
        free.store(99, Ordering::Relaxed);
        assert_eq!(room.look(0, NOW), Pressure::Full(Cause::Disk));
        assert!(room.is_full() && room.is_pressed(0) && room.has_last_room(999) && !room.has_last_room(1000));
        room.note_dropped(3);
        free.store(125, Ordering::Relaxed);
        assert_eq!(room.look(960, NOW), Pressure::Full(Cause::Queue));
        let full = room.shown().1.unwrap();
        assert_eq!((full.cause, full.dropped, full.since_us), (Cause::Queue, 3, NOW.wall_us));
        room.look(890, NOW);
        assert!(!is_shown_full(&room));
    }

    #[test]
    fn a_refusal_lasts_until_something_was_written() {
        let (mut room, _) = watch(WhenFull::DropNewest);
        room.note_refused(0, NOW);
        room.look(0, NOW);
        assert!(room.is_full() && is_shown_full(&room) && room.is_pressed(0));
        assert_eq!(room.cause(), Cause::Disk);
        room.note_written();
        room.look(0, NOW);
        assert!(!room.is_full() && !is_shown_full(&room));
    }

    #[test]
    fn a_queue_that_drops_its_oldest_is_shown_as_full_while_it_hovers_at_the_limit() {
        let (mut room, _) = watch(WhenFull::DropOldest);
        for live_bytes in [950, 890, 950, 700] {
            room.look(live_bytes, NOW);
            assert!(is_shown_full(&room), "{live_bytes}");
        }
        room.look(699, NOW);
        assert!(!is_shown_full(&room));
    }
}

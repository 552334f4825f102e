//! What both sides do, and what the queue may cost for it.

use crate::table::Target;

/// One way of bringing readings in.
pub struct Work {
    pub what: &'static str,
    /// Readings that become durable at once.
    pub group: usize,
    /// After each group, as many readings are read back, and what was read may go.
    pub is_drained: bool,
    /// The clock that the queue is told goes on by so much with each group; 0 = the real one.
    pub ms_apart: u64,
    /// Added to each sync.
    pub sync_ms: u64,
    pub turns: usize,
    pub turn: Turn,
    pub targets: Targets,
}

/// How long a side works until the other one does.
pub enum Turn {
    /// Short, because a disk that others use too is ten times slower in one second than in the next.
    Ms(u64),
    Groups(u32),
}

/// By what the queue's number may differ from the plain log's, if anything is promised.
pub struct Targets {
    pub rate: Option<Target>,
    pub cpu: Option<Target>,
    pub device_bytes: Option<Target>,
    pub flushes: Option<Target>,
}

const NONE: Targets = Targets { rate: None, cpu: None, device_bytes: None, flushes: None };
/// What is promised of every group.
const ALWAYS: Targets = Targets { cpu: Some(Target::RatioUpTo(3.0)), flushes: Some(Target::RatioUpTo(1.0)), ..NONE };

const TURN: Turn = Turn::Ms(10);
const TURNS: usize = 40;
/// 300 groups in a round: five minutes of a gateway with one commit a second.
const CARD_TURN: Turn = Turn::Groups(10);
const CARD_TURNS: usize = 30;
/// A card takes 5 to 50 ms for a sync.
const CARD_SYNC_MS: u64 = 20;

pub const WORKS: [Work; 8] = [
    Work { targets: ALWAYS, ..plain("groups of 1", 1) },
    Work { targets: Targets { rate: Some(Target::RatioFrom(0.8)), ..ALWAYS }, ..plain("groups of 100", 100) },
    Work { targets: Targets { rate: Some(Target::RatioFrom(0.6)), ..ALWAYS }, ..plain("groups of 1000", 1000) },
    Work {
        is_drained: true,
        targets: Targets { device_bytes: Some(Target::RatioUpTo(2.5)), ..ALWAYS },
        ..plain("groups of 1000, drained", 1000)
    },
    Work {
        ms_apart: 1000,
        turn: CARD_TURN,
        turns: CARD_TURNS,
        targets: Targets { device_bytes: Some(Target::RatioUpTo(1.3)), ..ALWAYS },
        ..plain("100 readings, once a second", 100)
    },
    slow("groups of 1, +20 ms a sync", 1, NONE),
    slow("groups of 100, +20 ms a sync", 100, Targets { rate: Some(Target::RatioFrom(0.8)), ..NONE }),
    slow("groups of 1000, +20 ms a sync", 1000, Targets { rate: Some(Target::RatioFrom(0.6)), ..NONE }),
];

const fn plain(what: &'static str, group: usize) -> Work {
    Work { what, group, is_drained: false, ms_apart: 0, sync_ms: 0, turns: TURNS, turn: TURN, targets: NONE }
}

const fn slow(what: &'static str, group: usize, targets: Targets) -> Work {
    Work { sync_ms: CARD_SYNC_MS, turn: Turn::Groups(5), turns: 8, targets, ..plain(what, group) }
}

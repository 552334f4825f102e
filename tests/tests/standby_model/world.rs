//! One state of two gateways, the way between them and the database.

use super::database::Database;
use gateway::standby::rank::Rank;
use gateway::standby::role::Role;
use gateway::standby::span::{BROKERS, Break};

pub const SECOND_US: i64 = 1_000_000;
/// When a search begins; both have listened for long.
pub const START_US: i64 = 10_000 * SECOND_US;
/// How long a gateway waits for a beat.
pub const SILENCE_US: i64 = 3 * SECOND_US;
/// Gateways are 0, which goes first, and 1.
pub const NAMES: [&str; 2] = ["barn-1", "barn-2"];

/// What stays the same for a whole search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Site {
    /// A broker keeps what is published for a gateway that is away; a wire does not.
    pub is_kept: bool,
    /// Nodes number their readings.
    pub has_identity: bool,
    /// How far the second gateway's clock is ahead, together with what it hears later.
    pub ahead_us: i64,
}

impl Site {
    pub fn source(&self) -> &'static str {
        if self.is_kept { BROKERS } else { "silo" }
    }
}

/// A reading in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Queued {
    /// One count for all streams of a gateway.
    pub number: u32,
    pub stream: u8,
    pub reading: u8,
    pub at_us: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    Runs,
    Frozen,
    Dead,
}

/// A beat on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Beat {
    pub rank: Rank,
    /// The time of the last reading that the sender knows to be dealt with.
    pub drained_us: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Gateway {
    pub life: Life,
    /// Since when it is frozen or dead.
    pub halted_us: i64,
    /// It was frozen for longer than the silence, and has not seen to that yet.
    pub stood_still: bool,
    pub queue: Vec<Queued>,
    pub last_number: u32,
    /// When the last reading was put on its card.
    pub durable_us: i64,
    pub stream: u8,
    /// Its source is heard.
    pub hears: bool,
    /// Since when it is not.
    pub deaf_us: i64,
    /// By stream.
    pub breaks: Vec<(u8, Break)>,
    /// The readings that the broker keeps for it.
    pub kept: Vec<u8>,
    pub role: Role,
    /// The term it acts in; 0 while it has none.
    pub term: u32,
    /// The highest term it has seen.
    pub seen_term: u32,
    pub has_claimed: bool,
    /// Its own end of the link works.
    pub end_works: bool,
    /// When it last heard a beat, or began to wait for one.
    pub beat_us: i64,
    /// Since when it is what it is.
    pub role_us: i64,
    /// What it was after the last beat it heard, and what that said.
    pub heard: Option<(Rank, Beat)>,
    pub drained_us: i64,
    /// The readings of the other one's rows that were taken for readings of its own, as far as it knows.
    pub taken: Vec<u8>,
}

impl Gateway {
    fn new() -> Self {
        Self {
            life: Life::Runs,
            halted_us: 0,
            stood_still: false,
            queue: Vec::new(),
            last_number: 0,
            durable_us: START_US,
            stream: 0,
            hears: true,
            deaf_us: 0,
            breaks: Vec::new(),
            kept: Vec::new(),
            role: Role::Starting,
            term: 0,
            seen_term: 0,
            has_claimed: false,
            end_works: true,
            beat_us: START_US,
            role_us: START_US,
            heard: None,
            drained_us: 0,
            taken: Vec::new(),
        }
    }

    pub fn runs(&self) -> bool {
        self.life == Life::Runs
    }
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub site: Site,
    pub now_us: i64,
    /// For each reading, which gateways have heard it and still have the card it was on.
    pub heard: Vec<[bool; 2]>,
    pub gateways: [Gateway; 2],
    /// From each gateway.
    pub beats: [Option<Beat>; 2],
    /// The way from each gateway is cut.
    pub is_cut: [bool; 2],
    pub database: Database,
    pub faults: u8,
    pub waits: u8,
    /// A sentence that did not hold in a step.
    pub broken: Option<&'static str>,
}

impl World {
    pub fn new(site: Site) -> Self {
        Self {
            site,
            now_us: START_US,
            heard: Vec::new(),
            gateways: [Gateway::new(), Gateway::new()],
            beats: [None; 2],
            is_cut: [false; 2],
            database: Database::default(),
            faults: 0,
            waits: 0,
            broken: None,
        }
    }

    /// The time by the clock of a gateway.
    pub fn clock_us(&self, gateway: usize) -> i64 {
        self.now_us + if gateway == 1 { self.site.ahead_us } else { 0 }
    }

    pub fn rank(&self, gateway: usize) -> Rank {
        let Gateway { role, term, .. } = self.gateways[gateway];
        let (term, priority) = (if role == Role::Active { term } else { 0 }, [1, 2][gateway]);
        Rank { role, term, priority, gateway: u16::from(priority) }
    }

    pub fn breaks_unless(&mut self, holds: bool, sentence: &'static str) {
        if !holds {
            self.broken = self.broken.or(Some(sentence));
        }
    }
}

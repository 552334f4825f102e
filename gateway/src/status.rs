//! What people see of a running gateway: one snapshot, shown by `fieldgate status` and the service manager's line.

mod board;
mod full;
mod machines;
mod servers;
mod standby;
mod table;
mod text;

pub use board::{Board, Delivered};
pub use full::Full;
pub use servers::{ErrorState, ServerState, ServersReport, states};
pub use table::report;
pub use text::{LETTERS_COUNTED, bytes, whole};

use crate::standby::state::StandbyState;
use crate::topology::lag::Heartbeats;
use sensors::{ClockQuality, SourceState};
use serde::{Deserialize, Serialize};

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// This gateway.
    pub gateway: String,
    /// Its site.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// The stream that is being written, 16 hex digits.
    pub stream: String,
    /// Seconds since the start.
    pub running_s: u64,
    /// The clock.
    pub clock: ClockState,
    /// Every source of readings.
    pub sources: Vec<SourceState>,
    /// The queue.
    pub queue: QueueState,
    /// The drain.
    pub drain: DrainState,
    /// Every configured server.
    pub servers: Vec<ServerState>,
    /// What this gateway of two is; none for a gateway alone.
    #[serde(default)]
    pub standby: Option<StandbyState>,
}

/// The wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Microseconds since 1970, UTC.
    pub now_us: i64,
    /// How far it can be believed.
    pub quality: ClockQuality,
    /// Its largest error, microseconds.
    pub error_us: Option<u32>,
}

/// The queue, in readings and bytes. Gaps and dead letters count as readings: they become rows too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueState {
    /// Waiting for the source.
    pub waiting: u64,
    /// Age of the oldest that waits, seconds.
    pub oldest_waiting_s: Option<u64>,
    /// In the source, and kept.
    pub kept: u64,
    /// Made durable since the start.
    pub durable: u64,
    /// Bytes of frames.
    pub live_bytes: u64,
    /// The limit of that.
    pub max_bytes: u64,
    /// What has been delivered leaves at once, since three quarters of the limit are used or there is no room.
    #[serde(default)]
    pub pressed: bool,
    /// There is no room: readings are dropped, or not taken.
    pub full: bool,
    /// Why, what happens and since when, in a sentence; none while there is room.
    #[serde(default)]
    pub full_because: Option<String>,
    /// Readings dropped since the start for want of room.
    #[serde(default)]
    pub dropped: u64,
    /// Damaged places met while reading.
    pub damaged_places: u64,
    /// Readings dropped since the start because their node was over its quota.
    pub over_quota: u64,
}

/// What the intake tells after each group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IntakeState {
    /// Numbers given since the start.
    pub durable: u64,
    /// Bytes of frames in the queue.
    pub live_bytes: u64,
    /// What has been delivered leaves at once.
    pub is_pressed: bool,
    /// Why and since when there is no room; none while there is.
    pub full: Option<Full>,
    /// Readings dropped since the start for want of room.
    pub dropped: u64,
    /// Readings dropped since the start because their node was over its quota.
    pub over_quota: u64,
    /// The moment before which everything that the sources stamped and handed over is durable, microseconds since 1970; 0 when
    /// it is not known. That it moves on wakes nobody who waits for news. Gaps of nodes over their quota come up to 10 s later.
    pub heard_through_us: i64,
}

/// The drain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainState {
    /// The server that takes writes; none while nobody does.
    pub source: Option<String>,
    /// Why.
    pub why: String,
    /// The highest term in which it has connected to a source; none before the first.
    pub term: Option<u64>,
    /// The highest term ever seen on any server.
    #[serde(default)]
    pub highest_term: u64,
    /// Why no server is promoted while none takes writes, or how far that has come; none while one does, and where that is
    /// not ours to do.
    #[serde(default)]
    pub promotion: Option<String>,
    /// The last failover since the start, in a sentence.
    pub failover: Option<String>,
    /// What keeps it from writing; none while all is well.
    pub trouble: Option<String>,
    /// Rows written since the start.
    pub delivered: u64,
    /// Rows among them that another source had before.
    pub sent_again: u64,
    /// Readings left out since the start, as the other gateway of the site had brought them.
    #[serde(default)]
    pub left_out: u64,
    /// Readings that were missing in the queue and became gaps.
    pub missing: u64,
    /// Rows of gaps written since the start, whatever was missing.
    #[serde(default)]
    pub gaps: u64,
    /// Dead letters of this gateway that nobody has dealt with; none until the source has been asked.
    #[serde(default)]
    pub dead_letters: Option<LettersState>,
    /// What does not fit between the two gateways of the site, one sentence each.
    #[serde(default)]
    pub standby_differences: Vec<String>,
    /// That another machine runs under this gateway's id, and what to do; none while none does.
    #[serde(default)]
    pub same_id: Option<String>,
    /// The times that it wrote to the source lately, from which the lag of each server is told.
    #[serde(skip)]
    pub heartbeats: Heartbeats,
}

/// Dead letters in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LettersState {
    /// How many; counted up to 1000, so that 1001 means more.
    pub count: u64,
    /// The newest of those that were counted: when, from where and why.
    pub newest: Option<String>,
}

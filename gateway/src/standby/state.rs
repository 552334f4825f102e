//! What people see of two gateways.

use super::role::Role;
use serde::{Deserialize, Serialize};

/// What this gateway is and knows of the other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyState {
    /// What it is.
    pub role: Role,
    /// Why, as the end of a sentence that begins with the role.
    pub reason: String,
    /// Since when, microseconds since 1970.
    pub since_us: i64,
    /// The term that it acts in while it is active, else the newest that it knows; 0 while there is none.
    pub term: u32,
    /// The other gateway, once it was heard.
    pub other: Option<Other>,
    /// Every configured link.
    pub links: Vec<LinkState>,
    /// What is to be looked at, in sentences.
    pub warnings: Vec<String>,
}

impl Default for StandbyState {
    fn default() -> Self {
        let (role, reason) = (Role::Starting, "it listens for the other gateway".to_owned());
        Self { role, reason, since_us: 0, term: 0, other: None, links: Vec::new(), warnings: Vec::new() }
    }
}

/// The other gateway, by its last beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// What it is.
    pub role: Role,
    /// The term that it acts in; 0 while it has none.
    pub term: u32,
    /// Its priority.
    pub priority: u8,
    /// How old its last beat is, ms.
    pub last_beat_ms_ago: u64,
    /// By how much its clock is ahead of ours, ms, to about a second; none when it cannot be told.
    pub clock_offset_ms: Option<i64>,
    /// Up to when its readings are on its disk, ms since 1970 by its clock.
    pub durable_through_ms: u64,
    /// Up to when they are in the database, likewise.
    pub drained_through_ms: u64,
    /// Its queue takes nothing.
    pub unwell: bool,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// Its kind and device.
    pub name: String,
    /// This gateway's end of it works.
    pub up: bool,
    /// Why it does not.
    pub trouble: Option<String>,
    /// It only ever says that the other one lives.
    pub witness: bool,
    /// How many of the last beats came over it, in words.
    pub beats: String,
    /// How many of them did not.
    pub lost: u32,
    /// How many were due.
    pub due: u32,
}

//! The sign of life that two gateways send each other: 32 bytes, little-endian. Pure.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 | 0xF in the high half: fieldgate; the version, 1, in the low half |
//! | 1 | bits 0-2 the role, 3-5 the priority less 1, 6 "wants the turn", 7 "its queue takes nothing" |
//! | 2-3, 4-5 | low 16 bits of XXH3-64 of the site, and of the gateway's id |
//! | 6-9 | a random number of this start of the process |
//! | 10-13, 14-17 | the term; the beat's number, from 1 on, one more each |
//! | 18-23, 24-29 | durable through, delivered through: ms since 1970 |
//! | 30-31 | CRC-16/CCITT-FALSE of the bytes before; every version has it here |
//!
//! The sketches of microcontrollers that only say `hello!` are understood too.

use super::role::Role;
use xxhash_rust::xxh3::xxh3_64;

/// The bytes of one beat.
pub type Frame = [u8; FRAME_BYTES];

/// Length of a beat.
pub const FRAME_BYTES: usize = 32;
/// What the sketches say.
pub const HELLO: &[u8] = b"hello!";

const MAGIC: u8 = 0xF0;
const VERSION: u8 = 1;
const CRC_AT: usize = 30;
const ROLES: [Role; 5] = [Role::Starting, Role::Standby, Role::Active, Role::Isolated, Role::Leaving];
const WANTS_TURN: u8 = 1 << 6;
const UNWELL: u8 = 1 << 7;

/// A gateway as beats name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its site.
    pub site: u16,
    /// Its id.
    pub gateway: u16,
    /// This start of its process, at random.
    pub start: u32,
}

impl Identity {
    /// The gateway of this id at this site. Two ids share their 16 bits once in 65536 times; then another id is needed.
    pub fn new(site: &str, gateway: &str, start: u32) -> Self {
        let low = |name: &str| u16::try_from(xxh3_64(name.as_bytes()) & 0xffff).unwrap_or(0);
        Self { site: low(site), gateway: low(gateway), start }
    }
}

/// What one gateway says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Who says it.
    pub who: Identity,
    /// What it is.
    pub role: Role,
    /// Its priority, 1 to 8.
    pub priority: u8,
    /// It asks for the turn.
    pub wants_turn: bool,
    /// Its queue takes nothing: the disk is full or stands still.
    pub unwell: bool,
    /// The term that it acts in; 0 while it has none.
    pub term: u32,
    /// The beat's number since the start of its process, from 1 on.
    pub counter: u32,
    /// Up to when its readings are on its disk: ms since 1970 by its clock, below 2^48; 0 when it does not know.
    pub durable_through_ms: u64,
    /// Up to when they are in the database, likewise.
    pub drained_through_ms: u64,
}

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A beat of the other gateway.
    Beat(Beat),
    /// The word of the sketches.
    Hello,
    /// A beat of this very process: the link hears itself.
    Echo,
    /// A beat of another process with this gateway's id.
    SameId,
    /// A beat of a gateway of another site.
    OtherSite,
    /// A beat of another version of this form.
    OtherVersion(u8),
    /// Anything else.
    Garbage,
}

impl Beat {
    /// Its bytes. What is beyond the bounds of a field becomes the nearest that it can hold.
    pub fn encode(&self) -> Frame {
        let mut frame = [0; FRAME_BYTES];
        let role = ROLES.iter().position(|role| *role == self.role).and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        let priority = self.priority.clamp(1, 8) - 1;
        let flags = if self.wants_turn { WANTS_TURN } else { 0 } | if self.unwell { UNWELL } else { 0 };
        put(&mut frame, 0, &[MAGIC | VERSION, role | priority << 3 | flags]);
        put(&mut frame, 2, &self.who.site.to_le_bytes());
        put(&mut frame, 4, &self.who.gateway.to_le_bytes());
        put(&mut frame, 6, &self.who.start.to_le_bytes());
        put(&mut frame, 10, &self.term.to_le_bytes());
        put(&mut frame, 14, &self.counter.to_le_bytes());
        put(&mut frame, 18, &low_48(self.durable_through_ms));
        put(&mut frame, 24, &low_48(self.drained_through_ms));
        let crc = crc(&frame[..CRC_AT]);
        put(&mut frame, CRC_AT, &crc.to_le_bytes());
        frame
    }

    /// By how much the other gateway's wall clock is ahead of ours, ms, to about a second: it says up to when its readings are
    /// durable, which is now unless its disk stands still. `now_ms` is our clock when the beat was sent. None when it cannot be told.
    pub fn clock_offset_ms(&self, now_ms: i64) -> Option<i64> {
        let known = self.durable_through_ms > 0 && !self.unwell;
        let theirs = known.then(|| i64::try_from(self.durable_through_ms).ok()).flatten()?;
        Some(theirs.saturating_sub(now_ms))
    }

    fn decode(frame: &Frame) -> Option<Self> {
        let first = frame[1];
        Some(Self {
            who: Identity {
                site: u16::from_le_bytes(take(frame, 2)),
                gateway: u16::from_le_bytes(take(frame, 4)),
                start: u32::from_le_bytes(take(frame, 6)),
            },
            role: *ROLES.get(usize::from(first & 0b111))?,
            priority: (first >> 3 & 0b111) + 1,
            wants_turn: first & WANTS_TURN != 0,
            unwell: first & UNWELL != 0,
            term: u32::from_le_bytes(take(frame, 10)),
            counter: u32::from_le_bytes(take(frame, 14)),
            durable_through_ms: from_48(take(frame, 18)),
            drained_through_ms: from_48(take(frame, 24)),
        })
    }
}

/// What these bytes are to the gateway `me`. A message of the sketches may end with CR, LF or NUL.
pub fn hear(bytes: &[u8], me: Identity) -> Heard {
    let is_hello = |rest: &[u8]| rest.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0));
    if bytes.strip_prefix(HELLO).is_some_and(is_hello) {
        return Heard::Hello;
    }
    let Some(frame) = bytes.try_into().ok().filter(is_frame) else { return Heard::Garbage };
    match (frame[0] & 0x0f, Beat::decode(&frame)) {
        (VERSION, Some(beat)) => whose(beat, me),
        (VERSION, None) => Heard::Garbage,
        (version, _) => Heard::OtherVersion(version),
    }
}

fn whose(beat: Beat, me: Identity) -> Heard {
    let is = |field: fn(&Identity) -> u32| field(&beat.who) == field(&me);
    match (is(|who| who.site.into()), is(|who| who.gateway.into()), is(|who| who.start)) {
        (false, ..) => Heard::OtherSite,
        (true, true, true) => Heard::Echo,
        (true, true, false) => Heard::SameId,
        (true, false, _) => Heard::Beat(beat),
    }
}

/// Whether these are the bytes of a beat, of any version.
pub fn is_frame(frame: &Frame) -> bool {
    is_first_byte(frame[0]) && crc(&frame[..CRC_AT]) == u16::from_le_bytes(take(frame, CRC_AT))
}

/// Whether a beat may begin with this byte.
pub fn is_first_byte(byte: u8) -> bool {
    byte & 0xf0 == MAGIC
}

fn put(frame: &mut Frame, at: usize, bytes: &[u8]) {
    frame.iter_mut().skip(at).zip(bytes).for_each(|(place, byte)| *place = *byte);
}

fn take<const N: usize>(frame: &Frame, at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(frame.iter().skip(at)).for_each(|(place, byte)| *place = *byte);
    bytes
}

fn low_48(number: u64) -> [u8; 6] {
    let bytes = number.min((1 << 48) - 1).to_le_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]]
}

fn from_48(bytes: [u8; 6]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// CRC-16/CCITT-FALSE, as the mailbox's firmware computes it.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests;

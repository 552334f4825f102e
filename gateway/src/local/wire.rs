//! What is asked over the socket, and what is answered.

use crate::standby::role::Role;
use crate::status::Delivered;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use queue::{Kind, KnownStream, Numbered, QueueError, Reader, Record, Span, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One question; a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Every stream.
    Streams,
    /// Some records.
    Read {
        /// Of this stream.
        stream: StreamId,
        /// From this number on.
        from: u64,
    },
    /// The whole status.
    Status,
    /// What the queue takes of the disk.
    Stat,
    /// Take in what was gathered beside the queue.
    Import {
        /// The name of its folder in the queue's folder.
        folder: String,
        /// The gateways that made its streams.
        origins: BTreeMap<StreamId, String>,
    },
    /// Change which of two gateways is active.
    Takeover(TurnWish),
}

/// Which of two gateways is to be active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnWish {
    /// This one, if the other one gives its turn.
    This,
    /// This one, without asking the other one.
    ThisByForce,
    /// The other one.
    Other,
}

/// What came of a takeover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnAnswer {
    /// It was done.
    pub done: bool,
    /// What was done, or why nothing was, in a sentence.
    pub text: String,
    /// What the asked gateway is now; none for a gateway alone.
    pub role: Option<Role>,
    /// The newest term that it knows; 0 while there is none.
    pub term: u32,
}

/// What the queue holds and remembers of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedStream {
    /// The stream.
    pub stream: StreamId,
    /// The local counter of streams: a later stream has a higher one.
    pub order: u64,
    /// The highest number ever known of it.
    pub end: u64,
    /// First and last number in the queue; none when it has left.
    pub queued: Option<(u64, u64)>,
}

/// Every stream that the queue holds or remembers, oldest first.
///
/// # Errors
/// [`QueueError`] when the queue cannot be read.
pub fn streams(reader: &Reader) -> Result<Vec<QueuedStream>, QueueError> {
    let spans: Vec<Span> = reader.spans();
    let queued =
        |known: &KnownStream| spans.iter().find(|span| span.stream == known.stream).map(|span| (span.first, span.last));
    let stream = |known: &KnownStream| QueuedStream {
        stream: known.stream,
        order: known.order,
        end: known.end,
        queued: queued(known),
    };
    Ok(reader.known_streams().iter().map(stream).collect())
}

/// A record on its way: number, written_ms, kind, body in base64.
#[derive(Debug, Serialize, Deserialize)]
pub struct WireRecord(u64, u64, u8, String);

impl From<Numbered> for WireRecord {
    fn from(item: Numbered) -> Self {
        Self(item.seq, item.written_ms, item.record.kind.0, BASE64.encode(item.record.body))
    }
}

impl TryFrom<WireRecord> for Numbered {
    type Error = base64::DecodeError;

    fn try_from(WireRecord(seq, written_ms, kind, body): WireRecord) -> Result<Self, Self::Error> {
        Ok(Self { seq, written_ms, record: Record { kind: Kind(kind), body: BASE64.decode(body)? } })
    }
}

/// What the queue holds, what it takes of the disk, and what it has done to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStat {
    /// The streams of which it holds something, oldest first.
    pub streams: Vec<StreamStat>,
    /// Its generations, oldest first.
    pub generations: Vec<Generation>,
    /// Bytes of frames that have not been trimmed.
    pub live_bytes: u64,
    /// The limit of that; none for another machine's card.
    pub max_bytes: Option<u64>,
    /// Bytes of all its files.
    pub disk_bytes: u64,
    /// Bytes free on its disk.
    pub free_bytes: u64,
    /// Since when the next two count, milliseconds since 1970; 0 = unknown.
    pub since_ms: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Syncs.
    pub syncs: u64,
}

/// One stream. Gaps and dead letters count as readings: they become rows too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStat {
    /// The stream.
    pub stream: StreamId,
    /// The first number in the queue.
    pub first: u64,
    /// The last number in the queue.
    pub last: u64,
    /// Waiting for the source.
    pub waiting: u64,
    /// In the source, and kept.
    pub kept: u64,
}

/// One generation of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Bytes of its files.
    pub disk_bytes: u64,
    /// Its frames.
    pub frames: u64,
    /// Readings in them.
    pub readings: u64,
    /// Nothing is written to it any more.
    pub sealed: bool,
    /// Some of it cannot be read.
    pub damaged: bool,
}

/// Looks at the queue. `delivered` says how far each stream is known to be in a source.
///
/// # Errors
/// [`QueueError`] when the queue cannot be read.
pub fn stat(reader: &Reader, delivered: &Delivered, max_bytes: Option<u64>) -> Result<QueueStat, QueueError> {
    let streams = reader.spans().iter().map(|span| stream_stat(span, delivered)).collect();
    let queue::Stat { generations, live_bytes, disk_bytes, free_bytes, wear, .. } = reader.stat()?;
    let generations = generations.into_iter().map(|one| Generation {
        number: one.number,
        disk_bytes: one.disk_bytes,
        frames: one.frames,
        readings: one.readings,
        sealed: one.sealed,
        damaged: one.damaged,
    });
    Ok(QueueStat {
        streams,
        generations: generations.collect(),
        live_bytes,
        max_bytes,
        disk_bytes,
        free_bytes,
        since_ms: wear.since_ms,
        written_bytes: wear.written_bytes,
        syncs: wear.syncs,
    })
}

fn stream_stat(span: &Span, delivered: &Delivered) -> StreamStat {
    let before = span.first.saturating_sub(1);
    let done = delivered.get(&span.stream).copied().unwrap_or(0).clamp(before, span.last);
    let (waiting, kept) = (span.last - done, done - before);
    StreamStat { stream: span.stream, first: span.first, last: span.last, waiting, kept }
}

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Readings that are new in the queue.
    pub new: u64,
    /// Readings that it had already.
    pub already_here: u64,
}

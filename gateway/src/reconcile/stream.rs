//! One stream, and a finding in it.

use super::numbers::count;
use super::{Finding, Open, Wrong};
use queue::StreamId;

/// A stream of ours, from the database, the queue or both.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its id.
    pub id: StreamId,
    /// The highest number the queue knows of it.
    pub end: u64,
    /// First and last number in the queue.
    pub queued: Option<(u64, u64)>,
}

/// A finding at a server.
pub fn finding(wrong: Wrong, server: &Open, stream: &Stream, first: u64, last: u64, text: &str) -> Finding {
    Finding {
        wrong,
        place: server.name.clone(),
        stream: stream.id.to_string(),
        first_seq: first,
        last_seq: last,
        count: count(&[(first, last)]),
        text: text.to_owned(),
    }
}

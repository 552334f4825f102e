//! The marks: a tiny file that remembers every stream and how far it went, so that what a disk forgot is noticed.
//!
//! Also how far each was trimmed, what was dropped of it because the queue was full, and what was written to the disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::io_at;
use crate::{QueueError, SetAside, StreamId, files};

const FILE: &str = "marks.json";
const SET_ASIDE_FILE: &str = "marks-set-aside.json";
const LAYOUT: u32 = 2;
/// Between the orders of two streams of this queue there is room for streams that come from other queues.
pub(crate) const ORDERS_A_STREAM: u64 = 1 << 20;
/// So many spans that were dropped are told apart; the oldest are forgotten first.
const MOST_DROPPED: usize = 1000;

/// A stream that this queue remembers, whether or not it still holds readings of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownStream {
    /// The stream.
    pub stream: StreamId,
    /// The local counter of streams: a later stream has a higher one.
    pub order: u64,
    /// The highest number ever known of it, durable here or in a database; 0 = none.
    pub end: u64,
}

/// What was written to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wear {
    /// Since when it is counted, milliseconds since 1970; 0 when no clock was set yet.
    pub since_ms: u64,
    /// Bytes that this program handed to the disk.
    pub written_bytes: u64,
    /// How often it asked the disk to make readings durable.
    pub syncs: u64,
}

/// One stream, with what only the queue needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    known: KnownStream,
    /// Its frames up to this number were trimmed.
    #[serde(default, skip_serializing_if = "is_zero")]
    trimmed: u64,
    /// First and last numbers that were dropped because the queue was full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<(u64, u64)>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    streams: BTreeMap<StreamId, Entry>,
    pub(crate) wear: Wear,
}

#[derive(Serialize, Deserialize)]
struct File {
    layout: u32,
    /// CRC-32 of `streams`, and from layout 2 on of `wear` after it, as this program writes them, in hexadecimal digits.
    checksum: String,
    streams: Vec<Entry>,
    #[serde(default)]
    wear: Wear,
}

#[derive(Deserialize)]
struct LayoutOnly {
    layout: u32,
}

pub(crate) enum Unusable {
    Newer(u32),
    Unreadable(String),
}

impl Marks {
    /// Remembers a stream, or raises its end.
    pub(crate) fn learn(&mut self, stream: StreamId, order: u64, end: u64) {
        let new = || Entry { known: KnownStream { stream, order, end }, trimmed: 0, dropped: Vec::new() };
        let entry = self.streams.entry(stream).or_insert_with(new);
        entry.known.end = entry.known.end.max(end);
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<KnownStream> {
        self.streams.get(&stream).map(|entry| entry.known)
    }

    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    pub(crate) fn highest_order(&self) -> u64 {
        self.streams.values().map(|entry| entry.known.order).max().unwrap_or(0)
    }

    /// The order of a new stream of this queue.
    pub(crate) fn order_above_all(&self) -> u64 {
        (self.highest_order() / ORDERS_A_STREAM).saturating_add(1).saturating_mul(ORDERS_A_STREAM)
    }

    /// All of them, oldest first.
    pub(crate) fn list(&self) -> Vec<KnownStream> {
        self.entries().into_iter().map(|entry| entry.known).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        let mut streams: Vec<Entry> = self.streams.values().cloned().collect();
        streams.sort_by_key(|entry| entry.known.order);
        streams
    }

    /// How far a stream was trimmed; 0 = not at all.
    pub(crate) fn trimmed(&self, stream: StreamId) -> u64 {
        self.streams.get(&stream).map_or(0, |entry| entry.trimmed)
    }

    pub(crate) fn note_trimmed(&mut self, stream: StreamId, through: u64) {
        if let Some(entry) = self.streams.get_mut(&stream) {
            entry.trimmed = entry.trimmed.max(through);
        }
    }

    pub(crate) fn note_dropped(&mut self, stream: StreamId, first: u64, last: u64) {
        let Some(entry) = self.streams.get_mut(&stream) else { return };
        match entry.dropped.last_mut() {
            Some(before) if before.1.checked_add(1) == Some(first) => before.1 = last,
            _ => entry.dropped.push((first, last)),
        }
        let too_many = entry.dropped.len().saturating_sub(MOST_DROPPED);
        entry.dropped.drain(..too_many);
    }

    /// First and last numbers of a stream that were dropped, in the order in which that happened.
    pub(crate) fn dropped(&self, stream: StreamId) -> &[(u64, u64)] {
        self.streams.get(&stream).map_or(&[], |entry| &entry.dropped)
    }

    /// Makes them durable in the queue's folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), QueueError> {
        let path = folder.join(FILE);
        let content = self.to_json().map_err(|error| io_at("write", &path)(io::Error::other(error)))?;
        files::replace(&path, &content)
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let (streams, wear) = (self.entries(), self.wear);
        serde_json::to_vec(&File { layout: LAYOUT, checksum: checksum(LAYOUT, &streams, wear)?, streams, wear })
    }

    pub(crate) fn from_json(bytes: &[u8]) -> Result<Marks, Unusable> {
        let unreadable = |error: serde_json::Error| Unusable::Unreadable(error.to_string());
        let LayoutOnly { layout } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if layout > LAYOUT {
            return Err(Unusable::Newer(layout));
        }
        let file: File = serde_json::from_slice(bytes).map_err(unreadable)?;
        if file.checksum != checksum(layout, &file.streams, file.wear).map_err(unreadable)? {
            return Err(Unusable::Unreadable("the checksum is wrong".to_owned()));
        }
        let streams = file.streams.into_iter().map(|entry| (entry.known.stream, entry)).collect();
        Ok(Marks { streams, wear: file.wear })
    }
}

fn checksum(layout: u32, streams: &[Entry], wear: Wear) -> serde_json::Result<String> {
    let mut bytes = serde_json::to_vec(streams)?;
    if layout > 1 {
        bytes.extend(serde_json::to_vec(&wear)?);
    }
    Ok(format!("{:08x}", crc32fast::hash(&bytes)))
}

/// The file with the checksum that fits the rest, so that a fuzzer gets past it.
#[cfg(feature = "fuzzing")]
pub(crate) fn with_right_checksum(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file: File = serde_json::from_slice(bytes).ok()?;
    file.checksum = checksum(file.layout, &file.streams, file.wear).ok()?;
    serde_json::to_vec(&file).ok()
}

/// Reads the marks of a queue, or says why they cannot be read: the queue then goes on without them.
pub(crate) fn load(folder: &Path) -> Result<(Marks, Option<String>), QueueError> {
    let path = folder.join(FILE);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((Marks::default(), None));
        }
        Err(error) => return Ok((Marks::default(), Some(error.to_string()))),
        Ok(bytes) => bytes,
    };
    match Marks::from_json(&bytes) {
        Ok(marks) => Ok((marks, None)),
        Err(Unusable::Unreadable(reason)) => Ok((Marks::default(), Some(reason))),
        Err(Unusable::Newer(found)) => Err(newer(&path, found)),
    }
}

/// Moves marks that cannot be read out of the way, over the ones before them.
pub(crate) fn set_aside(folder: &Path, reason: String) -> Result<SetAside, QueueError> {
    let aside = folder.join(SET_ASIDE_FILE);
    files::rename(&folder.join(FILE), &aside)?;
    Ok(SetAside { folder: aside, reason })
}

fn newer(path: &Path, found: u32) -> QueueError {
    QueueError::NewerLayout { place: path.display().to_string(), found, known: LAYOUT }
}

/// When the marks were last written, and when they have to be again: they cost three syncs, so they follow lazily. The
/// numbers in between are known from the store, unless it forgets them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) end: u64,
    pub(crate) written_ms: u64,
}

const NUMBERS_BETWEEN: u64 = 50_000;
const MS_BETWEEN: u64 = 60_000;

impl Pace {
    pub(crate) fn is_due(self, now: Pace) -> bool {
        now.end.saturating_sub(self.end) >= NUMBERS_BETWEEN
            || now.written_ms.saturating_sub(self.written_ms) >= MS_BETWEEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(bits: u64) -> StreamId {
        StreamId::from_u64(bits).unwrap()
    }

    fn some() -> Marks {
        let mut marks = Marks::default();
        marks.learn(stream(7), 2, 0);
        marks.learn(stream(9), 1, 40);
        marks.learn(stream(9), 1, 30);
        marks
    }

    #[test]
    fn come_back_from_the_file_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        some().write(folder.path()).unwrap();
        let (marks, unreadable) = load(folder.path()).unwrap();
        assert_eq!((&marks, unreadable), (&some(), None));
        let listed: Vec<_> = marks.list().iter().map(|known| (known.stream.as_u64(), known.end)).collect();
        assert_eq!(listed, [(9, 40), (7, 0)]);
        assert_eq!(marks.highest_order(), 2);
    }

    #[test]
    fn unreadable_ones_are_set_aside_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let good = String::from_utf8(some().to_json().unwrap()).unwrap();
        let flipped = good.replace(":40", ":41");
        for (content, word) in [("", "EOF"), (&good[..good.len() / 2], "EOF"), (&flipped, "checksum")] {
            fs::write(folder.path().join(FILE), content).unwrap();
            let (marks, unreadable) = load(folder.path()).unwrap();
            assert_eq!(marks, Marks::default());
            let set_aside = set_aside(folder.path(), unreadable.unwrap()).unwrap();
            assert!(set_aside.reason.contains(word), "{}", set_aside.reason);
            assert_eq!(fs::read_to_string(set_aside.folder).unwrap(), content);
            assert!(!folder.path().join(FILE).exists());
        }
    }

    #[test]
    fn newer_ones_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let newer = r#"{"layout":3,"streams":{"a":1}}"#;
        fs::write(folder.path().join(FILE), newer).unwrap();
        assert!(matches!(load(folder.path()), Err(QueueError::NewerLayout { found: 3, known: 2, .. })));
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), newer);
    }

    #[test]
    fn are_due_after_numbers_or_time() {
        let last = Pace { end: 500, written_ms: 1_000_000 };
        assert!(!last.is_due(Pace { end: 50_499, written_ms: 1_059_999 }));
        assert!(last.is_due(Pace { end: 50_500, written_ms: 0 }));
        assert!(last.is_due(Pace { end: 501, written_ms: 1_060_000 }));
    }
}

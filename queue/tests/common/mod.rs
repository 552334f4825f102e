//! What the tests of the queue share.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub mod damaged;

use std::path::{Path, PathBuf};

use fieldgate_queue::{Kind, Reader, Record, StreamId, Unit};
use rand::RngCore;

/// A unit with one reading, whose text is filled up to a length with bytes that do not become shorter.
pub fn unit(text: &str, bytes: usize) -> Unit {
    let mut body = format!("{text}.").into_bytes();
    let filled = body.len();
    body.resize(bytes.max(filled), 0);
    rand::rng().fill_bytes(&mut body[filled..]);
    Unit::new(vec![Record { kind: Kind::READING, body }]).unwrap()
}

/// All readings of a stream, with their numbers, without what they were filled up with.
pub fn readings(reader: &Reader, stream: StreamId) -> Vec<(u64, String)> {
    let mut found: Vec<(u64, String)> = Vec::new();
    loop {
        let from = found.last().map_or(1, |(seq, _)| seq + 1);
        let batch = reader.read(stream, from, 500, 1 << 20).unwrap();
        if batch.is_empty() {
            return found;
        }
        found.extend(batch.into_iter().map(|numbered| (numbered.seq, text_of(&numbered.record))));
    }
}

fn text_of(record: &Record) -> String {
    let text = record.body.split(|byte| *byte == b'.').next().unwrap();
    String::from_utf8(text.to_vec()).unwrap()
}

pub fn store_of(queue: &Path) -> PathBuf {
    queue.join("store-0000000000000001")
}

/// The names in a folder that begin so.
pub fn names_beginning(folder: &Path, prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(prefix)).collect()
}

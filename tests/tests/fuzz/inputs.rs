//! Good bytes of every kind: the files of a real queue, and what the real program exports of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fieldgate_tests::artifacts::{built_program, quick_folder};
use gateway::standby::beat::{Beat, HELLO, Identity};
use gateway::standby::role::Role;
use queue::{Kind, Record, StreamId, Unit};
use tempfile::TempDir;

const MAGIC: &[u8] = b"FGQ1";
const HEADER_BYTES: usize = 59;
/// Of the file that is searched, so that a round stays short.
const DATA_BYTES: usize = 24 * 1024;
const STARTS: u64 = 3;
const QUEUE: &str = "queue";

/// A closed queue of several starts, with units of every shape.
pub struct Inputs {
    folder: TempDir,
    /// Of the last start.
    stream: StreamId,
}

impl Inputs {
    pub fn new() -> Inputs {
        let folder = quick_folder();
        let queue = folder.path().join(QUEUE);
        let streams: Vec<StreamId> = (1..=STARTS).map(|start| append(&queue, start)).collect();
        Inputs { folder, stream: *streams.last().expect("a start") }
    }

    fn queue(&self) -> PathBuf {
        self.folder.path().join(QUEUE)
    }

    /// Each frame of a generation, as it lies in its file.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let data = self.file("db").swap_remove(0);
        let starts = data.windows(MAGIC.len()).enumerate().filter(|(_, bytes)| *bytes == MAGIC).map(|(at, _)| at);
        let frames: Vec<Vec<u8>> = starts.filter_map(|at| frame_at(&data[at..])).collect();
        assert!(frames.iter().filter(|frame| queue::fuzzing::frame(frame)).count() > 3, "the file has frames");
        frames
    }

    /// The beginning of each generation's file.
    pub fn data(&self) -> Vec<Vec<u8>> {
        let shortened = |mut data: Vec<u8>| {
            let start = data.windows(MAGIC.len()).position(|bytes| bytes == MAGIC).expect("a file with frames");
            data.drain(..start.saturating_sub(HEADER_BYTES));
            data.truncate(DATA_BYTES);
            data
        };
        self.file("db").into_iter().map(shortened).collect()
    }

    pub fn marks(&self) -> Vec<Vec<u8>> {
        vec![fs::read(self.queue().join("marks.json")).expect("the marks of a queue")]
    }

    pub fn seals(&self) -> Vec<Vec<u8>> {
        self.file("seal.json")
    }

    /// One stream, in both formats.
    pub fn exports(&self) -> Vec<Vec<u8>> {
        ["ndjson", "cbor"].map(|format| export(&self.queue(), self.stream, format)).to_vec()
    }

    /// This file of each generation.
    fn file(&self, name: &str) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.queue()).expect("the folder of a queue");
        let paths = entries.map(|entry| entry.expect("an entry of it").path().join(name));
        let found: Vec<_> = paths.filter_map(|path| fs::read(path).ok()).collect();
        assert!(found.len() > 1, "the queue has several generations with {name}");
        found
    }
}

/// What comes over a serial line between two gateways: a beat, and several among other bytes.
pub fn lines() -> Vec<Vec<u8>> {
    let beat = |counter| {
        let who = Identity::new("barn", "barn-2", 7);
        let (role, priority, wants_turn, unwell, term) = (Role::Active, 1, false, false, 5);
        let (durable_through_ms, drained_through_ms) = (1_790_000_000_000, 1_789_999_000_000);
        Beat { who, role, priority, wants_turn, unwell, term, counter, durable_through_ms, drained_through_ms }
    };
    let [one, two] = [1, 2].map(|counter| beat(counter).encode());
    vec![one.to_vec(), HELLO.to_vec(), [&one[9..], &two[..], b"\xf1noise", HELLO, b"\r\n", &one[..]].concat()]
}

fn append(queue: &Path, start: u64) -> StreamId {
    let mut opened = queue::open(queue).expect("a queue");
    for number in 1..=6 {
        let units = [unit(4, 20, number), unit(1, 300, number), unit(2, 5, number)];
        opened.writer.append(&units, 1_763_632_800_000 + start * 1000 + number).expect("an append");
    }
    // Too long for one frame, and not to be compressed.
    opened.writer.append(&[unit(5, 3000, 99)], 0).expect("an append");
    opened.writer.trim(opened.stream, 7).expect("trimming");
    opened.writer.close().expect("closing");
    opened.stream
}

fn unit(readings: u64, bytes: u64, seed: u64) -> Unit {
    let body = |at: u64| (0..bytes).map(|byte| (byte * byte * 31 + seed * 7 + at) as u8).collect();
    let kinds = [Kind::READING, Kind::GAP, Kind::READING.shared(), Kind::DEAD_LETTER];
    let mut records: Vec<Record> =
        (0..readings).zip(kinds.into_iter().cycle()).map(|(at, kind)| Record { kind, body: body(at) }).collect();
    records.push(Record { kind: Kind::MQTT_RECEIPT, body: vec![7; 12] });
    Unit::new(records).expect("a unit that the queue takes")
}

/// The length is told from offset 8, and counts from offset 12.
fn frame_at(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    bytes.get(..usize::try_from(length).ok()?.checked_add(12)?).map(<[u8]>::to_vec)
}

fn export(queue: &Path, stream: StreamId, format: &str) -> Vec<u8> {
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    command.args(["queue", "export", "--gateway", "g1", "--format", format, "--stream", &stream.to_string(), "--from"]);
    let output = command.arg(queue).output().expect("fieldgate can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

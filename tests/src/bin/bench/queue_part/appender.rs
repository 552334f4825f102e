//! The two sides, as one thing that takes groups of readings.

use std::path::Path;

use queue::{Opened, Unit};

use super::plain_log::PlainLog;
use crate::readings;

/// No more readings and bytes than this are read at once.
const READ_RECORDS: usize = 1000;
const READ_BYTES: usize = 1024 * 1024;
/// So many groups come by turns, so that no two that follow each other are alike; at least `LEAST_READINGS` in them.
const LEAST_GROUPS: usize = 4;
const LEAST_READINGS: usize = 1000;

/// Takes the same groups of readings, whoever it is.
pub trait Appender {
    /// Makes the next group durable. Milliseconds since 1970.
    fn append(&mut self, now_ms: u64);
    /// Reads back as much as was appended, and lets go of it.
    fn drain(&mut self);
}

/// Each reading is a message of its own.
pub struct QueueSide {
    opened: Opened,
    groups: Vec<Vec<Unit>>,
    appended: usize,
    next_to_read: u64,
}

pub struct LogSide {
    log: PlainLog,
    groups: Vec<Vec<Vec<u8>>>,
    appended: usize,
}

impl QueueSide {
    pub fn new(folder: &Path, group: usize) -> QueueSide {
        let unit = |body: &Vec<u8>| Unit::new(vec![readings::record(body)]).expect("a unit of one reading");
        let groups = bodies(group).iter().map(|group| group.iter().map(unit).collect()).collect();
        QueueSide { opened: queue::open(folder).expect("a new queue"), groups, appended: 0, next_to_read: 1 }
    }
}

impl LogSide {
    pub fn new(folder: &Path, group: usize) -> LogSide {
        LogSide { log: PlainLog::create(folder), groups: bodies(group), appended: 0 }
    }
}

fn bodies(group: usize) -> Vec<Vec<Vec<u8>>> {
    let count = (group * LEAST_GROUPS).max(LEAST_READINGS);
    readings::encoded(count).chunks(group).map(<[Vec<u8>]>::to_vec).collect()
}

impl Appender for QueueSide {
    fn append(&mut self, now_ms: u64) {
        let group = &self.groups[self.appended % self.groups.len()];
        self.opened.writer.append(group, now_ms).expect("the queue takes readings");
        self.appended += 1;
    }

    fn drain(&mut self) {
        let stream = self.opened.stream;
        let read = self.opened.reader.read(stream, self.next_to_read, READ_RECORDS, READ_BYTES);
        let read = read.expect("the queue can be read");
        let last = read.last().expect("what was just appended").seq;
        assert_eq!(last + 1 - self.next_to_read, read.len() as u64, "every reading is there");
        self.opened.writer.trim(stream, last).expect("the queue can be trimmed");
        self.next_to_read = last + 1;
    }
}

impl Appender for LogSide {
    fn append(&mut self, _now_ms: u64) {
        self.log.append(&self.groups[self.appended % self.groups.len()]);
        self.appended += 1;
    }

    fn drain(&mut self) {
        self.log.read().expect("what was just appended");
    }
}

//! The best simple log one would write: groups one after the other, each with its length and checksum, in files that are
//! removed when they have been read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that is as long as this is followed by the next one.
const FILE_BYTES: u64 = 8 * 1024 * 1024;
/// Length and CRC-32 of the group, 4 bytes each.
const HEADER_BYTES: usize = 8;

pub struct PlainLog {
    folder: PathBuf,
    number: u64,
    file: File,
    written: u64,
    /// What is written at once.
    group: Vec<u8>,
    reading: Place,
}

/// Where the next group is read.
struct Place {
    number: u64,
    file: File,
    offset: u64,
}

impl PlainLog {
    /// A new log in an empty folder.
    pub fn create(folder: &Path) -> PlainLog {
        let file = new_file(folder, 0);
        let reading = Place { number: 0, file: open(folder, 0), offset: 0 };
        PlainLog { folder: folder.to_owned(), number: 0, file, written: 0, group: Vec::new(), reading }
    }

    /// One write and one sync.
    pub fn append(&mut self, bodies: &[Vec<u8>]) {
        if self.written >= FILE_BYTES {
            self.number += 1;
            self.file = new_file(&self.folder, self.number);
            self.written = 0;
        }
        self.fill_group(bodies);
        self.file.write_all(&self.group).expect("the log's file takes bytes");
        self.file.sync_data().expect("the log's file can be synced");
        self.written += self.group.len() as u64;
    }

    fn fill_group(&mut self, bodies: &[Vec<u8>]) {
        self.group.clear();
        self.group.extend([0; HEADER_BYTES]);
        bodies.iter().for_each(|body| self.group.extend(body));
        let (header, content) = self.group.split_at_mut(HEADER_BYTES);
        let length = u32::try_from(content.len()).expect("a group is small");
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..].copy_from_slice(&crc32fast::hash(content).to_le_bytes());
    }

    /// Reads the oldest group that was not read and checks it; a file that was read is removed when there is a next one.
    /// `None` when everything was read.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        if self.reading.number == self.number && self.reading.offset == self.written {
            return None;
        }
        let mut header = [0; HEADER_BYTES];
        if self.reading.file.read_exact_at(&mut header, self.reading.offset).is_err() {
            self.turn_over();
            self.reading.file.read_exact_at(&mut header, 0).expect("a file of the log has a group");
        }
        let [length, sum] = [0, 4].map(|at| u32::from_le_bytes(header[at..at + 4].try_into().expect("4 bytes")));
        let mut content = vec![0; length as usize];
        self.reading.offset += HEADER_BYTES as u64;
        self.reading.file.read_exact_at(&mut content, self.reading.offset).expect("a whole group");
        assert_eq!(crc32fast::hash(&content), sum, "the log has what was written");
        self.reading.offset += u64::from(length);
        Some(content)
    }

    fn turn_over(&mut self) {
        let read = self.reading.number;
        self.reading = Place { number: read + 1, file: open(&self.folder, read + 1), offset: 0 };
        fs::remove_file(path(&self.folder, read)).expect("a file that was read can be removed");
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log-{number}"))
}

fn open(folder: &Path, number: u64) -> File {
    File::open(path(folder, number)).expect("a file of the log")
}

/// Also its name is durable.
fn new_file(folder: &Path, number: u64) -> File {
    let file = File::create_new(path(folder, number)).expect("a new file for the log");
    File::open(folder).and_then(|folder| folder.sync_all()).expect("a folder can be synced");
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_back_in_order_and_files_that_were_read_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = PlainLog::create(folder.path());
        let body = |index: u8| vec![index; 3 * 1024 * 1024];
        for index in 0..7 {
            log.append(&[body(index), vec![7]]);
        }
        for index in 0..7 {
            assert!(log.read() == Some([body(index), vec![7]].concat()));
        }
        assert!(log.read().is_none());
        let left: Vec<_> =
            fs::read_dir(folder.path()).expect("its files").flatten().map(|file| file.file_name()).collect();
        assert_eq!(left, ["log-2"]);
    }
}

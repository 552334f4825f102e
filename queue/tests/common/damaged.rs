//! A queue to be damaged, and what has to hold whatever the damage is.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fieldgate_queue::{KnownStream, StreamId, open};
use tempfile::{TempDir, tempdir};

use super::{readings, store_of, unit};

pub const READINGS: u64 = 1000;

/// A closed queue with readings of 5000 bytes; with a snapshot of all of them when it was `reopened`.
pub struct Damaged {
    folder: TempDir,
    stream: StreamId,
    readings: u64,
}

impl Damaged {
    pub fn new(reopened: bool) -> Damaged {
        Damaged::with(READINGS, reopened)
    }

    /// One with so many readings, a multiple of 50.
    pub fn with(readings: u64, reopened: bool) -> Damaged {
        let folder = tempdir().unwrap();
        let mut opened = open(folder.path()).unwrap();
        let stream = opened.stream;
        for group in 0..readings / 50 {
            let units: Vec<_> = (1..=50).map(|index| unit(&(group * 50 + index).to_string(), 5000)).collect();
            opened.writer.append(&units, 0).unwrap();
        }
        drop(opened);
        if reopened {
            open(folder.path()).unwrap().writer.close().unwrap();
        }
        Damaged { folder, stream, readings }
    }

    pub fn store(&self) -> PathBuf {
        store_of(self.folder.path())
    }

    /// Another queue with the same files.
    pub fn copy(&self) -> Damaged {
        let folder = tempdir().unwrap();
        copy_files(self.folder.path(), folder.path());
        Damaged { folder, stream: self.stream, readings: self.readings }
    }

    /// The length of the store's file.
    pub fn bytes(&self) -> u64 {
        fs::metadata(self.store().join("db")).unwrap().len()
    }

    pub fn overwrite(&self, per_mille: u64, bytes: &[u8]) {
        self.overwrite_at(self.bytes() * per_mille / 1000, bytes);
    }

    pub fn overwrite_at(&self, offset: u64, bytes: &[u8]) {
        let data = OpenOptions::new().write(true).open(self.store().join("db")).unwrap();
        data.write_all_at(bytes, offset).unwrap();
    }

    /// Opens, and checks everything that has to hold whatever the damage. Returns how many readings are still there.
    pub fn check(&self) -> u64 {
        let mut opened = open(self.folder.path()).unwrap();
        let found = readings(&opened.reader, self.stream);
        assert!(found.iter().all(|(seq, text)| *text == seq.to_string()), "a reading has changed");
        let end = end_of(&opened.reader.known_streams(), self.stream);
        assert_eq!(end, self.readings, "what is missing can be noticed");
        opened.writer.append(&[unit("new", 10)], 0).unwrap();
        let stream = opened.stream;
        drop(opened);
        let again = open(self.folder.path()).unwrap();
        assert_eq!(readings(&again.reader, stream), [(1, "new".to_owned())]);
        assert_eq!(readings(&again.reader, self.stream), found);
        u64::try_from(found.len()).unwrap()
    }
}

fn end_of(known: &[KnownStream], stream: StreamId) -> u64 {
    known.iter().find(|known| known.stream == stream).unwrap().end
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

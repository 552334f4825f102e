//! Room on the disk: what has to stay free, and a file that is given up when nothing else is left.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::disk::RESERVED_BYTES;
use crate::error::io_at;
use crate::{QueueError, Settings};

const BALLAST_FILE: &str = "ballast";
/// On a small disk the file is at most this part of it.
const BALLAST_PART: u64 = 16;
/// The default reserve is this part of the disk, and at most [`MOST_RESERVE_BYTES`].
const RESERVE_PART: u64 = 20;
const MOST_RESERVE_BYTES: u64 = 256 * 1024 * 1024;

/// The disk that a queue lies on.
#[derive(Debug)]
pub(crate) struct Room {
    folder: PathBuf,
    pub(crate) reserve_bytes: u64,
    ballast_bytes: u64,
}

/// The sizes of a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskSize {
    pub(crate) total: u64,
    /// What this process may still use.
    pub(crate) free: u64,
}

/// How a disk is filled at present.
pub(crate) fn disk_size(folder: &Path) -> Result<DiskSize, QueueError> {
    let stat = rustix::fs::statvfs(folder).map_err(|error| io_at("look at the disk of", folder)(error.into()))?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(DiskSize { total: bytes(stat.f_blocks), free: bytes(stat.f_bavail) })
}

impl Room {
    pub(crate) fn new(folder: &Path, settings: Settings) -> Result<Room, QueueError> {
        let size = disk_size(folder)?;
        let default = (size.total / RESERVE_PART).min(MOST_RESERVE_BYTES);
        let reserve_bytes = settings.reserve_bytes.unwrap_or(default);
        let ballast_bytes = settings.ballast_bytes.min(size.total / BALLAST_PART);
        Ok(Room { folder: folder.to_owned(), reserve_bytes, ballast_bytes })
    }

    /// Whether one more generation leaves free what is to stay free.
    pub(crate) fn has_room(&self) -> Result<bool, QueueError> {
        Ok(self.free_bytes()? >= self.reserve_bytes.saturating_add(RESERVED_BYTES))
    }

    /// What is free on the disk.
    pub(crate) fn free_bytes(&self) -> Result<u64, QueueError> {
        Ok(disk_size(&self.folder)?.free)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join(BALLAST_FILE)
    }

    /// Makes the ballast where it is missing and the disk has much more room than it takes. Trouble is no error: it is
    /// made at another time.
    pub(crate) fn keep_ballast(&self) {
        let bytes = self.ballast_bytes;
        let Ok(size) = disk_size(&self.folder) else { return };
        let is_there = fs::metadata(self.ballast()).is_ok_and(|file| file.len() >= bytes);
        let has_room = size.free > self.reserve_bytes.saturating_add(bytes.saturating_mul(2));
        if bytes > 0 && !is_there && has_room && write_ballast(&self.ballast(), bytes).is_err() {
            let _ = fs::remove_file(self.ballast());
        }
    }

    /// Gives the ballast up. Says whether there was one.
    pub(crate) fn give_up_ballast(&self) -> bool {
        fs::remove_file(self.ballast()).is_ok()
    }
}

/// Really written, with bytes that no file system can leave out or make smaller.
fn write_ballast(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    // The kernel makes them in a fraction of the time that a generator of ours takes.
    io::copy(&mut File::open("/dev/urandom")?.take(bytes), &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ballast_is_there_until_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { reserve_bytes: Some(0), ballast_bytes: 10_000 };
        let room = Room::new(folder.path(), settings).unwrap();
        room.keep_ballast();
        assert_eq!(fs::metadata(room.ballast()).unwrap().len(), 10_000);
        assert!(room.give_up_ballast() && !room.give_up_ballast());
    }

    #[test]
    fn no_ballast_is_made_on_a_disk_that_is_nearly_full() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { reserve_bytes: Some(u64::MAX), ballast_bytes: 10_000 };
        let room = Room::new(folder.path(), settings).unwrap();
        room.keep_ballast();
        assert!(!room.ballast().exists());
        assert!(!room.has_room().unwrap());
    }
}

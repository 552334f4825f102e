//! The disk that holds the queue: how large it is, how much of it is free, and what follows for the queue.

use config::Queue;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The largest default for `queue.max`.
const MOST_DEFAULT_MAX_BYTES: u64 = 4 << 30;
/// The largest default for `queue.reserve`.
const MOST_DEFAULT_RESERVE_BYTES: u64 = 256 << 20;

/// The unit in which the system counts what a file takes.
const BLOCK_BYTES: u64 = 512;

/// A disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// All of it.
    pub total: u64,
    /// What this user may still write.
    pub free: u64,
}

impl Disk {
    /// Asks for the disk that holds a file or folder.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn look(path: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Self { total: bytes(disk.f_blocks), free: bytes(disk.f_bavail) })
    }

    /// How many bytes of readings the queue may hold: as configured, else a quarter of the disk, at most 4 GiB.
    pub fn max_bytes(&self, settings: &Queue) -> u64 {
        settings.max_bytes.unwrap_or((self.total / 4).min(MOST_DEFAULT_MAX_BYTES))
    }

    /// How many bytes stay free: as configured, else a twentieth of the disk, at most 256 MiB. That is enough to log in and
    /// mend something on a large disk, where a twentieth would be more than is of use; on a small disk 256 MiB
    /// would be most of it.
    pub fn reserve_bytes(&self, settings: &Queue) -> u64 {
        settings.reserve_bytes.unwrap_or((self.total / 20).min(MOST_DEFAULT_RESERVE_BYTES))
    }
}

/// What the files in a folder take on the disk; 0 for what is not there or cannot be read.
pub fn used_by(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let used = entries.filter_map(|entry| {
        let about = entry.metadata().ok()?;
        Some(if about.is_dir() { used_by(&entry.path()) } else { about.blocks().saturating_mul(BLOCK_BYTES) })
    });
    used.fold(0, u64::saturating_add)
}

/// What the files of so many bytes of readings take at most: measured, 2.3 times as much.
pub fn file_bytes(live_bytes: u64) -> u64 {
    live_bytes.saturating_mul(2).saturating_add(live_bytes / 10 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Commit, WhenFull};
    use std::time::Duration;

    const SETTINGS: Queue = Queue {
        keep: Duration::ZERO,
        max_bytes: None,
        commit: Commit::Card,
        when_full: WhenFull::DropNewest,
        reserve_bytes: None,
    };

    #[test]
    fn the_defaults_follow_the_size_of_the_disk_up_to_a_bound() {
        let of = |total: u64| {
            let disk = Disk { total, free: 0 };
            (disk.max_bytes(&SETTINGS), disk.reserve_bytes(&SETTINGS))
        };
        assert_eq!(of(1000 << 20), (250 << 20, 50 << 20));
        assert_eq!(of(32 << 30), (4 << 30, 256 << 20));
        assert_eq!(of(0), (0, 0));
        let chosen = Queue { max_bytes: Some(7), reserve_bytes: Some(8), ..SETTINGS };
        let disk = Disk { total: 1 << 30, free: 0 };
        assert_eq!((disk.max_bytes(&chosen), disk.reserve_bytes(&chosen)), (7, 8));
    }

    #[test]
    fn files_take_more_than_their_readings() {
        assert_eq!([file_bytes(0), file_bytes(1000), file_bytes(u64::MAX)], [0, 2300, u64::MAX]);
    }

    #[test]
    fn a_folder_takes_what_its_files_take_however_deep() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(used_by(&folder.path().join("absent")), 0);
        std::fs::create_dir_all(folder.path().join("store/more")).unwrap();
        for path in ["a", "store/b", "store/more/c"] {
            std::fs::write(folder.path().join(path), vec![1; 10_000]).unwrap();
        }
        let used = used_by(folder.path());
        assert!((30_000..100_000).contains(&used), "{used}");
    }

    #[test]
    fn this_machine_answers() {
        let disk = Disk::look(Path::new("/")).unwrap();
        assert!(disk.total > disk.free, "{disk:?}");
    }
}

//! What a process used of the machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{major, minor, stat, syncfs};
use rustix::time::{ClockId, clock_gettime};

const SECTOR_BYTES: u64 = 512;
const KIBIBYTE: u64 = 1024;

/// Processor time of this process, all its threads, its own and the kernel's for it.
pub fn cpu() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    Duration::from_secs(part(spent.tv_sec)) + Duration::from_nanos(part(spent.tv_nsec))
}

/// Bytes of this process that are in memory now.
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// The most it ever was.
pub fn peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

fn status_bytes(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("what the kernel says of us");
    number_after(&text, field).expect("a field that every kernel has") * KIBIBYTE
}

/// The first number of the line that begins with a word.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What went to a disk so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Written {
    pub bytes: u64,
    /// Commands to the disk to make its cache durable; `None` when that is not counted.
    pub flushes: Option<u64>,
}

/// Counts what is written.
pub enum Counter {
    /// By a device that nobody else uses.
    Device { statistics: PathBuf, folder: File },
    /// By this process, as the kernel puts it down to it. Journals are not in it.
    Process,
}

impl Counter {
    /// Of the device that a folder lies on.
    pub fn of_device(folder: &Path) -> Counter {
        let device = stat(folder).expect("a folder").st_dev;
        let statistics = PathBuf::from(format!("/sys/dev/block/{}:{}/stat", major(device), minor(device)));
        Counter::Device { statistics, folder: File::open(folder).expect("a folder") }
    }

    /// What is on its way to the device gets there first; the flushes of that are not counted.
    pub fn after_syncing(&self) -> Written {
        let before = self.now();
        let Counter::Device { folder, .. } = self else { return before };
        syncfs(folder).expect("a file system can be synced");
        Written { flushes: before.flushes, ..self.now() }
    }

    /// As they are when a count begins.
    pub fn beginning(&self) -> Written {
        self.after_syncing();
        self.now()
    }

    fn now(&self) -> Written {
        let path = match self {
            Counter::Device { statistics, .. } => statistics.as_path(),
            Counter::Process => Path::new("/proc/self/io"),
        };
        let text = fs::read_to_string(path).expect("the kernel's counts");
        match self {
            Counter::Device { .. } => of_device(&text),
            Counter::Process => Written { bytes: number_after(&text, "write_bytes:").unwrap_or(0), flushes: None },
        }
    }
}

/// The kernel's Documentation/block/stat: field 7 is sectors written, field 16 flushes.
fn of_device(text: &str) -> Written {
    let fields: Vec<u64> = text.split_whitespace().flat_map(str::parse).collect();
    Written { bytes: fields.get(6).map_or(0, |sectors| sectors * SECTOR_BYTES), flushes: fields.get(15).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let text = "109 0 4268 9 626 794 11304 388 0 392 578 0 0 0 0 416 180\n";
        assert_eq!(of_device(text), Written { bytes: 11304 * 512, flushes: Some(416) });
        assert_eq!(of_device("1 2 3 4 5 6 7 8 9 10 11").flushes, None);
        assert_eq!(number_after("VmPeak:\t 9 kB\nVmRSS:\t  123 kB\n", "VmRSS:"), Some(123));
        assert!(resident_bytes() > 0 && peak_bytes() >= resident_bytes());
    }
}

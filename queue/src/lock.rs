//! One process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::QueueError;
use crate::error::io_at;

/// Holds the queue's folder until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, or says at once which process has it.
    pub(crate) fn take(folder: &Path) -> Result<Lock, QueueError> {
        let path: PathBuf = folder.join("lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(io_at("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                return Err(QueueError::InUse { folder: folder.to_owned(), pid: holder(&path) });
            }
            outcome => outcome.map_err(|error| io_at("lock", &path)(error.into()))?,
        }
        let pid = std::process::id();
        file.set_len(0).and_then(|()| writeln!(file, "{pid}")).map_err(io_at("write", &path))?;
        Ok(Lock { _file: file })
    }
}

/// The process that wrote its number into the file, if it got so far.
fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_hears_who_has_it_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let refused = Lock::take(folder.path()).unwrap_err();
        assert!(matches!(&refused, QueueError::InUse { pid: Some(pid), .. } if *pid == std::process::id()));
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())));
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}

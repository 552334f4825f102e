//! The library that comes between a program and its syncs does what it says.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fieldgate_tests::sync_shim::SyncShim;

/// coreutils' `sync --data` calls fdatasync once for each file.
fn syncing(file: &Path) -> Command {
    let mut command = Command::new("sync");
    command.arg("--data").arg(file);
    command
}

#[test]
fn a_delayed_sync_takes_at_least_so_much_longer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut delayed = syncing(folder.path());
    SyncShim::build(folder.path()).delaying(&mut delayed, 300);
    let began = Instant::now();
    assert!(delayed.status().expect("sync runs").success());
    assert!(began.elapsed() >= Duration::from_millis(300));
}

/// Only the kernel knows that a device that is no disk cannot be synced.
#[test]
fn a_skipped_sync_never_asks_the_kernel() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut refused = syncing(Path::new("/dev/null"));
    assert!(!refused.output().expect("sync runs").status.success());
    SyncShim::build(folder.path()).skipping(&mut refused);
    assert!(refused.output().expect("sync runs").status.success());
}

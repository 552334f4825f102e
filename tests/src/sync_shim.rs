//! A library that is loaded before a program and comes between it and the C library's calls that make data durable. It
//! leaves them out, makes them slow or has them wait, without a change to the program.
//!
//! It is made when it is needed, by the C compiler that also links every Rust program. Programs that are linked statically
//! or make system calls themselves do not see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compiler;

const MODE: &str = "FIELDGATE_SYNC";
const SKIP: &str = "skip";
const DELAY_MILLISECONDS: &str = "FIELDGATE_SYNC_DELAY_MS";
const STALL_FILE: &str = "FIELDGATE_SYNC_STALL";

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int is_skipped(void) {
    const char *mode = getenv("FIELDGATE_SYNC");
    return mode && !strcmp(mode, "skip");
}

static void delay(void) {
    const char *text = getenv("FIELDGATE_SYNC_DELAY_MS");
    long milliseconds = text ? atol(text) : 0;
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    nanosleep(&time, 0);
}

static void stall(void) {
    const char *file = getenv("FIELDGATE_SYNC_STALL");
    struct timespec look = { 0, 10 * 1000000 };
    while (file && !access(file, F_OK)) nanosleep(&look, 0);
}

static int sync_file(const char *name, int file) {
    if (is_skipped()) return 0;
    delay();
    stall();
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return next(file);
}

int fsync(int file) { return sync_file("fsync", file); }

int fdatasync(int file) { return sync_file("fdatasync", file); }

int sync_file_range(int file, off64_t offset, off64_t length, unsigned int flags) {
    if (is_skipped()) return 0;
    int (*next)(int, off64_t, off64_t, unsigned int) =
        (int (*)(int, off64_t, off64_t, unsigned int))dlsym(RTLD_NEXT, "sync_file_range");
    return next(file, offset, length, flags);
}
"#;

/// The library, made.
#[derive(Debug, Clone)]
pub struct SyncShim {
    library: PathBuf,
}

impl SyncShim {
    /// Makes the library in a folder, in which it has to stay.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn build(folder: &Path) -> SyncShim {
        SyncShim { library: compiler::library(folder, "sync_shim", SOURCE) }
    }

    /// The program's `fsync`, `fdatasync` and `sync_file_range` do nothing and say that all is well.
    pub fn skipping(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env(MODE, SKIP);
    }

    /// The program's `fsync` and `fdatasync` each take so many milliseconds longer, as on a slow card.
    pub fn delaying(&self, command: &mut Command, milliseconds: u64) {
        command.env("LD_PRELOAD", &self.library).env(DELAY_MILLISECONDS, milliseconds.to_string());
    }

    /// Variables for a program whose `fsync` and `fdatasync` do not come back while this file is there, as on a disk that stands
    /// still.
    #[must_use]
    pub fn stalling(&self, file: &Path) -> [(String, String); 2] {
        [("LD_PRELOAD", self.library.as_path()), (STALL_FILE, file)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::installed_program;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    #[test]
    fn syncs_are_delayed_wait_and_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let shim = SyncShim::build(folder.path());
        let sync = || {
            let mut sync = Command::new(installed_program("sync", "coreutils"));
            sync.arg("--data").arg(folder.path().join("sync_shim.c"));
            sync
        };
        let (mut delayed, began) = (sync(), Instant::now());
        shim.delaying(&mut delayed, 300);
        assert!(delayed.status().expect("sync runs").success());
        assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
        let stall = folder.path().join("stall");
        std::fs::write(&stall, "").expect("a file");
        let mut waiting = sync().envs(shim.stalling(&stall)).spawn().expect("sync runs");
        std::thread::sleep(Duration::from_millis(100));
        assert!(waiting.try_wait().expect("it can be asked").is_none(), "it waits");
        std::fs::remove_file(&stall).expect("the file goes away");
        assert!(waiting.wait().expect("it ends").success());
        // The kernel refuses to sync a file such as this one; left out, nobody is asked.
        let mut refused = sync();
        refused.arg("/proc/self/status").stderr(Stdio::null());
        assert!(!refused.status().expect("sync runs").success());
        shim.skipping(&mut refused);
        assert!(refused.status().expect("sync runs").success());
    }
}

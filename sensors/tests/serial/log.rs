//! What the sources log. One log for all tests, since the library that logs has one for all threads; the port's path,
//! of which each test has its own, tells whose line it is.

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGIN: Once = Once::new();

struct Log;

fn bytes() -> MutexGuard<'static, Vec<u8>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        bytes().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps everything that is logged from now on. To be called before anything is.
pub fn begin() {
    BEGIN.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).init());
}

/// How many lines about this port have these words.
pub fn lines(port: &Path, words: &str) -> usize {
    let text = String::from_utf8_lossy(&bytes()).into_owned();
    let port = port.display().to_string();
    text.lines().filter(|line| line.contains(&port) && line.contains(words)).count()
}

//! A program that runs for as long as its rig, and waiting for a condition.

mod launch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const POLL_PERIOD: Duration = Duration::from_millis(10);
const LOG_LINES_SHOWN: usize = 40;

/// A running program whose output goes to a log file. Dropping it kills and reaps it.
///
/// The kernel also kills it when the *thread* that spawned it ends, so that a killed test leaves no server behind.
/// Make rigs on the thread that uses them (a test's own, or `main`), never on a short-lived helper thread.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the command (program, arguments, folder and environment; its input is empty) and appends what it prints
    /// to `log`. `name` is what messages call it.
    ///
    /// # Panics
    /// When it cannot be started, or the log cannot be written.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> Self {
        let child = launch::start(command, log)
            .unwrap_or_else(|e| panic!("{name} cannot be started with its log {}: {e}", log.display()));
        let (name, log) = (name.to_owned(), log.to_owned());
        Self { name, child, log }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// True until the process has ended.
    pub fn is_running(&mut self) -> bool {
        self.exit_status().is_none()
    }

    /// How the process ended; `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|e| panic!("{} cannot be asked whether it runs: {e}", self.name))
    }

    /// Panics with the end of the log if the process has ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.exit_status() {
            panic!("{} has ended ({status}); its log ends with:\n{}", self.name, self.log_end());
        }
    }

    /// SIGKILL, as a power cut or the kernel short of memory would do. Returns when the process is gone.
    pub fn kill(&mut self) {
        // An error here means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then SIGKILL if it has not ended within the deadline: `None` then. A frozen process sees no SIGTERM.
    pub fn stop(&mut self, deadline: Duration) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        if !poll(deadline, || !self.is_running()) {
            self.kill();
            return None;
        }
        self.exit_status()
    }

    /// How the process ended by itself; `None` when it still runs after the deadline.
    pub fn ended_within(&mut self, deadline: Duration) -> Option<ExitStatus> {
        poll(deadline, || !self.is_running());
        self.exit_status()
    }

    /// How the process ended by itself.
    ///
    /// # Panics
    /// When it still runs after the deadline.
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait_for(&what, deadline, || !self.is_running());
        self.exit_status().expect("an ended process has a status")
    }

    /// SIGSTOP: the process stands still, its connections stay open and silent. Returns when it stands.
    pub fn freeze(&mut self) {
        self.assert_running();
        self.signal(Signal::STOP);
        let what = format!("{} to stand still", self.name);
        wait_for(&what, Duration::from_secs(10), || is_stopped(self.id()));
    }

    /// SIGCONT: a frozen process goes on.
    pub fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    /// The last lines of the log.
    pub fn log_end(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    fn signal(&mut self, signal: Signal) {
        // An ended process may have given its id to a stranger.
        if self.is_running() {
            let pid = Pid::from_child(&self.child);
            kill_process(pid, signal).unwrap_or_else(|e| panic!("{} gets no signal: {e}", self.name));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns as soon as `condition` holds, asked every 10 ms.
///
/// # Panics
/// When it does not hold within the deadline; the message says `what` was waited for.
pub fn wait_for(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(poll(deadline, condition), "waited {deadline:?} in vain for {what}");
}

fn poll(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() >= deadline {
            return false;
        }
        thread::sleep(POLL_PERIOD);
    }
}

fn is_stopped(process_id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

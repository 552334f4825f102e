//! The rig of a serial node: the program `serial_node` of this package, as its own process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::artifacts::built_program;
use crate::audit::NodeLog;
use crate::process::{Process, wait_for};

const DEADLINE: Duration = Duration::from_secs(15);

/// A running serial node. Dropping it kills it, which unplugs it, and removes its log.
#[derive(Debug)]
pub struct SerialNode {
    process: Process,
    folder: TempDir,
    name: String,
}

impl SerialNode {
    /// Starts a node that writes so many lines a second with so many values each; `port` is where it can be opened, a
    /// link in a folder of the caller's. Returns when it is there.
    pub fn start(name: &str, port: &Path, rate: f64, channels: usize) -> Self {
        Self::start_between(name, &[port], rate, channels)
    }

    /// The same with a wire to each of these ports: every line goes to all of them.
    pub fn start_between(name: &str, ports: &[&Path], rate: f64, channels: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the serial node");
        let mut command = Command::new(built_program("serial_node", "fieldgate-tests", "FIELDGATE_SERIAL_NODE_BIN"));
        for port in ports {
            command.arg("--port").arg(port);
        }
        command.arg("--log").arg(folder.path().join("written"));
        command.args(["--name", name, "--rate", &rate.to_string(), "--channels", &channels.to_string()]);
        let process = Process::spawn(&format!("serial node {name}"), &command, &folder.path().join("output"));
        let mut node = Self { process, folder, name: name.to_owned() };
        // Its log has its first line when this returns, so that it can be read from then on.
        node.wait_log("its first line", |_| true);
        node
    }

    /// What it has written. `NodeLog::heard` is what somebody could hear; the rest was written while nobody had the port
    /// open.
    pub fn log(&self) -> NodeLog {
        NodeLog::read(&self.log_file()).unwrap_or_else(|e| panic!("serial node {}: {e}", self.name))
    }

    /// Returns when its log is such.
    pub fn wait_log(&mut self, what: &str, is_such: impl Fn(&NodeLog) -> bool) {
        let (file, process) = (self.log_file(), &mut self.process);
        wait_for(&format!("serial node {}: {what}", self.name), DEADLINE, || {
            process.assert_running();
            NodeLog::read(&file).is_ok_and(|log| is_such(&log))
        });
    }

    /// SIGSTOP: it is silent, and stays plugged in.
    pub fn freeze(&mut self) {
        self.process.freeze();
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.process.thaw();
    }

    /// SIGTERM: it ends, which unplugs it.
    pub fn terminate(&mut self) -> NodeLog {
        let status = self.process.stop(DEADLINE);
        let ended = status.is_some_and(|status| status.success());
        assert!(ended, "serial node {}:\n{}", self.name, self.process.log_end());
        self.log()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("written")
    }
}

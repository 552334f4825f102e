//! The broker rig: mosquitto 2.0 on a loopback address of its own.

mod settings;

use std::fs;
use std::net::{SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use self::settings::{password_file, settings};
use crate::address::Address;
use crate::artifacts::installed_program;
use crate::process::{Process, wait_for};

const PORT: u16 = 1883;
const DEADLINE: Duration = Duration::from_secs(30);

/// How much the broker holds for a subscriber that is slow or away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// What mosquitto does unless told otherwise: 20 messages in flight, 1000 waiting, then it drops.
    Default,
    /// As much as fits into memory.
    Large,
}

/// A running broker. Dropping it kills it and removes its folder.
#[derive(Debug)]
pub struct Broker {
    // Before the folder: it must have ended when the folder goes.
    process: Process,
    folder: TempDir,
    address: Address,
}

impl Broker {
    /// Starts a broker that lets anybody in.
    pub fn start(limits: Limits) -> Self {
        Self::start_guarded(limits, None)
    }

    /// Starts a broker that lets in only this user with this password.
    pub fn start_with_password(limits: Limits, user: &str, password: &str) -> Self {
        Self::start_guarded(limits, Some((user, password)))
    }

    fn start_guarded(limits: Limits, login: Option<(&str, &str)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the broker");
        let address = Address::claim();
        let mut lines = settings(&address, folder.path(), limits);
        lines.push(format!("allow_anonymous {}", login.is_none()));
        if let Some((user, password)) = login {
            lines.push(format!("password_file {}", password_file(folder.path(), user, password).display()));
        }
        fs::write(folder.path().join("mosquitto.conf"), lines.join("\n") + "\n").expect("the broker's settings");
        let mut broker = Self { process: spawn(&folder), folder, address };
        broker.wait_until_ready();
        broker
    }

    /// Where it listens, as `127.x.y.z:1883`.
    pub fn address(&self) -> SocketAddrV4 {
        self.address.port(PORT)
    }

    /// The process id of the broker.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What the broker has logged since the rig was made.
    pub fn log(&self) -> String {
        fs::read_to_string(log_file(&self.folder)).unwrap_or_default()
    }

    /// Returns when this client has subscribed to this topic, in a session of this broker's rig.
    pub fn wait_subscribed(&mut self, client_id: &str, topic: &str, deadline: Duration) {
        let line = format!(": {client_id} ");
        let subscribed =
            |log: String| log.lines().any(|entry| entry.contains(&line) && entry.ends_with(&format!(" {topic}")));
        wait_for(&format!("{client_id} to subscribe to {topic}"), deadline, || {
            self.process.assert_running();
            subscribed(self.log())
        });
    }

    /// SIGTERM: the broker writes down its sessions, and has them again after `restart`.
    pub fn stop(&mut self) {
        assert!(self.process.stop(DEADLINE).is_some(), "mosquitto did not stop within {DEADLINE:?}");
    }

    /// SIGKILL: sessions and messages since the last time it wrote them down are gone.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// SIGSTOP: connections stay open and silent.
    pub fn freeze(&mut self) {
        self.process.freeze();
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.process.thaw();
    }

    /// Starts a stopped or killed broker again, and first stops one that runs.
    pub fn restart(&mut self) {
        if self.process.is_running() {
            self.stop();
        }
        self.process = spawn(&self.folder);
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let address = self.address();
        wait_for("mosquitto to accept connections", DEADLINE, || {
            self.process.assert_running();
            TcpStream::connect(address).is_ok()
        });
    }
}

fn spawn(folder: &TempDir) -> Process {
    let mut command = Command::new(installed_program("mosquitto", "mosquitto"));
    command.arg("-c").arg(folder.path().join("mosquitto.conf"));
    Process::spawn("mosquitto", &command, &log_file(folder))
}

fn log_file(folder: &TempDir) -> PathBuf {
    folder.path().join("mosquitto.log")
}

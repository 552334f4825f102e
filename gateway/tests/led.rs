//! The whole program with an LED that cannot be lit, since its chip is not there.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const WARNING: &str = "the LED cannot be switched";

/// A gateway with a simulated node and a database that is not there.
struct Gateway {
    folder: TempDir,
    program: Child,
}

impl Gateway {
    /// No Raspberry Pi has line 63, so nothing is switched wherever this runs.
    fn start(with_led: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let led = format!("[led]\nline = 63\nchip = \"{path}/gpiochip0\"\n");
        let text = format!(
            "[gateway]\nid = \"g1\"\nstate_dir = \"{path}/state\"\n\
             [mysql]\nservers = [\"127.0.0.1:1\"]\ndatabase = \"field\"\nuser = \"f\"\n\
             [queue]\nmax = \"16 MiB\"\n{}\
             [[i2c]]\nbus = \"/dev/i2c-1\"\n\
             nodes = [{{ name = \"shed\", part = \"bme280\", address = 0x76, every = \"100 ms\" }}]\n",
            if with_led { &led } else { "" }
        );
        fs::write(folder.path().join("f.toml"), text).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = fieldgate(folder.path(), "run");
        let program = command.arg("--simulate").stdin(Stdio::null()).stderr(log).spawn().unwrap();
        Self { folder, program }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Readings made durable; none while the gateway does not answer.
    fn durable(&self) -> u64 {
        let output = fieldgate(self.folder.path(), "status").arg("--json").output().unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        status["queue"]["durable"].as_u64().unwrap_or(0)
    }

    fn wait_for(&self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..300 {
            if done(self) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{what} did not come; the log:\n{}", self.log());
    }

    /// Asks it to stop; whether it did so well.
    fn stop(&mut self) -> bool {
        kill_process(Pid::from_child(&self.program), Signal::TERM).unwrap();
        self.program.wait().unwrap().success()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn fieldgate(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fieldgate"));
    command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET").env_remove("FIELDGATE_LOG");
    command.arg(verb).arg("--config").arg(folder.join("f.toml"));
    command
}

#[test]
fn a_chip_that_is_not_there_is_one_warning_and_the_gateway_goes_on() {
    let mut gateway = Gateway::start(true);
    gateway.wait_for("the warning", |gateway| gateway.log().contains(WARNING));
    let before = gateway.durable();
    gateway.wait_for("more readings", |gateway| gateway.durable() > before + 10);
    assert!(gateway.stop(), "{}", gateway.log());
    let log = gateway.log();
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    let chip = gateway.folder.path().join("gpiochip0");
    for said in [&*chip.display().to_string(), "No such file", "`gpioinfo`", "group gpio", "stopped; "] {
        assert!(log.contains(said), "{said} in {log}");
    }
}

#[test]
fn without_the_section_nothing_is_said_of_an_led() {
    let mut gateway = Gateway::start(false);
    gateway.wait_for("readings", |gateway| gateway.durable() > 10);
    assert!(gateway.stop(), "{}", gateway.log());
    assert!(!gateway.log().contains("LED"), "{}", gateway.log());
}

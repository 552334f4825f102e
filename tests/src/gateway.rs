//! The gateway rig: the real program `fieldgate`, as its own process with a configuration of its own.

mod look;
mod settings;
mod usage;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::artifacts::built_program;
use crate::mariadb::{ADMIN, REPLICATION};
use crate::process::{Process, wait_for};

pub use settings::GatewayBuilder;

/// Of the accounts that the schema set-up makes.
const PASSWORD: &str = "gateway's own";
const PROMOTE_PASSWORD: &str = "promotion's own";

/// A gateway that runs, or that has ended and can be started again on the same queue. Dropping it kills it and removes
/// its folder.
#[derive(Debug)]
pub struct Gateway {
    process: Option<Process>,
    folder: TempDir,
    program: PathBuf,
    simulated: bool,
    environment: Vec<(String, String)>,
    /// Length of the log when the last start happened.
    log_start: usize,
}

impl Gateway {
    /// A gateway with this id; tell what it is to do, then `build`.
    pub fn named(id: &str) -> GatewayBuilder {
        GatewayBuilder::new(id)
    }

    /// Writes the configuration; does not start it.
    fn create(settings: GatewayBuilder) -> Self {
        let program = built_program("fieldgate", "fieldgate", "FIELDGATE_BIN");
        let folder = tempfile::tempdir().expect("a folder for the gateway");
        write_secret(&folder.path().join("password"), PASSWORD);
        write_secret(&folder.path().join("admin-password"), ADMIN);
        write_secret(&folder.path().join("promote-password"), PROMOTE_PASSWORD);
        write_secret(&folder.path().join("replication-password"), REPLICATION);
        let text = settings.to_toml(folder.path());
        fs::write(folder.path().join("fieldgate.toml"), text).expect("the gateway's configuration");
        let (simulated, environment) = (settings.simulated, settings.environment);
        Self { process: None, folder, program, simulated, environment, log_start: 0 }
    }

    /// Has `fieldgate db schema --apply` make database, tables and accounts on the server that takes writes.
    pub fn apply_schema(&self) {
        let password = self.folder.path().join("admin-password");
        let password = password.to_str().expect("a folder with a plain name");
        let arguments = ["db", "schema", "--apply", "--admin-user", ADMIN, "--admin-password-file", password];
        let output = self.command(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "fieldgate db schema --apply: {}\n{said}", output.status);
    }

    /// Runs another subcommand to its end with this gateway's configuration: `--config FILE` is added at the end.
    pub fn command(&self, arguments: &[&str]) -> Output {
        self.invocation(arguments).output().expect("fieldgate can be run")
    }

    /// Starts `fieldgate run`, with `--simulate` if it was built so. It panics if it runs already.
    pub fn start(&mut self) {
        assert!(!self.is_running(), "the gateway runs already");
        self.log_start = fs::read(self.log_file()).unwrap_or_default().len();
        let command = self.invocation(if self.simulated { &["run", "--simulate"] } else { &["run"] });
        self.process = Some(Process::spawn("fieldgate", &command, &self.log_file()));
    }

    /// SIGTERM if it runs, then `start`.
    pub fn restart(&mut self, deadline: Duration) {
        if self.is_running() {
            self.terminate(deadline);
        }
        self.start();
    }

    /// True if it has been started and has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.started().kill();
    }

    /// SIGSTOP.
    pub fn freeze(&mut self) {
        self.started().freeze();
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.started().thaw();
    }

    /// SIGTERM; the exit code. Panics when it has not ended within the deadline, or was ended by a signal.
    pub fn terminate(&mut self, deadline: Duration) -> i32 {
        let process = self.started();
        let status = process.stop(deadline);
        status.and_then(|status| status.code()).unwrap_or_else(|| {
            panic!("fieldgate did not stop within {deadline:?} ({status:?}); its log ends with:\n{}", process.log_end())
        })
    }

    /// The exit code of a gateway that ends by itself. Panics when it has not within the deadline.
    pub fn wait_exit(&mut self, deadline: Duration) -> i32 {
        let status = self.started().wait(deadline);
        status.code().unwrap_or_else(|| panic!("fieldgate was ended by a signal: {status}"))
    }

    /// What it has printed since the last start.
    pub fn log(&self) -> String {
        let log = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(log.get(self.log_start..).unwrap_or_default()).into_owned()
    }

    /// Returns when its log since the last start contains `needle`; panics when it ends before, or the deadline passes.
    pub fn wait_log(&mut self, needle: &str, deadline: Duration) {
        wait_for(&format!("{needle:?} in the gateway's log"), deadline, || {
            let found = self.log().contains(needle);
            if !found {
                self.started().assert_running();
            }
            found
        });
    }

    /// The configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("fieldgate.toml")
    }

    /// The folder of the queue and the other state.
    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn invocation(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg(self.config_file());
        command.envs(self.environment.iter().cloned());
        command
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn started(&mut self) -> &mut Process {
        self.process.as_mut().expect("start the gateway first")
    }
}

fn write_secret(path: &Path, secret: &str) {
    fs::write(path, secret).expect("a password file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a password file's mode");
}

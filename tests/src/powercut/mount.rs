//! An ext4 file system in a file, mounted where only we see it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::artifacts::installed_program;
use crate::process::{Process, wait_for};

const DEADLINE: Duration = Duration::from_secs(30);
/// Mounts, and stays, so that the namespace does.
const HOLD: &str = r#"mount -o loop "$1" "$2" && exec sleep infinity"#;

/// Makes a file with an empty ext4 in it. What is never written takes no room.
///
/// # Panics
/// When it cannot be made.
pub fn make_ext4(file: &Path, mebibytes: u64) {
    let made = File::create_new(file).and_then(|made| made.set_len(mebibytes << 20));
    made.unwrap_or_else(|e| panic!("{} cannot be made: {e}", file.display()));
    let mut mkfs = Command::new(installed_program("mkfs.ext4", "e2fsprogs"));
    // All of it now, not by the kernel later, in the midst of what is tested.
    mkfs.args(["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0"]).arg(file);
    let output = mkfs.output().expect("mkfs.ext4 runs");
    assert!(output.status.success(), "mkfs.ext4: {}", String::from_utf8_lossy(&output.stderr));
}

/// A mounted file system. Its mount namespace has one process, and ends with it: dropping this unmounts.
#[derive(Debug)]
pub struct Mount {
    holder: Process,
    point: TempDir,
}

impl Mount {
    /// Mounts the file system in a file, over a loop device that goes away with the mount.
    ///
    /// # Errors
    /// The words of `mount`.
    ///
    /// # Panics
    /// When it does not come to an end.
    pub fn new(file: &Path) -> Result<Mount, String> {
        Mount::begin(in_a_namespace("sh"), file)
    }

    /// The same with a file that only this process sees.
    pub(super) fn new_beside(process: &Process, file: &Path) -> Result<Mount, String> {
        let mut command = Command::new(installed_program("nsenter", "util-linux"));
        let inner = in_a_namespace("sh");
        command.args(["--mount", "--target", &process.id().to_string(), "--"]);
        command.arg(inner.get_program()).args(inner.get_args());
        Mount::begin(command, file)
    }

    /// With a command that runs a shell in a namespace of its own.
    fn begin(shell: Command, file: &Path) -> Result<Mount, String> {
        let point = tempfile::tempdir().expect("a folder to mount on");
        let log = point.path().join("log");
        let mut command = shell;
        command.args(["-c", HOLD, "sh"]).arg(file).arg(point.path());
        let mut mount = Mount { holder: Process::spawn("the mount", &command, &log), point };
        let mut ended = false;
        wait_for("the mount", DEADLINE, || {
            ended = !mount.holder.is_running();
            ended || mount.is_there()
        });
        if ended { Err(mount.holder.log_end()) } else { Ok(mount) }
    }

    /// Where it is seen from outside.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        seen_by(&self.holder, self.point.path())
    }

    fn is_there(&self) -> bool {
        let mounts = fs::read_to_string(format!("/proc/{}/mounts", self.holder.id())).unwrap_or_default();
        let point = self.point.path().to_str().expect("temporary folders have plain names");
        mounts.lines().any(|line| line.split(' ').nth(1) == Some(point))
    }
}

/// A command that runs a program in a mount namespace of its own.
pub(super) fn in_a_namespace(program: &str) -> Command {
    let mut command = Command::new(installed_program("unshare", "util-linux"));
    command.args(["--mount", "--"]).arg(program);
    command
}

/// Where a path that a process sees can be reached from another namespace.
pub(super) fn seen_by(process: &Process, path: &Path) -> PathBuf {
    let inside = path.strip_prefix("/").expect("an absolute path");
    Path::new("/proc").join(process.id().to_string()).join("root").join(inside)
}

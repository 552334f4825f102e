//! Whether this machine lets us mount.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::artifacts::installed_program;

/// What mounting takes; the block log takes FUSE too.
const DEVICES: [&str; 2] = ["/dev/loop-control", "/dev/fuse"];

/// Whether file systems can be mounted here. If not, says so on standard error: `what` is then left out.
pub fn can_mount(what: &str) -> bool {
    let obstacle = obstacle();
    if let Some(obstacle) = &obstacle {
        eprintln!("SKIPPED: {what}: {obstacle}; run it as root on a machine of your own: sudo make test");
    }
    obstacle.is_none()
}

fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("mounting a file system takes root".to_owned());
    }
    if let Some(missing) = DEVICES.iter().find(|device| !Path::new(device).exists()) {
        return Some(format!("{missing} is not there"));
    }
    let mut unshare = Command::new(installed_program("unshare", "util-linux"));
    let tried = unshare.args(["--mount", "true"]).stderr(Stdio::null()).status();
    let allowed = tried.is_ok_and(|status| status.success());
    (!allowed).then(|| "this container does not let root mount".to_owned())
}

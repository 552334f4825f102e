//! The broker's configuration file.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Limits, PORT};
use crate::address::Address;
use crate::artifacts::installed_program;

/// All but who may come in.
pub(super) fn settings(address: &Address, folder: &Path, limits: Limits) -> Vec<String> {
    let mut lines = vec![
        format!("listener {PORT} {}", address.ip()),
        "persistence true".to_owned(),
        format!("persistence_location {}/", folder.display()),
        // Not buffered, unlike its standard output.
        "log_dest stderr".to_owned(),
    ];
    // What it logs by itself, and subscriptions.
    let kinds = ["error", "warning", "notice", "information", "subscribe"];
    lines.extend(kinds.map(|kind| format!("log_type {kind}")));
    if rustix::process::geteuid().is_root() {
        // It would become another user, who may not write here, and lose its tie to our thread.
        lines.push("user root".to_owned());
    }
    if limits == Limits::Large {
        let unlimited = ["max_inflight_messages", "max_queued_messages", "max_queued_bytes"];
        lines.extend(unlimited.iter().map(|name| format!("{name} 0")));
    }
    lines
}

/// Makes the file of a single user.
pub(super) fn password_file(folder: &Path, user: &str, password: &str) -> PathBuf {
    let file = folder.join("passwords");
    let made = Command::new(installed_program("mosquitto_passwd", "mosquitto"))
        .args(["-b", "-c"])
        .arg(&file)
        .args([user, password])
        .output()
        .expect("mosquitto_passwd can be run");
    assert!(made.status.success(), "mosquitto_passwd: {}", String::from_utf8_lossy(&made.stderr));
    file
}

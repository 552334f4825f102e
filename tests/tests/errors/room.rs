//! A server without room, and one that takes less at once than it is sent.

use std::fs;
use std::path::Path;
use std::process::Command;

use fieldgate_tests::mariadb::{Cluster, template};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, number};

use crate::site::Site;

/// Small, and mounted for as long as it lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", "size=160m", "tmpfs"]).arg(disk.path()).status();
        assert!(status.unwrap().success(), "a small file system can be mounted");
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Nothing more can be written.
    fn fill(&self) {
        let file = format!("of={}", self.path().join("filler").display());
        // It ends with the complaint that there is no space left.
        let _ = Command::new("dd").args(["if=/dev/zero", "bs=64k", "status=none"]).arg(file).output();
    }

    fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: a full disk of a server takes root, which mounts a small file system");
        return;
    }
    let disk = SmallDisk::mount();
    let data = disk.path().join("data");
    assert!(Command::new("cp").arg("--archive").args([&template(), &data]).status().unwrap().success());
    // A server without room for its binary log waits a minute before it looks again, so that has room.
    let log = tempfile::tempdir().unwrap();
    let arguments = [("datadir", data), ("log-bin", log.path().join("binlog"))];
    let arguments = arguments.map(|(name, path)| format!("--{name}={}", path.display()));
    let site = Site::with(Cluster::start_with(0, &arguments.each_ref().map(String::as_str)));
    let fill = || {
        disk.fill();
        publish_long_texts(&site.scene, 1, 1000);
    };
    site.endure("disk full (1114)", &["error 1114", "free space on the server's disk"], fill, || disk.free());
    let long = format!("SELECT COUNT(*) FROM field.readings WHERE LENGTH(value_text) = {LONG}");
    wait_for("every long text", DEADLINE, || number(site.server(), &long) == 1000);
    site.finish();
}

const LONG: usize = 3000;

fn publish_long_texts(scene: &Scene, from: u64, count: u64) {
    let text = "x".repeat(LONG);
    let line = |seq| format!("{{\"seq\": {seq}, \"note\": \"{text}\"}}");
    scene.publish_lines("plants/scribe", (from..from + count).map(line));
}

#[test]
fn what_is_too_large_at_once_goes_in_parts_and_what_is_too_large_alone_waits() {
    let site = Site::start();
    // A transaction of a batch has 300 kB, and the log takes 64 kB of one.
    site.server().execute("SET GLOBAL max_binlog_cache_size = 65536, GLOBAL binlog_cache_size = 32768");
    site.disconnect();
    publish_long_texts(&site.scene, 1, 100);
    site.wait_more(110);
    site.server().execute("SET GLOBAL max_binlog_cache_size = 18446744073709547520");
    let shrink = || {
        site.server().execute("SET GLOBAL max_allowed_packet = 2048");
        site.disconnect();
        publish_long_texts(&site.scene, 101, 20);
    };
    let grow = || {
        site.server().execute("SET GLOBAL max_allowed_packet = 16777216");
        site.disconnect();
    };
    site.endure("packet too large (1153)", &["max_allowed_packet", "raise max_allowed_packet"], shrink, grow);
    let long = format!("SELECT COUNT(*) FROM field.readings WHERE LENGTH(value_text) = {LONG}");
    wait_for("every long text", DEADLINE, || number(site.server(), &long) == 120);
    site.finish();
}

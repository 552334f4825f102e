//! A disk whose writes and flushes are logged.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::artifacts::{installed_program, quick_folder};
use crate::process::{Process, wait_for};

use super::mount::{Mount, in_a_namespace, make_ext4, seen_by};

const DEADLINE: Duration = Duration::from_secs(30);

/// The files of a disk, with an ext4 on it.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// An empty disk.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(mebibytes: u64) -> Disk {
        let disk = Disk { folder: quick_folder() };
        make_ext4(&disk.first_image(), mebibytes);
        disk
    }

    /// The folder with its files, which goes away with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The disk as it was before the first write of the log.
    #[must_use]
    pub fn first_image(&self) -> PathBuf {
        self.folder().join("first.img")
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder().join("block.log")
    }

    /// How long the log is, in bytes.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        fs::metadata(self.log()).expect("the log is there").len()
    }

    /// Starts to log. The disk can be mounted while this lives.
    ///
    /// # Panics
    /// When that does not succeed.
    #[must_use]
    pub fn record(&self) -> Recording {
        let image = self.folder().join("now.img");
        copy_sparse(&self.first_image(), &image);
        let export = self.folder().join("export");
        for file in [self.log(), export.clone()] {
            File::create(file).expect("an empty file");
        }
        let daemon =
            Process::spawn("qemu-storage-daemon", &self.daemon(&image, &export), &self.folder().join("daemon"));
        let mut recording = Recording { export, daemon };
        let bytes = fs::metadata(&image).expect("the image is there").len();
        recording.wait_for_export(bytes);
        recording
    }

    fn daemon(&self, image: &Path, export: &Path) -> Command {
        let program = installed_program("qemu-storage-daemon", "qemu-utils");
        let mut daemon = in_a_namespace(program.to_str().expect("a plain path"));
        daemon.arg("--blockdev").arg(format!("driver=file,node-name=image,filename={}", image.display()));
        daemon.arg("--blockdev").arg(format!("driver=file,node-name=log,filename={}", self.log().display()));
        let logged = "driver=blklogwrites,node-name=disk,file=image,log=log,log-sector-size=512";
        daemon.args(["--blockdev", logged]);
        let mount_point = export.display();
        daemon.arg("--export").arg(format!("fuse,id=export,node-name=disk,mountpoint={mount_point},writable=on"));
        daemon
    }
}

/// A disk that is being logged.
#[derive(Debug)]
pub struct Recording {
    export: PathBuf,
    daemon: Process,
}

impl Recording {
    /// Mounts the file system on the disk.
    ///
    /// # Panics
    /// When it does not mount.
    #[must_use]
    pub fn mount(&self) -> Mount {
        Mount::new_beside(&self.daemon, &self.export).unwrap_or_else(|e| panic!("the disk does not mount: {e}"))
    }

    fn wait_for_export(&mut self, bytes: u64) {
        let export = seen_by(&self.daemon, &self.export);
        let daemon = &mut self.daemon;
        wait_for("qemu-storage-daemon to export the disk over FUSE", DEADLINE, || {
            daemon.assert_running();
            fs::metadata(&export).is_ok_and(|file| file.len() == bytes)
        });
    }
}

/// Copies a file without its holes.
pub(super) fn copy_sparse(from: &Path, to: &Path) {
    let mut copy = Command::new(installed_program("cp", "coreutils"));
    let status = copy.arg("--sparse=always").arg(from).arg(to).status().expect("cp runs");
    assert!(status.success(), "{} cannot be copied to {}: {status}", from.display(), to.display());
}

//! Where the sides work: each on a file system of its own if we may make one, since a disk counts for all its users.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use clap::ValueEnum;
use fieldgate_tests::artifacts::cache_folder;
use tempfile::TempDir;

use super::side::Who;

const IMAGE_MIB: usize = 512;
/// A loop device may need a moment after the one who had it last.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Folders for both sides, and a disk image for each if that works here.
pub struct Ground {
    folder: TempDir,
    has_images: bool,
}

impl Ground {
    /// Says so when there are no images, and what is not counted then.
    pub fn prepare() -> Ground {
        // Beside the build: a disk, where the system's folder for temporary files may be memory.
        let folder = tempfile::tempdir_in(cache_folder()).expect("a folder for queues");
        let mut ground = Ground { folder, has_images: true };
        for who in [Who::Queue, Who::Log] {
            fs::create_dir(ground.place(who)).expect("a folder for a side");
        }
        if let Err(reason) = ground.make_images() {
            ground.has_images = false;
            println!("no file system of our own ({reason}): bytes are those the kernel puts down to each process,");
            println!("without the journal's, and flushes are not counted; as root they are");
        }
        ground
    }

    /// The folder that all of it is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How this program is started as one side.
    pub fn command(&self, who: Who, work: usize) -> Command {
        let mut command = if self.has_images { in_own_namespace() } else { Command::new(this_program()) };
        if self.has_images {
            command.arg(this_program());
        }
        command.args(["side", name(who).as_str(), &work.to_string()]).arg(self.place(who));
        if self.has_images {
            command.arg("--image").arg(self.image(who));
        }
        command
    }

    fn place(&self, who: Who) -> PathBuf {
        self.folder.path().join(name(who))
    }

    fn image(&self, who: Who) -> PathBuf {
        self.folder.path().join(name(who)).with_extension("img")
    }

    fn make_images(&self) -> Result<(), String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may mount one".to_owned());
        }
        for who in [Who::Queue, Who::Log] {
            make_image(&self.image(who)).map_err(|e| format!("no image: {e}"))?;
            let mut mount = in_own_namespace();
            succeed(mount.args(MOUNT).arg(self.image(who)).arg(self.place(who)))?;
        }
        Ok(())
    }
}

const MOUNT: [&str; 3] = ["mount", "-o", "loop,noatime"];

/// What is mounted in it is seen by nobody else, and is gone with it, also when it is killed.
fn in_own_namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--"]);
    command
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().expect("the path of the running program")
}

fn name(who: Who) -> String {
    who.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// All of it is written, so that no write has to find a place first.
fn make_image(image: &Path) -> Result<(), String> {
    let write = || -> io::Result<()> {
        let mut file = File::create_new(image)?;
        let mebibyte = vec![0; 1024 * 1024];
        (0..IMAGE_MIB).try_for_each(|_| file.write_all(&mebibyte))?;
        file.sync_all()
    };
    write().map_err(|e| e.to_string())?;
    // Nothing is left to do in the background, where it would be counted.
    let options = "lazy_itable_init=0,lazy_journal_init=0";
    succeed(Command::new("mkfs.ext4").args(["-q", "-F", "-E", options]).arg(image))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stderr, .. } = command.output().map_err(|e| format!("{name}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {}", String::from_utf8_lossy(&stderr).trim())) }
}

/// A mounted image.
pub struct Mounted(PathBuf);

impl Mounted {
    /// Mounts it in the namespace of this process.
    pub fn mount(image: &Path, folder: &Path) -> Mounted {
        let [program, options @ ..] = MOUNT;
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            outcome = succeed(Command::new(program).args(options).arg(image).arg(folder));
            if outcome.is_ok() {
                break;
            }
            sleep(PAUSE);
        }
        outcome.unwrap_or_else(|reason| panic!("{} cannot be mounted: {reason}", image.display()));
        Mounted(folder.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // If this fails, the end of the process and its namespace does it.
        let _ = succeed(Command::new("umount").arg(&self.0));
    }
}

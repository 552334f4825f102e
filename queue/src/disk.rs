//! The generations of a queue as folders on a disk: made, sealed, read and removed here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::QueueError;
use crate::error::io_at;
use crate::files;
use crate::index::{FrameRef, Index};
use crate::salvage::{Bytes, frames_in};
use crate::seal::Seal;
use crate::store::{DATA_FILE, SledStore, Store};

const STORE: &str = "store-";
const SET_ASIDE: &str = "set-aside-";
const REMOVED: &str = "removed-";
/// What an [`crate::Importer`] makes.
pub(crate) const IMPORT: &str = "import-";
const IMPORT_WAITS: Duration = Duration::from_secs(24 * 60 * 60);
/// So many damaged generations are kept aside, for people to look at.
const KEPT_ASIDE: usize = 4;
/// A generation's file ends near this length, which bounds memory, opening time and what one bad sector can do.
pub(crate) const GENERATION_BYTES: u64 = 8 * 1024 * 1024;
/// What is reserved for it on the disk: also room for the last append, beyond that length.
pub(crate) const RESERVED_BYTES: u64 = GENERATION_BYTES + LAST_APPEND_BYTES;
/// What is reserved for a short one, when the disk is full and something still has to be said.
pub(crate) const SHORT_BYTES: u64 = LAST_APPEND_BYTES + 512 * 1024;
pub(crate) const LAST_APPEND_BYTES: u64 = 2 * 1024 * 1024;

/// Reads the frames of one generation.
pub(crate) trait Frames: Send + Sync {
    /// The bytes of a frame at the place that the index gives.
    fn read(&self, frame: &FrameRef) -> io::Result<Vec<u8>>;
}

/// Where generations are kept.
pub(crate) trait Disk: Send + Sync {
    /// The numbers of all generations, ascending.
    fn list(&self) -> Result<Vec<u64>, QueueError>;
    /// Makes a new one to be written, with so much of the disk reserved for it.
    fn create(&self, number: u64, reserved_bytes: u64) -> Result<Arc<dyn Store>, QueueError>;
    /// What a complete one says of itself, if it does.
    fn seal(&self, number: u64) -> Result<Option<Seal>, QueueError>;
    /// Marks one as complete. Nothing is written to it any more.
    fn write_seal(&self, number: u64, seal: &Seal) -> Result<(), QueueError>;
    /// Makes durable what an earlier process may have left in the page cache.
    fn make_durable(&self, number: u64) -> Result<(), QueueError>;
    /// Finds its frames.
    ///
    /// # Errors
    /// [`QueueError::Io`] when this process has no right to read it. One that is damaged or gone has fewer frames.
    fn load(&self, number: u64) -> Result<(Index, Box<dyn Frames>), QueueError>;
    /// Takes in a complete generation from a folder beside the others.
    fn adopt(&self, number: u64, from: &Path) -> Result<(), QueueError>;
    /// Takes it off the disk; one that is `damaged` is set aside.
    fn remove(&self, number: u64, damaged: bool) -> Result<(), QueueError>;
    /// How large its file is.
    fn size(&self, number: u64) -> Size;
}

/// The size of a generation's file, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) length: u64,
    /// With what is reserved for it.
    pub(crate) on_disk: u64,
}

/// Generations as folders.
pub(crate) struct FolderDisk {
    folder: PathBuf,
}

impl FolderDisk {
    pub(crate) fn new(folder: &Path) -> FolderDisk {
        FolderDisk { folder: folder.to_owned() }
    }

    fn path(&self, prefix: &str, number: u64) -> PathBuf {
        self.folder.join(format!("{prefix}{number:016}"))
    }

    fn numbers(&self, prefix: &str) -> Result<Vec<u64>, QueueError> {
        let names = files::names_in(&self.folder)?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes what an interrupted removal left, and imports that nobody has taken in for a day. What cannot be removed
    /// is tried again at the next start.
    pub(crate) fn tidy(&self) {
        let names = files::names_in(&self.folder).unwrap_or_default();
        let left = |name: &&String| name.starts_with(REMOVED) || name.starts_with(IMPORT);
        for path in names.iter().filter(left).map(|name| self.folder.join(name)) {
            let is_import = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(IMPORT));
            if !is_import || is_old(&path) {
                let _ = remove_folder(&path);
            }
        }
    }

    /// A number that no generation ever had, given those that are there.
    pub(crate) fn unused(&self) -> Result<u64, QueueError> {
        let used = [self.numbers(STORE)?, self.numbers(SET_ASIDE)?, self.numbers(REMOVED)?].concat();
        Ok(used.into_iter().max().unwrap_or(0).saturating_add(1))
    }

    fn forget_oldest_aside(&self) -> Result<(), QueueError> {
        let numbers = self.numbers(SET_ASIDE)?;
        let too_many = numbers.len().saturating_sub(KEPT_ASIDE);
        numbers[..too_many].iter().try_for_each(|&number| remove_folder(&self.path(SET_ASIDE, number)))
    }
}

impl Disk for FolderDisk {
    fn list(&self) -> Result<Vec<u64>, QueueError> {
        self.numbers(STORE)
    }

    fn create(&self, number: u64, reserved_bytes: u64) -> Result<Arc<dyn Store>, QueueError> {
        let path = self.path(STORE, number);
        let made = SledStore::create(&path, reserved_bytes);
        if made.is_err() {
            // It would count as a damaged generation; on a full disk it would also take room.
            let _ = fs::remove_dir_all(&path);
        }
        Ok(Arc::new(made?))
    }

    fn seal(&self, number: u64) -> Result<Option<Seal>, QueueError> {
        Seal::read(&self.path(STORE, number))
    }

    fn write_seal(&self, number: u64, seal: &Seal) -> Result<(), QueueError> {
        let path = self.path(STORE, number);
        give_back_reserve(&path.join(DATA_FILE));
        seal.write(&path)
    }

    fn make_durable(&self, number: u64) -> Result<(), QueueError> {
        let path = self.path(STORE, number).join(DATA_FILE);
        File::open(&path).and_then(|file| file.sync_data()).map_err(io_at("make durable", &path))
    }

    fn load(&self, number: u64) -> Result<(Index, Box<dyn Frames>), QueueError> {
        let path = self.path(STORE, number).join(DATA_FILE);
        // A folder opens, and each byte of it is an error; a pipe does not even open.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Ok((Index::default(), Box::new(NoFrames)));
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(io_at("read", &path)(error)),
            Err(_) => return Ok((Index::default(), Box::new(NoFrames))),
        };
        let index = Index::new(frames_in(&file, &path.display().to_string())?);
        Ok((index, Box::new(DataFile(file))))
    }

    fn adopt(&self, number: u64, from: &Path) -> Result<(), QueueError> {
        files::rename(from, &self.path(STORE, number))
    }

    fn remove(&self, number: u64, damaged: bool) -> Result<(), QueueError> {
        let path = self.path(STORE, number);
        if damaged {
            files::rename(&path, &self.path(SET_ASIDE, number))?;
            return self.forget_oldest_aside();
        }
        let removed = self.path(REMOVED, number);
        fs::rename(&path, &removed).map_err(io_at("rename", &path))?;
        // What is left of it goes at the next start.
        let _ = remove_folder(&removed);
        Ok(())
    }

    fn size(&self, number: u64) -> Size {
        let data = fs::metadata(self.path(STORE, number).join(DATA_FILE));
        data.map_or(Size::default(), |data| Size { length: data.len(), on_disk: data.blocks().saturating_mul(512) })
    }
}

/// What was reserved beyond the end of a file and never used. Where that is not possible, it stays until the file goes.
fn give_back_reserve(data: &Path) {
    let file = OpenOptions::new().write(true).open(data);
    let _ = file.and_then(|file| file.set_len(file.metadata()?.len()));
}

fn is_old(path: &Path) -> bool {
    let age = fs::metadata(path).and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age > IMPORT_WAITS)
}

fn remove_folder(path: &Path) -> Result<(), QueueError> {
    fs::remove_dir_all(path).map_err(io_at("remove", path))
}

struct DataFile(File);

impl Frames for DataFile {
    fn read(&self, frame: &FrameRef) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(frame.bytes).unwrap_or(0)];
        let length = self.0.read(frame.offset, &mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }
}

struct NoFrames;

impl Frames for NoFrames {
    fn read(&self, _frame: &FrameRef) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

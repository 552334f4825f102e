//! Folders and small files, made durable.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::QueueError;
use crate::error::io_at;

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), QueueError> {
    File::open(folder).and_then(|handle| handle.sync_all()).map_err(io_at("sync the folder", folder))
}

/// Makes a folder and its parents, durably.
pub(crate) fn make_folder(folder: &Path) -> Result<(), QueueError> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    fs::create_dir(folder).map_err(io_at("make the folder", folder))?;
    sync_folder(parent.unwrap_or(Path::new(".")))
}

/// Replaces a small file at once: after a power cut the old or the new content is there, never a part.
///
/// # Errors
/// [`QueueError::Io`] as the system says.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), QueueError> {
    let new = path.with_extension("new");
    write_synced(&new, content).map_err(io_at("write", &new))?;
    rename(&new, path)
}

/// Renames within one folder, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), QueueError> {
    fs::rename(from, to).map_err(io_at("rename", from))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// The names in a folder that are text; none when there is no such folder.
pub(crate) fn names_in(folder: &Path) -> Result<Vec<String>, QueueError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        outcome => outcome.map_err(io_at("list", folder))?,
    };
    let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let names = names.map_err(io_at("list", folder))?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_file_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks.json");
        replace(&path, b"one, and longer").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names_in(folder.path()).unwrap(), ["marks.json"]);
    }

    #[test]
    fn makes_parents_and_lists_what_is_missing_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        assert!(names_in(&deep).unwrap().is_empty());
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
    }

    #[test]
    fn says_which_path_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let message = make_folder(&file.join("below")).unwrap_err().to_string();
        assert!(message.contains("make the folder") && message.contains("file"), "{message}");
    }
}

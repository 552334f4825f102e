//! What root makes in the queue's folder is given to the folder's owner: the gateway could not use it otherwise.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// Gives everything in a folder to the owner of the folder. Does nothing unless the caller is root and the owner is not.
///
/// # Errors
/// As the operating system says.
pub fn give_to_owner(folder: &Path) -> io::Result<()> {
    let owner = fs::metadata(folder)?;
    if rustix::process::geteuid().is_root() && owner.uid() != 0 {
        give_all(folder, owner.uid(), owner.gid())?;
    }
    Ok(())
}

fn give_all(folder: &Path, uid: u32, gid: u32) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = fs::symlink_metadata(&path)?;
        if found.uid() != uid {
            lchown(&path, Some(uid), Some(gid))?;
        }
        if found.is_dir() {
            give_all(&path, uid, gid)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_makes_belongs_to_the_folders_owner_afterwards() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not tried: only root can give files away");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        lchown(folder.path(), Some(4321), Some(4322)).unwrap();
        let inner = folder.path().join("import-1");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("db"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", inner.join("link")).unwrap();
        give_to_owner(folder.path()).unwrap();
        for path in [inner.clone(), inner.join("db"), inner.join("link")] {
            let found = fs::symlink_metadata(&path).unwrap();
            assert_eq!((found.uid(), found.gid()), (4321, 4322), "{}", path.display());
        }
        assert_eq!(fs::metadata("/etc/passwd").unwrap().uid(), 0, "links are not followed");
    }
}

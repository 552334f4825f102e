//! How many readings wait, as the last clean stop left it: a small file beside the queue. The Debian package's postrm
//! shows it before it deletes the queue, when there is no program any more that could be asked.

use std::io;
use std::path::Path;

/// Its name in the state folder.
const FILE: &str = "waiting";

/// Leaves the number for who looks while nothing runs; durable when it returns.
///
/// # Errors
/// As the operating system says.
pub fn leave(folder: &Path, readings: u64) -> io::Result<()> {
    queue::replace_file(&folder.join(FILE), format!("{readings}\n").as_bytes()).map_err(io::Error::other)
}

/// Takes the number away: it is not true any more once readings come and go.
///
/// # Errors
/// As the operating system says.
pub fn forget(folder: &Path) -> io::Result<()> {
    match std::fs::remove_file(folder.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stays_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        forget(folder.path()).unwrap();
        for readings in [70_000, 3] {
            leave(folder.path(), readings).unwrap();
            assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), format!("{readings}\n"));
        }
        forget(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

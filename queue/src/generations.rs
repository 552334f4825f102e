//! The folders in a queue: `store-<number>`, `set-aside-<number>` for one that was damaged, and `copy-<number>` for what
//! could be read of it, until that takes its place.
//!
//! A number is never used twice, so a library thread that still holds a store which was set aside cannot write into
//! the folder of the next one.

use std::path::{Path, PathBuf};

use crate::{QueueError, files};

const STORE: &str = "store-";
const SET_ASIDE: &str = "set-aside-";
const COPY: &str = "copy-";

/// The numbers found in a queue's folder, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generations {
    pub(crate) stores: Vec<u64>,
    pub(crate) set_aside: Vec<u64>,
    pub(crate) copies: Vec<u64>,
}

impl Generations {
    pub(crate) fn list(folder: &Path) -> Result<Generations, QueueError> {
        let names = files::names_in(folder)?;
        Ok(Generations {
            stores: numbers(&names, STORE),
            set_aside: numbers(&names, SET_ASIDE),
            copies: numbers(&names, COPY),
        })
    }

    /// The store to open; this version writes one at a time.
    pub(crate) fn current(&self, folder: &Path) -> Result<Option<u64>, QueueError> {
        match self.stores[..] {
            [] => Ok(None),
            [number] => Ok(Some(number)),
            _ => Err(QueueError::NewerLayout {
                place: format!("{}, with {} stores,", folder.display(), self.stores.len()),
                found: 2,
                known: 1,
            }),
        }
    }

    /// A number that was never used.
    pub(crate) fn next(&self) -> u64 {
        let used = self.stores.iter().chain(&self.set_aside).chain(&self.copies);
        used.max().copied().unwrap_or(0).saturating_add(1)
    }
}

pub(crate) fn store_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{STORE}{number:016}"))
}

pub(crate) fn set_aside_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{SET_ASIDE}{number:016}"))
}

pub(crate) fn copy_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{COPY}{number:016}"))
}

fn numbers(names: &[String], prefix: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn numbers_go_on_after_what_was_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let empty = Generations::list(folder.path()).unwrap();
        assert_eq!((empty.current(folder.path()).unwrap(), empty.next()), (None, 1));
        fs::create_dir(set_aside_path(folder.path(), 12)).unwrap();
        fs::create_dir(store_path(folder.path(), 9)).unwrap();
        fs::write(folder.path().join("store-room"), "").unwrap();
        let found = Generations::list(folder.path()).unwrap();
        assert_eq!((found.current(folder.path()).unwrap(), found.next()), (Some(9), 13));
    }

    #[test]
    fn several_stores_come_from_a_newer_version() {
        let found = Generations { stores: vec![1, 2], set_aside: vec![], copies: vec![] };
        let refused = found.current(Path::new("q")).unwrap_err();
        assert!(refused.to_string().contains("q, with 2 stores, has layout 2"), "{refused}");
    }
}

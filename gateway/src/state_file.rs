//! Small JSON files in the state folder.

use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;
use tracing::warn;

/// What the file says; the default where there is none. One that cannot be understood is set aside beside itself, with a
/// warning.
///
/// # Errors
/// When it is there and cannot be read or set aside.
pub fn read<T: Default + DeserializeOwned>(path: &Path) -> io::Result<T> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&bytes).or_else(|error| {
        let aside = path.with_extension("json.set-aside");
        std::fs::rename(path, &aside)?;
        warn!("{} is damaged ({error}); set aside as {}", path.display(), aside.display());
        Ok(T::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_damaged_file_is_set_aside_and_no_file_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("term.json");
        let read = || read::<BTreeMap<String, u64>>(&path).unwrap();
        assert!(read().is_empty());
        std::fs::write(&path, r#"{"term": 3}"#).unwrap();
        assert_eq!(read()["term"], 3);
        std::fs::write(&path, "{half").unwrap();
        assert!(read().is_empty() && folder.path().join("term.json.set-aside").exists() && !path.exists());
    }
}

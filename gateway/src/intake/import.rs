//! Takes in what `fieldgate queue import` gathered beside the queue.

use super::{Intake, IntakeError, WritingEnd};
use crate::local::Imported;
use queue::{QueueError, StreamId};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;
use tracing::info;

/// What `fieldgate queue import` asks for.
#[derive(Debug)]
pub struct Import {
    /// The name of a folder in the queue's folder.
    pub folder: String,
    /// The gateways that made its streams.
    pub origins: BTreeMap<StreamId, String>,
    /// Hears what came of it, once that is durable.
    pub answer: oneshot::Sender<Result<Imported, String>>,
}

impl<W: WritingEnd> Intake<W> {
    /// Takes in what is asked for, if anything is. Who asked hears of every trouble; only one that leaves the queue in
    /// doubt ends the intake.
    pub(super) fn import(&mut self) -> Result<(), IntakeError> {
        let Ok(Import { folder, origins, answer }) = self.imports.try_recv() else { return Ok(()) };
        let taken = self.take_in(&folder, &origins);
        let (said, ended) = match taken {
            Ok(imported) => (Ok(imported), Ok(())),
            Err(Refused::Final(error)) => (Err(error.to_string()), Err(error.into())),
            Err(Refused::Because(why)) => (Err(why), Ok(())),
        };
        // Who asked may have gone; the import is done all the same.
        let _ = answer.send(said);
        ended
    }

    fn take_in(&mut self, folder: &str, origins: &BTreeMap<StreamId, String>) -> Result<Imported, Refused> {
        let path = import_folder(&self.queue_folder, folder)?;
        let bytes = bytes_in(&path).map_err(|error| Refused::Because(format!("{}: {error}", path.display())))?;
        if self.room.is_full() || !self.room.has_last_room(self.writer.live_bytes().saturating_add(bytes)) {
            return Err(Refused::Because(format!(
                "the queue has no room for {bytes} more bytes: let the database take what waits, or raise queue.max"
            )));
        }
        // Before the readings, so that the drain never gives a stream the wrong name.
        self.origins.learn(origins).map_err(|error| Refused::Because(format!("cannot note who made it: {error}")))?;
        let taken = self.writer.take_in(&path).map_err(|error| match error {
            QueueError::SyncFailed { .. } => Refused::Final(error),
            other => Refused::Because(other.to_string()),
        })?;
        info!(new = taken.readings, already_here = taken.already_here, "imported readings into the queue");
        self.state.send_modify(|state| state.live_bytes = self.writer.live_bytes());
        Ok(Imported { new: taken.readings, already_here: taken.already_here })
    }
}

enum Refused {
    Final(QueueError),
    Because(String),
}

/// Only a folder beside the queue, whatever the request says.
fn import_folder(queue: &Path, name: &str) -> Result<PathBuf, Refused> {
    if name.starts_with("import-") && !name.contains(['/', '\0']) {
        Ok(queue.join(name))
    } else {
        Err(Refused::Because(format!("{name:?} is not the name of an import beside the queue")))
    }
}

/// The bytes of all files in a folder.
///
/// # Errors
/// When it cannot be read.
pub fn bytes_in(folder: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let more = if entry.file_type()?.is_dir() { bytes_in(&entry.path())? } else { entry.metadata()?.len() };
        bytes = bytes.saturating_add(more);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_beside_the_queue_is_taken_in() {
        let queue = Path::new("/q");
        assert!(matches!(import_folder(queue, "import-1"), Ok(path) if path == queue.join("import-1")));
        for name in ["store-1", "import-/../store-1", "../import-1", "/import-1", ""] {
            assert!(import_folder(queue, name).is_err(), "{name}");
        }
    }
}

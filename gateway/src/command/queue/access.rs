//! Finds the queue that a command is about.

use super::Where;
use super::failure::Failure;
use crate::cli;
use crate::disk::Disk;
use crate::local::{QueueAccess, card_folders};
use crate::origin::Origins;
use std::path::PathBuf;

/// A queue that can be looked into.
pub struct Looked {
    /// The queue.
    pub queue: QueueAccess,
    /// Its folder.
    pub folder: PathBuf,
    /// Whose it is; none when a card does not say.
    pub origins: Option<Origins>,
    /// How many live bytes it may hold; none for another machine's card.
    pub max_bytes: Option<u64>,
}

impl Looked {
    /// The queue of this machine, or of the card that `--from` names.
    pub fn open(place: &Where) -> Result<Self, Failure> {
        match &place.from {
            Some(folder) => {
                crate::log::start();
                let (state, queue) = card_folders(folder)?;
                let origins = Origins::look(&state);
                Ok(Self { queue: QueueAccess::open_card(folder)?, folder: queue, origins, max_bytes: None })
            }
            None => {
                let config = cli::load(&place.config)?;
                let state = &config.gateway.state_dir;
                let (gateway, site) = (config.gateway.id.to_string(), config.gateway.site.to_string());
                let streams = Origins::look(state).unwrap_or_default().streams;
                let max_bytes = Some(Disk::look(state).map_err(Failure::at(state))?.max_bytes(&config.queue));
                let origins = Some(Origins { gateway, site, streams });
                Ok(Self { queue: QueueAccess::open(state)?, folder: state.join("queue"), origins, max_bytes })
            }
        }
    }

    /// Says so when the numbers are those of the last run.
    pub fn is_running(&self) -> bool {
        matches!(self.queue, QueueAccess::Running { .. })
    }
}

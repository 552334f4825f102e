//! Which generation is written: a new one for each start, and another when it is long enough.

use std::path::Path;
use std::sync::Arc;

use crate::disk::{LAST_APPEND_BYTES, RESERVED_BYTES, SHORT_BYTES};
use crate::generations::{Generation, OpenGeneration};
use crate::index::Index;
use crate::room::Room;
use crate::seal::Seal;
use crate::shared::Shared;
use crate::store::Store;
use crate::{QueueError, TakenIn, import};

/// A generation has no more frames than this, however small they are: its index stays in memory.
const MOST_FRAMES: usize = 16_384;

/// Completes and begins generations.
#[derive(Debug)]
pub(crate) struct Rotation {
    next_number: u64,
}

impl Rotation {
    pub(crate) fn new(next_number: u64) -> Rotation {
        Rotation { next_number }
    }

    /// The store to write to: the present one, or a new one when that is long enough or there is none.
    ///
    /// # Errors
    /// [`QueueError::Full`] when the disk has no room for another.
    pub(crate) fn store(&mut self, shared: &Shared, may_use_reserve: bool) -> Result<Arc<dyn Store>, QueueError> {
        let open = {
            let generations = shared.generations();
            let about = |open: &OpenGeneration| {
                (open.number, Arc::clone(&open.store), open.index.frames().len(), open.complete_bytes)
            };
            generations.open.as_ref().map(about)
        };
        if let Some((number, store, frames, complete_bytes)) = open {
            if store.file_bytes()? < complete_bytes && frames < MOST_FRAMES {
                return Ok(store);
            }
            self.seal_if_open(shared, number);
        }
        self.begin(shared, may_use_reserve)
    }

    /// Begins a generation; a short one where that takes what is to stay free, or at last the room of the ballast.
    fn begin(&mut self, shared: &Shared, may_use_reserve: bool) -> Result<Arc<dyn Store>, QueueError> {
        let has_room = shared.room.as_ref().map_or(Ok(true), Room::has_room)?;
        let begun = match (has_room, may_use_reserve) {
            (true, _) => self.create(shared, RESERVED_BYTES),
            (false, true) => self.create_short(shared),
            (false, false) => Err(full(shared)),
        };
        begun.map_err(|error| if error.is_full_disk() { full(shared) } else { error })
    }

    fn create_short(&mut self, shared: &Shared) -> Result<Arc<dyn Store>, QueueError> {
        match self.create(shared, SHORT_BYTES) {
            Err(error) if error.is_full_disk() && shared.room.as_ref().is_some_and(Room::give_up_ballast) => {
                self.create(shared, SHORT_BYTES)
            }
            created => created,
        }
    }

    fn create(&mut self, shared: &Shared, reserved_bytes: u64) -> Result<Arc<dyn Store>, QueueError> {
        let number = self.next_number;
        let store = shared.disk.create(number, reserved_bytes)?;
        self.next_number = number.saturating_add(1);
        let mut generations = shared.generations();
        generations.all.insert(number, Generation::default());
        let complete_bytes = reserved_bytes.saturating_sub(LAST_APPEND_BYTES);
        let index = Index::default();
        generations.open = Some(OpenGeneration { number, store: Arc::clone(&store), index, complete_bytes });
        Ok(store)
    }

    /// Gives numbers to generations from another queue. They do not count as newer than the one
    /// being written: what asks for the newest frames passes over them.
    pub(crate) fn take_in(&mut self, shared: &Shared, import: &Path) -> Result<TakenIn, QueueError> {
        import::take_in(shared, import, &mut self.next_number)
    }

    /// Completes a generation, if it is the one being written. Without its seal, which a full disk may refuse, the next
    /// start reads its file.
    pub(crate) fn seal_if_open(&self, shared: &Shared, number: u64) {
        let open = {
            let mut generations = shared.generations();
            generations.open.take_if(|open| open.number == number)
        };
        let Some(open) = open else { return };
        drop(open);
        let seal = {
            let generations = shared.generations();
            generations.all.get(&number).map_or_else(Seal::default, |known| known.seal.clone())
        };
        let sealed = shared.disk.write_seal(number, &seal).is_ok();
        if let Some(known) = shared.generations().all.get_mut(&number) {
            known.sealed = sealed;
        }
    }
}

fn full(shared: &Shared) -> QueueError {
    QueueError::Full { path: shared.folder.clone(), free_bytes: shared.free_bytes().unwrap_or(0) }
}

//! What is known of all generations, in memory: what each holds, and how much of it has been trimmed.
//!
//! Frames are never removed from a generation. Trimming hides them, oldest first, and a generation of which everything
//! is hidden is removed as a whole, so that trimming writes nothing to the card.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::disk::Frames;
use crate::index::{FrameRef, Index};
use crate::seal::{Held, Seal};
use crate::store::Store;
use crate::{Span, StreamId};

/// One generation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generation {
    /// Everything in it, hidden or not.
    pub(crate) seal: Seal,
    /// Whether the seal is on the disk.
    pub(crate) sealed: bool,
    pub(crate) hidden: Hidden,
    /// What is not hidden, by stream, oldest first.
    pub(crate) visible: Vec<Held>,
    /// Why it cannot be read, when it is a matter of rights.
    pub(crate) unreadable: Option<String>,
    /// In how many places numbers are missing, once its file was read.
    pub(crate) holes: Option<usize>,
}

/// How much of a generation is hidden: so many frames from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) frames: usize,
    pub(crate) readings: u64,
    pub(crate) bytes: u64,
}

impl Generation {
    pub(crate) fn new(seal: Seal, sealed: bool) -> Generation {
        Generation {
            visible: seal.held.clone(),
            seal,
            sealed,
            hidden: Hidden::default(),
            unreadable: None,
            holes: None,
        }
    }

    pub(crate) fn frames(&self) -> usize {
        usize::try_from(self.seal.frames).unwrap_or(usize::MAX)
    }

    pub(crate) fn is_all_hidden(&self) -> bool {
        self.hidden.frames >= self.frames()
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.seal.bytes.saturating_sub(self.hidden.bytes)
    }

    /// Hides everything. Returns how many readings that were.
    pub(crate) fn hide_all(&mut self) -> u64 {
        let removed = self.seal.readings.saturating_sub(self.hidden.readings);
        self.hidden = Hidden { frames: self.frames(), readings: self.seal.readings, bytes: self.seal.bytes };
        self.visible.clear();
        removed
    }

    /// Hides more from the beginning. Returns how many readings that were.
    pub(crate) fn hide(&mut self, hiding: Hiding) -> u64 {
        let Hiding { place, readings, bytes, left, .. } = hiding;
        self.hidden = Hidden {
            frames: self.hidden.frames.max(place),
            readings: self.hidden.readings.saturating_add(readings),
            bytes: self.hidden.bytes.saturating_add(bytes),
        };
        self.visible = left;
        readings
    }

    /// Takes over what reading the file showed, where it is not what the seal said. Says whether that was so: then
    /// nothing is hidden any more.
    pub(crate) fn correct(&mut self, index: &Index) -> bool {
        let Seal { imported, left_open, .. } = self.seal;
        let found = Seal { imported, left_open, ..Seal::of(index) };
        let is_other = found.frames != self.seal.frames || found.held != self.seal.held;
        if is_other {
            *self = Generation { holes: self.holes, ..Generation::new(Seal { damaged: true, ..found }, self.sealed) };
        }
        is_other
    }
}

/// What hiding the frames before a place does.
pub(crate) struct Hiding {
    place: usize,
    readings: u64,
    bytes: u64,
    /// What is hidden by it, by stream.
    pub(crate) hidden: Vec<Held>,
    left: Vec<Held>,
}

impl Hiding {
    /// Of the frames from the first one that is not hidden yet up to a place.
    pub(crate) fn new(index: &Index, from: usize, place: usize) -> Hiding {
        let place = place.max(from);
        let Seal { held, readings, bytes, .. } = Seal::of_frames(index.frames().get(from..place).unwrap_or_default());
        let left = Seal::of_frames(index.frames().get(place..).unwrap_or_default()).held;
        Hiding { place, readings, bytes, hidden: held, left }
    }
}

/// A generation that was read.
pub(crate) struct Loaded {
    pub(crate) index: Index,
    pub(crate) frames: Box<dyn Frames>,
}

/// The generation that is being written.
pub(crate) struct OpenGeneration {
    pub(crate) number: u64,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) index: Index,
    /// It is complete when its file has this length.
    pub(crate) complete_bytes: u64,
}

/// So many generations that were read stay in memory: several readers, and the trimming, each stand in one.
const KEPT_LOADED: usize = 3;

/// All generations.
#[derive(Default)]
pub(crate) struct Generations {
    pub(crate) all: BTreeMap<u64, Generation>,
    pub(crate) open: Option<OpenGeneration>,
    /// The one used last is the last.
    loaded: Vec<(u64, Arc<Loaded>)>,
    /// How often a file held something else than its seal says.
    pub(crate) corrections: u64,
    /// Places where something is missing, over all generations that were read.
    pub(crate) damaged_places: u64,
}

/// Where to look for a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) hidden: usize,
}

impl Generations {
    pub(crate) fn of(all: BTreeMap<u64, Generation>) -> Generations {
        Generations { all, ..Generations::default() }
    }

    /// What is held of each stream, oldest first.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: BTreeMap<(u64, StreamId), Span> = BTreeMap::new();
        for held in self.all.values().flat_map(|generation| &generation.visible) {
            let Held { stream, order, first, last } = *held;
            let span = spans.entry((order, stream)).or_insert(Span { stream, order, first, last });
            span.first = span.first.min(first);
            span.last = span.last.max(last);
        }
        spans.into_values().collect()
    }

    fn readable(&self) -> impl Iterator<Item = (u64, &Generation)> {
        self.all.iter().filter(|(_, known)| known.unreadable.is_none()).map(|(number, known)| (*number, known))
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.all.values().map(Generation::live_bytes).fold(0, u64::saturating_add)
    }

    /// The generations that may hold a number of a stream or a higher one, lowest numbers first.
    pub(crate) fn candidates(&self, stream: StreamId, number: u64) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (generation, known) in self.readable() {
            let held = known.visible.iter().find(|held| held.stream == stream && held.last >= number);
            candidates.extend(held.map(|held| Candidate {
                number: generation,
                first: held.first,
                hidden: known.hidden.frames,
            }));
        }
        candidates.sort_unstable_by_key(|candidate| (candidate.first, candidate.number));
        candidates
    }

    /// Where the oldest frame of all is: its generation, its stream and its number.
    pub(crate) fn oldest(&self) -> Option<(u64, Held)> {
        let firsts = self.readable().filter_map(|(number, known)| Some((number, *known.visible.first()?)));
        firsts.min_by_key(|(_, held)| (held.order, held.first))
    }

    pub(crate) fn loaded(&mut self, number: u64) -> Option<Arc<Loaded>> {
        let at = self.loaded.iter().position(|(kept, _)| *kept == number)?;
        let found = self.loaded.remove(at);
        self.loaded.push(found);
        self.loaded.last().map(|(_, loaded)| Arc::clone(loaded))
    }

    /// Keeps what was read of a generation, and believes it rather than the seal.
    pub(crate) fn keep_loaded(&mut self, number: u64, loaded: &Arc<Loaded>) {
        if let Some(generation) = self.all.get_mut(&number) {
            generation.unreadable = None;
            self.corrections += u64::from(generation.correct(&loaded.index));
            let holes = loaded.index.holes().len();
            if generation.holes.replace(holes).is_none() {
                self.damaged_places = self.damaged_places.saturating_add(u64::try_from(holes).unwrap_or(0));
            }
        }
        self.loaded.retain(|(kept, _)| *kept != number);
        self.loaded.push((number, Arc::clone(loaded)));
        let too_many = self.loaded.len().saturating_sub(KEPT_LOADED);
        self.loaded.drain(..too_many);
    }

    pub(crate) fn forget(&mut self, number: u64) -> Option<Generation> {
        self.loaded.retain(|(kept, _)| *kept != number);
        self.all.remove(&number)
    }

    /// Forgets what was read of a generation, as some of it is not as it was.
    pub(crate) fn drop_loaded(&mut self, number: u64) {
        self.loaded.retain(|(kept, _)| *kept != number);
    }

    /// Shows readers a frame that has become durable.
    pub(crate) fn publish(&mut self, frame: FrameRef) {
        let Some(open) = &mut self.open else { return };
        open.index.push(frame);
        let Some(generation) = self.all.get_mut(&open.number) else { return };
        let numbers = (frame.first, frame.last());
        generation.seal.add(frame.stream, frame.order, numbers, frame.bytes.into());
        match generation.visible.last_mut() {
            Some(held) if held.stream == frame.stream => held.last = numbers.1,
            _ => generation.visible.push(Held {
                stream: frame.stream,
                order: frame.order,
                first: numbers.0,
                last: numbers.1,
            }),
        }
    }
}

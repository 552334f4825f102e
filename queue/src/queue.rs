//! Opening a queue, and what its two ends share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::frame::{FrameError, Header};
use crate::key::Key;
use crate::lock::Lock;
use crate::marks::Marks;
use crate::scan::{Scan, newer_layout};
use crate::skip::SkippingStore;
use crate::{QueueError, Reader, StreamId, Writer, files, heal, marks};

/// A queue that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The one end that appends and trims.
    pub writer: Writer,
    /// The other end, which may be cloned.
    pub reader: Reader,
    /// The stream minted at this start.
    pub stream: StreamId,
    /// The store that was damaged, if so; collecting goes on in a new one. Its reason says whether that has a copy of
    /// what could be read.
    pub set_aside: Option<SetAside>,
    /// The file of marks that could not be read, if so; it is written anew.
    pub marks_set_aside: Option<SetAside>,
}

/// Something that was damaged and was moved away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub folder: PathBuf,
    /// Why.
    pub reason: String,
}

/// What the queue holds of one stream. There may be holes in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The stream.
    pub stream: StreamId,
    /// The local counter of streams: a later stream has a higher one.
    pub order: u64,
    /// The first number held.
    pub first: u64,
    /// The last number held.
    pub last: u64,
}

/// What Writer and Reader share. The store goes first when it is dropped, then the lock.
pub(crate) struct Shared {
    pub(crate) store: SkippingStore,
    pub(crate) stream: StreamId,
    pub(crate) order: u64,
    pub(crate) folder: PathBuf,
    durable: Mutex<Key>,
    marks: Mutex<Marks>,
    _lock: Lock,
}

impl Shared {
    pub(crate) fn new(
        folder: &Path,
        lock: Lock,
        store: SkippingStore,
        marks: Marks,
        (stream, order): (StreamId, u64),
        durable: Key,
    ) -> Self {
        Self {
            store,
            stream,
            order,
            folder: folder.to_owned(),
            durable: Mutex::new(durable),
            marks: Mutex::new(marks),
            _lock: lock,
        }
    }

    /// Everything that is durable, and nothing else.
    pub(crate) fn scan(&self) -> Scan<'_> {
        let through = *self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        Scan { store: &self.store, through }
    }

    /// Shows readers everything up to a frame that has become durable.
    pub(crate) fn publish(&self, through: Key) {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        *durable = through.max(*durable);
    }

    pub(crate) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("folder", &self.folder).field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// Opens the queue in a folder, which is made if it is missing, and begins a new stream.
///
/// What an earlier process left in the page cache is made durable before anything is shown. A store that is damaged is
/// set aside, and what can be read of it is copied into a new one. Takes as long as reading the store's file once, twice
/// up to a length of 64 MiB; with a copy, as long as writing it once more.
///
/// # Errors
/// [`QueueError::InUse`] at once when another process has it, [`QueueError::NewerLayout`] and [`QueueError::Foreign`]
/// when this version cannot read it (nothing is changed then), [`QueueError::Io`] when the system refuses.
pub fn open(folder: &Path) -> Result<Opened, QueueError> {
    files::make_folder(folder)?;
    let lock = Lock::take(folder)?;
    let (marks, unreadable) = marks::load(folder)?;
    let (store, set_aside) = heal::open_store(folder)?;
    let marks_set_aside = unreadable.map(|reason| marks::set_aside(folder, reason)).transpose()?;
    let opened = start(folder, lock, store, marks)?;
    Ok(Opened { set_aside, marks_set_aside, ..opened })
}

/// Begins a new stream on an open store.
pub(crate) fn start(folder: &Path, lock: Lock, store: SkippingStore, marks: Marks) -> Result<Opened, QueueError> {
    remove_unfinished_unit(&store)?;
    store.sync()?;
    let last = store.previous(Key::MAX)?.map_or(Key::MIN, |(key, _)| key);
    let spans = Scan { store: &store, through: last }.spans()?;
    let stream = StreamId::random();
    let marks = with_new_stream(marks, &spans, stream, last.order);
    let order = marks.highest_order();
    // On disk before the first reading is: a store that is lost later is then noticed.
    marks.write(folder)?;
    let shared = Arc::new(Shared::new(folder, lock, store, marks, (stream, order), last));
    let live_bytes = spans.iter().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(*bytes));
    let writer = Writer::new(Arc::clone(&shared), live_bytes)?;
    Ok(Opened { writer, reader: Reader::new(shared), stream, set_aside: None, marks_set_aside: None })
}

/// Adds what the store holds and the new stream, whose order is above everything that was ever seen.
fn with_new_stream(marks: Marks, spans: &[(Span, u64)], stream: StreamId, last_order: u64) -> Marks {
    let mut marks = marks;
    for (span, _) in spans {
        marks.learn(span.stream, span.order, span.last);
    }
    let order = marks.highest_order().max(last_order).saturating_add(1);
    marks.learn(stream, order, 0);
    marks
}

/// A crash may keep the first frames of a unit without the last one: nobody was told that it is durable, so it goes.
fn remove_unfinished_unit(store: &SkippingStore) -> Result<(), QueueError> {
    let mut below = Key::MAX;
    while let Some((key, bytes)) = store.previous(below)? {
        match Header::read(key, &bytes) {
            Ok(header) if header.part.is_unfinished() => store.remove(key)?,
            Err(FrameError::NewerLayout(found)) => return Err(newer_layout(key, found)),
            _ => break,
        }
        below = key;
    }
    Ok(())
}

//! A durable, ordered queue of bytes for small machines with bad power.
//!
//! [`open`] gives a [`Writer`] and a [`Reader`]. The writer appends [`Unit`]s, whose records get consecutive sequence
//! numbers in the stream of this start, and trims what is delivered. The reader, which may be cloned and sent to other
//! threads, sees what is durable. The queue knows nothing of readings, databases or async code; each call blocks.
//!
//! # The contract
//!
//! - When [`Writer::append`] returns `Ok`, its units survive a power cut. Only then are they visible to readers.
//! - A unit is there whole or not at all.
//! - Numbers are consecutive within a stream and never mean two things: each start begins a new stream.
//! - A damaged frame, or a page of the store that cannot be read, is skipped: it shows as a jump in the numbers and is
//!   counted by [`Reader::damaged_frames`].
//! - No reading is written to a store that is found damaged at opening: it is set aside, and collecting goes on in a new one
//!   that has what could be read of it. [`Reader::known_streams`] remembers how far each stream went, so that what is
//!   missing can be told.
//! - A failed sync is final ([`QueueError::SyncFailed`]): the process ends, and the next one finds what is durable.
//!
//! # Assumptions
//!
//! - The disk keeps what it says it has synced. If it does not, the marks show what is gone, but for the last 1000 numbers
//!   or 10 seconds, as they are written lazily.
//! - One process opens a queue at a time; a file lock sees to that.
//! - Its backlog bounds the store: the file stays at about twice the live bytes.
//! - Opening reads the store's file once, and up to a length of 64 MiB once more to check each frame: some seconds on a
//!   slow card. The storage library keeps much of that in memory: 37 MB in all after a file of 53 MB, 70 MB after copying
//!   one. Then it tries whether what is written stays, which damage between the frames may prevent.
//! - In a longer file only the first and the last frame are checked, and that trial is made. Damage between them is
//!   skipped when it is met. If such a store does not open or does not keep what is written, it is set aside as a whole
//!   and not copied, as that could take minutes, during which nothing is collected.
//! - What is damaged while the queue is open is skipped and counted, and the store is replaced at the next opening. What
//!   was appended after the damage may then be missing; it becomes a gap.
//! - A copy needs room for what it holds. On a disk that is too full for it, opening fails and changes nothing.
//!
//! # On disk
//!
//! | path | what |
//! | --- | --- |
//! | `lock` | held while the queue is open; the number of the process |
//! | `marks.json` | every stream that is remembered, its order and its end, and a checksum |
//! | `marks-set-aside.json` | the last marks that could not be read |
//! | `store-0000000000000001/` | the store; its number goes up when one is set aside |
//! | `copy-0000000000000002/` | what could be read of a damaged store, until it becomes the store with that number |
//! | `set-aside-0000000000000001/` | a store that was damaged; the newest 4 are kept |
//!
//! A copy beside a store is unfinished and is removed at the next opening; one without a store is complete and becomes it.
//!
//! The store maps keys to frames, all numbers big-endian. The key is the order of the stream and the sequence number of
//! the frame's first record, 8 bytes each. Under the highest key, all ones, there may be 8 bytes that are no frame: what an
//! opening that was interrupted wrote to see whether it stays. A frame:
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 4 | magic `FGQ1` |
//! | 4 | 4 | CRC-32 (IEEE) of everything from offset 8 to the end |
//! | 8 | 4 | length of the body in bytes |
//! | 12 | 1 | layout version, 1 |
//! | 13 | 1 | part: 0 whole units, 1 first, 2 middle, 3 last frame of one unit that spans several |
//! | 14 | 2 | records in the body, at most 64 |
//! | 16 | 2 | those of them that take a sequence number; at least 1 |
//! | 18 | 8 | order: the local counter of streams, from 1 |
//! | 26 | 8 | stream |
//! | 34 | 8 | sequence number of the first numbered record, from 1 |
//! | 42 | 8 | wall clock when it was written, milliseconds since 1970; 0 = unknown |
//! | 50 | | body: CBOR array of `[kind, byte string]`; the whole frame has at most 7 KiB |
//!
//! A frame describes itself, so that readings can be found in the raw file of a store that no longer opens.

mod copy;
mod error;
mod files;
mod frame;
mod generations;
mod heal;
mod key;
mod lock;
mod look;
mod marks;
#[cfg(test)]
mod memory_store;
#[cfg(test)]
mod model;
mod pack;
mod queue;
mod reader;
mod record;
mod scan;
mod skip;
mod standin;
mod store;
mod stream;
mod verify;
mod writer;

pub use error::QueueError;
pub use files::replace as replace_file;
pub use frame::{Frame, MAX_FRAME_BYTES, MAX_FRAME_RECORDS};
pub use look::look;
pub use marks::KnownStream;
pub use queue::{Opened, SetAside, Span, open};
pub use reader::{Numbered, OldestFrame, Reader};
pub use record::{Kind, MAX_NOTES, MAX_NOTES_BYTES, MAX_RECORD_BYTES, Record, RecordError, Unit};
pub use standin::{GenerationStat, Importer, Missing, Stat, TakenIn, Verified, Wear, look_from};
pub use stream::{NotAStream, StreamId};
pub use writer::{Appended, Writer};

/// The newest frames that [`Writer::trim`] never removes, as they hold the MQTT receipts.
pub const KEPT_FRAMES: usize = 1024;

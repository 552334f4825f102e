//! A durable, ordered queue of bytes for small machines with bad power.
//!
//! [`open`] gives a [`Writer`] and a [`Reader`]. The writer appends [`Unit`]s, whose records get consecutive sequence
//! numbers in the stream of this start, and trims what is delivered. The reader, which may be cloned and sent to other
//! threads, sees what is durable. The queue knows nothing of readings, databases or async code; each call blocks.
//!
//! # The contract
//!
//! - When [`Writer::append`] returns `Ok`, its units survive a power cut. Only then are they visible to readers.
//! - A unit is there whole or not at all, unless the disk is damaged.
//! - Numbers are consecutive within a stream and never mean two things: each start begins a new stream, and so does
//!   [`Writer::begin_stream`]. The streams before it are complete.
//! - The queue opens whatever state its files are in, and collects at once: nothing is ever written to a file of an
//!   earlier start. What can be proved by its checksum is read; the rest shows as a jump in the numbers, and
//!   [`Reader::why_missing`] has the reason. [`Reader::known_streams`] remembers how far each stream went.
//! - A failed sync is final ([`QueueError::SyncFailed`]): the process ends, and the next one finds what is durable. A disk
//!   without room is not: [`QueueError::Full`] comes before anything is written.
//!
//! # Generations
//!
//! The queue is a row of stores of about 8 MiB, called generations. One is being written; the others are complete. Each
//! start begins one, and so do a new stream and a file that has its length. Frames are never taken out of a generation: trimming hides
//! them, and removes the generation when all of it is hidden. So trimming writes nothing, a damaged place costs what is
//! in it, and memory and opening time do not grow with the backlog.
//!
//! The storage library (sled) makes a store, puts frames into it and reads them back while it is written. It never opens
//! a store that exists. A complete generation is read from its raw file by searching it for frames.
//!
//! # Assumptions
//!
//! - The disk keeps what it says it has synced. If it does not, the marks show what is gone, but for the last 50,000
//!   numbers or one minute, as they are written lazily.
//! - One process opens a queue at a time; a file lock sees to that.
//! - The files take about 2.2 times the live bytes.
//! - Opening reads a few hundred bytes of each complete generation, and the whole file, 8 MiB, of the one that a crash left
//!   open. A reader that goes back into an older generation reads all of its file first; three are remembered.
//! - After a power cut, a part of the last append may be there although it was not acknowledged. If it has a hole, the
//!   missing numbers are [`Why::Unfinished`].
//! - The memory of closed generations is given back to the system only if the allocator does so: with glibc, set
//!   `MALLOC_TRIM_THRESHOLD_=131072`. Then the queue adds about 10 MB, else about 35 MB.
//!
//! # On disk
//!
//! | path | what |
//! | --- | --- |
//! | `lock` | held while the queue is open; the number of the process |
//! | `marks.json` | every stream that is remembered, its order, its end, what was trimmed and dropped; wear; a checksum |
//! | `marks-set-aside.json` | the last marks that could not be read |
//! | `ballast` | given up when the disk is full, so that it can still be said |
//! | `store-0000000000000001/` | a generation; numbers go up and are never used twice |
//! | `store-…/db` | its frames, somewhere between bytes of the storage library |
//! | `store-…/seal.json` | what it holds, once it is complete; without it, the file is searched |
//! | `set-aside-0000000000000001/` | a generation that was damaged, after all that can be read of it was trimmed; the newest 4 |
//! | `removed-0000000000000001/` | a generation whose removal was interrupted |
//! | `import-…/` | what an [`Importer`] has made and nobody has taken in yet |
//!
//! A frame has at most 7 KiB; all numbers are big-endian:
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 4 | magic `FGQ1` |
//! | 4 | 4 | CRC-32 (IEEE) of everything from offset 8 to the end |
//! | 8 | 4 | length of what follows offset 12 (in layout 1: of the body) |
//! | 12 | 1 | layout, 2 |
//! | 13 | 1 | part: 0 whole units, 1 first, 2 middle, 3 last frame of one unit that spans several |
//! | 14 | 2 | records in the body, at most 64 |
//! | 16 | 2 | those of them that take a sequence number; at least 1 |
//! | 18 | 8 | order: the local counter of streams |
//! | 26 | 8 | stream |
//! | 34 | 8 | sequence number of the first numbered record, from 1 |
//! | 42 | 8 | wall clock when it was written, milliseconds since 1970; 0 = unknown |
//! | 50 | 8 | sequence number of the first record of the append that wrote it (not in layout 1) |
//! | 58 | 1 | how the body is coded: 0 as it is, 1 an LZ4 block (not in layout 1) |
//! | 59 | | body: CBOR array of `[kind, byte string]`; at most 7 KiB, also when it is decompressed |

mod body;
mod disk;
mod error;
mod files;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod generations;
mod import;
mod index;
mod key;
mod lock;
mod look;
mod marks;
#[cfg(test)]
mod memory_disk;
mod missing;
#[cfg(test)]
mod model;
mod pack;
pub mod pressure;
mod queue;
mod reader;
mod record;
mod room;
mod rotation;
mod salvage;
mod seal;
mod shared;
mod stat;
mod store;
mod stream;
mod trim;
mod wear;
mod writer;

pub use error::QueueError;
pub use files::replace as replace_file;
pub use frame::{Frame, MAX_FRAME_BYTES, MAX_FRAME_RECORDS};
pub use import::{Importer, TakenIn};
pub use look::{look, look_from};
pub use marks::{KnownStream, Wear};
pub use missing::{MissingSpan, Why};
pub use queue::{Opened, SetAside, Settings, Span, open, open_with};
pub use reader::{Numbered, OldestFrame, Reader};
pub use record::{Kind, MAX_NOTES, MAX_NOTES_BYTES, MAX_RECORD_BYTES, Record, RecordError, Unit};
pub use stat::{GenerationStat, Missing, Stat, Verified};
pub use stream::{NotAStream, StreamId};
pub use writer::{Appended, Dropped, Writer};

/// The newest frames that [`Writer::trim`] never removes, as they hold the MQTT receipts.
pub const KEPT_FRAMES: usize = 1024;

//! What a complete generation says of itself, so that its file need not be read at each start.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::error::io_at;
use crate::index::{FrameRef, Index};
use crate::{QueueError, StreamId, files};

const FILE: &str = "seal.json";
const LAYOUT: u32 = 1;

/// What a generation holds of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) stream: StreamId,
    pub(crate) order: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What a generation holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// By stream, oldest first.
    pub(crate) held: Vec<Held>,
    pub(crate) frames: u64,
    pub(crate) readings: u64,
    /// Of all frames together.
    pub(crate) bytes: u64,
    /// Numbers were missing when it was sealed.
    pub(crate) damaged: bool,
    /// It came from another queue.
    pub(crate) imported: bool,
    /// A crash left it open, so that its last append may not be whole.
    pub(crate) left_open: bool,
}

#[derive(Serialize, Deserialize)]
struct File {
    layout: u32,
    /// CRC-32 of `seal` as this program writes it, in hexadecimal digits.
    checksum: String,
    seal: Seal,
}

#[derive(Deserialize)]
struct LayoutOnly {
    layout: u32,
}

impl Seal {
    pub(crate) fn of(index: &Index) -> Seal {
        Seal { damaged: !index.holes().is_empty(), ..Seal::of_frames(index.frames()) }
    }

    pub(crate) fn of_frames(frames: &[FrameRef]) -> Seal {
        let mut seal = Seal::default();
        for frame in frames {
            seal.add(frame.stream, frame.order, (frame.first, frame.last()), frame.bytes.into());
        }
        seal
    }

    /// Counts one more frame, which comes after all others of its stream.
    pub(crate) fn add(&mut self, stream: StreamId, order: u64, (first, last): (u64, u64), bytes: u64) {
        match self.held.last_mut() {
            Some(held) if held.stream == stream => held.last = last,
            _ => self.held.push(Held { stream, order, first, last }),
        }
        self.frames += 1;
        self.readings = self.readings.saturating_add(last.saturating_sub(first).saturating_add(1));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Makes it durable in the generation's folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), QueueError> {
        let path = folder.join(FILE);
        let content = self.to_json().map_err(|error| io_at("write", &path)(io::Error::other(error)))?;
        files::replace(&path, &content)
    }

    /// The seal of a generation; none when there is none that can be believed.
    ///
    /// # Errors
    /// [`QueueError::NewerLayout`].
    pub(crate) fn read(folder: &Path) -> Result<Option<Seal>, QueueError> {
        let path = folder.join(FILE);
        let Ok(bytes) = fs::read(&path) else { return Ok(None) };
        match serde_json::from_slice(&bytes) {
            Ok(LayoutOnly { layout }) if layout > LAYOUT => {
                Err(QueueError::NewerLayout { place: path.display().to_string(), found: layout, known: LAYOUT })
            }
            Ok(_) => Ok(Seal::from_json(&bytes)),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&File { layout: LAYOUT, checksum: self.checksum()?, seal: self.clone() })
    }

    pub(crate) fn from_json(bytes: &[u8]) -> Option<Seal> {
        let file: File = serde_json::from_slice(bytes).ok()?;
        (file.seal.checksum().ok()? == file.checksum).then_some(file.seal)
    }

    fn checksum(&self) -> serde_json::Result<String> {
        Ok(format!("{:08x}", crc32fast::hash(&serde_json::to_vec(self)?)))
    }
}

/// The file with the checksum that fits the rest, so that a fuzzer gets past it.
#[cfg(feature = "fuzzing")]
pub(crate) fn with_right_checksum(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file: File = serde_json::from_slice(bytes).ok()?;
    file.checksum = file.seal.checksum().ok()?;
    serde_json::to_vec(&file).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Seal {
        let mut seal = Seal::default();
        let stream = |bits| StreamId::from_u64(bits).unwrap();
        seal.add(stream(7), 1, (1, 64), 1000);
        seal.add(stream(7), 1, (65, 70), 200);
        seal.add(stream(9), 2, (1, 1), 30);
        seal
    }

    #[test]
    fn counts_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let seal = some();
        assert_eq!((seal.frames, seal.readings, seal.bytes), (3, 71, 1230));
        assert_eq!((seal.held[0].first, seal.held[0].last, seal.held.len()), (1, 70, 2));
        seal.write(folder.path()).unwrap();
        assert_eq!(Seal::read(folder.path()).unwrap(), Some(seal));
    }

    #[test]
    fn one_that_cannot_be_believed_is_none_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Seal::read(folder.path()).unwrap(), None);
        let good = String::from_utf8(some().to_json().unwrap()).unwrap();
        for content in ["", &good[..good.len() / 2], &good.replace("\"frames\":3", "\"frames\":4")] {
            fs::write(folder.path().join(FILE), content).unwrap();
            assert_eq!(Seal::read(folder.path()).unwrap(), None);
        }
        fs::write(folder.path().join(FILE), r#"{"layout":2}"#).unwrap();
        assert!(matches!(Seal::read(folder.path()), Err(QueueError::NewerLayout { found: 2, .. })));
    }
}

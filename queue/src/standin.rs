//! Stands in for the statistics, the check and the import of the store by generations, on the store as it is today, so
//! that what uses them can be built and tested. It goes when that store comes.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::error::io_at;
use crate::frame::{Frame, Header, Part};
use crate::generations::{Generations, store_path};
use crate::key::Key;
use crate::{Kind, QueueError, Reader, Record, StreamId, Writer, files, look};

/// What a queue takes of the disk, and what it has done to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat {
    /// Its generations, oldest first.
    pub generations: Vec<GenerationStat>,
    /// Bytes of frames that have not been trimmed.
    pub live_bytes: u64,
    /// Bytes of all its files.
    pub disk_bytes: u64,
    /// Bytes free on its disk.
    pub free_bytes: u64,
    /// What it has written.
    pub wear: Wear,
}

/// One generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerationStat {
    /// Its number.
    pub number: u64,
    /// Bytes of its files.
    pub disk_bytes: u64,
    /// Its frames.
    pub frames: u64,
    /// Records with a number in them.
    pub readings: u64,
    /// Nothing is written to it any more.
    pub sealed: bool,
    /// Some of it cannot be read.
    pub damaged: bool,
}

/// What a queue has written to its disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wear {
    /// Since when, milliseconds since 1970; 0 = unknown.
    pub since_ms: u64,
    /// Bytes written since then.
    pub written_bytes: u64,
    /// Syncs since then.
    pub syncs: u64,
}

/// What reading everything has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Frames that are whole.
    pub frames: u64,
    /// Records with a number in them.
    pub records: u64,
    /// Numbers that are not there and should be.
    pub missing: Vec<Missing>,
}

/// A span of numbers that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Its stream.
    pub stream: StreamId,
    /// Its first number.
    pub first: u64,
    /// Its last number.
    pub last: u64,
}

impl Reader {
    /// What the queue takes of the disk.
    ///
    /// # Errors
    /// As [`Reader::spans`].
    pub fn stat(&self) -> Result<Stat, QueueError> {
        let (mut frames, mut readings, mut live_bytes) = (0, 0, 0);
        self.shared().scan().each(|key, bytes| {
            live_bytes += u64::try_from(bytes.len()).unwrap_or(0);
            (frames, readings) = (frames + 1, readings + Header::read(key, bytes).map_or(0, |h| h.numbered.into()));
            Ok(())
        })?;
        let folder = &self.shared().folder;
        // The copy that `look_from` made is gone by now.
        let stores = Generations::list(folder).map(|generations| generations.stores).unwrap_or_default();
        let number = stores.last().copied().unwrap_or(0);
        let disk_bytes = bytes_in(&store_path(folder, number)).unwrap_or(0);
        let disk = rustix::fs::statvfs("/").map_err(|error| io_at("look at", folder)(error.into()))?;
        let damaged = self.damaged_frames() > 0;
        let generation = GenerationStat { number, disk_bytes, frames, readings, sealed: false, damaged };
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(Stat { generations: vec![generation], live_bytes, disk_bytes, free_bytes, wear: Wear::default() })
    }

    /// Reads everything; `progress` hears how many bytes are done and how many there are.
    ///
    /// # Errors
    /// As [`Reader::spans`].
    pub fn verify(&self, mut progress: impl FnMut(u64, u64)) -> Result<Verified, QueueError> {
        let (mut verified, mut done, mut before) = (Verified::default(), 0, None::<Frame>);
        self.shared().scan().each(|key, bytes| {
            let Ok(frame) = Frame::decode(key, bytes) else { return Ok(()) };
            done += u64::try_from(bytes.len()).unwrap_or(0);
            progress(done, done);
            verified.frames += 1;
            verified.records += frame.last - frame.first + 1;
            if let Some(before) = before.replace(frame.clone())
                && before.stream == frame.stream
                && before.last + 1 < frame.first
            {
                verified.missing.push(Missing { stream: frame.stream, first: before.last + 1, last: frame.first - 1 });
            }
            Ok(())
        })?;
        Ok(verified)
    }
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}

/// As [`look()`], for the card of another machine: it may be mounted read-only, and nothing is written to it.
///
/// # Errors
/// As [`look()`].
pub fn look_from(folder: &Path) -> Result<Reader, QueueError> {
    let copy = std::env::temp_dir().join(format!("fieldgate-{}", StreamId::random()));
    let looked = copy_folder(folder, &copy).map_err(io_at("copy", folder)).and_then(|()| look(&copy));
    let _ = fs::remove_dir_all(&copy);
    looked
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Gathers records of other queues beside this one, for [`Writer::take_in`].
#[derive(Debug)]
pub struct Importer {
    path: PathBuf,
    file: fs::File,
    finished: bool,
}

type Line = (StreamId, u64, u64, Vec<(u8, Vec<u8>)>);

impl Importer {
    /// Begins one in a queue's folder.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn begin(folder: &Path) -> Result<Importer, QueueError> {
        let path = folder.join(format!("import-{:016}", StreamId::random().as_u64() % 10_u64.pow(16)));
        fs::create_dir(&path).map_err(io_at("make", &path))?;
        let file = fs::File::create(path.join("records")).map_err(io_at("make", &path))?;
        Ok(Importer { path, file, finished: false })
    }

    /// Adds records of a stream, numbered consecutively from `first`.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn add(&mut self, stream: StreamId, first: u64, written_ms: u64, records: &[Record]) -> Result<(), QueueError> {
        let records = records.iter().map(|record| (record.kind.0, record.body.clone())).collect();
        let line: Line = (stream, first, written_ms, records);
        let line = serde_json::to_string(&line).map_err(io::Error::other);
        line.and_then(|line| writeln!(self.file, "{line}")).map_err(io_at("write", &self.path))
    }

    /// Makes it durable. Returns its folder.
    ///
    /// # Errors
    /// [`QueueError::Io`].
    pub fn finish(mut self) -> Result<PathBuf, QueueError> {
        self.file.sync_all().map_err(io_at("sync", &self.path))?;
        self.finished = true;
        Ok(self.path.clone())
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// What came of taking in an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Records that are new here.
    pub readings: u64,
    /// Records that were here already.
    pub already_here: u64,
}

impl Writer {
    /// Takes in what an [`Importer`] left, and removes it. Durable when it returns.
    ///
    /// # Errors
    /// [`QueueError::Io`]; [`QueueError::SyncFailed`] as [`Writer::append`].
    pub fn take_in(&mut self, import: &Path) -> Result<TakenIn, QueueError> {
        let mut taken = TakenIn::default();
        let file = fs::File::open(import.join("records")).map_err(io_at("open", import))?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(io_at("read", import))?;
            let (stream, first, written_ms, records): Line =
                serde_json::from_str(&line).map_err(|error| io_at("read", import)(error.into()))?;
            for (seq, (kind, body)) in (first..).zip(records) {
                self.take_one(&mut taken, stream, seq, written_ms, &Record { kind: Kind(kind), body })?;
            }
        }
        self.shared().store.sync()?;
        let marks = self.shared().marks().clone();
        marks.write(&self.shared().folder)?;
        fs::remove_dir_all(import).map_err(io_at("remove", import))?;
        files::sync_folder(&self.shared().folder)?;
        Ok(taken)
    }

    fn take_one(
        &mut self,
        taken: &mut TakenIn,
        stream: StreamId,
        seq: u64,
        written_ms: u64,
        record: &Record,
    ) -> Result<(), QueueError> {
        let known = self.shared().marks().get(stream);
        let order = known.map_or_else(|| self.shared().marks().highest_order() + 1, |known| known.order);
        if self.shared().scan().at(order, seq)?.is_some_and(|frame| (frame.first..=frame.last).contains(&seq)) {
            taken.already_here += 1;
            return Ok(());
        }
        let header = Header { part: Part::Whole, records: 1, numbered: 1, order, stream, first: seq, written_ms };
        let bytes = header
            .encode(&[record])
            .map_err(|error| io_at("encode", &self.shared().folder)(io::Error::other(error)))?;
        let key = Key { order, first: seq };
        self.shared().store.insert(key, &bytes)?;
        self.shared().marks().learn(stream, order, seq);
        self.shared().publish(key);
        taken.readings += 1;
        Ok(())
    }
}

//! Gathers the records of an import beside the queue.

use super::format::Item;
use queue::{Importer, QueueError, Record, StreamId};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Records handed on at once.
const MOST_RECORDS: usize = 64;

/// Hands on what follows on another in runs; with `dry_run`, only counts.
pub struct Gatherer {
    importer: Option<Importer>,
    run: Option<Run>,
    /// Records so far.
    pub items: u64,
    /// Their streams.
    pub streams: BTreeSet<StreamId>,
}

/// Records of one stream, numbered consecutively and written at one time.
struct Run {
    stream: StreamId,
    first: u64,
    next: u64,
    written_ms: u64,
    records: Vec<Record>,
}

impl Run {
    fn goes_on_with(&self, item: &Item) -> bool {
        (self.stream, self.next, self.written_ms) == (item.stream, item.seq, item.written_ms)
            && self.records.len() < MOST_RECORDS
    }
}

impl Gatherer {
    /// Begins an import beside the queue in `folder`; with none, it only counts.
    pub fn begin(folder: Option<&Path>) -> Result<Self, QueueError> {
        let importer = folder.map(Importer::begin).transpose()?;
        Ok(Self { importer, run: None, items: 0, streams: BTreeSet::new() })
    }

    /// Adds a record.
    pub fn add(&mut self, item: Item) -> Result<(), QueueError> {
        self.items += 1;
        self.streams.insert(item.stream);
        if self.run.as_ref().is_some_and(|run| !run.goes_on_with(&item)) {
            self.hand_on()?;
        }
        let Item { stream, seq, written_ms, record, .. } = item;
        let run = self.run.get_or_insert(Run { stream, first: seq, next: seq, written_ms, records: Vec::new() });
        run.records.push(record);
        run.next = seq.saturating_add(1);
        Ok(())
    }

    /// Makes everything durable. Returns its folder; none when it only counted.
    pub fn finish(mut self) -> Result<Option<PathBuf>, QueueError> {
        self.hand_on()?;
        self.importer.map(Importer::finish).transpose()
    }

    fn hand_on(&mut self) -> Result<(), QueueError> {
        match (self.run.take(), &mut self.importer) {
            (Some(run), Some(importer)) => importer.add(run.stream, run.first, run.written_ms, &run.records),
            _ => Ok(()),
        }
    }
}

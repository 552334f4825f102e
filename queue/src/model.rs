//! The queue against a model of it, over a disk that forgets what was not synced.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::frame::MAX_FRAME_BYTES;
use crate::key::Key;
use crate::lock::Lock;
use crate::memory_disk::{MemoryDisk, Survivors};
use crate::queue::start;
use crate::{Kind, Opened, QueueError, Reader, Record, StreamId, Unit, Why, marks};

const KEPT_FRAMES: usize = 3;
const FRAMES_A_GENERATION: usize = 5;

/// One thing that happens. Sizes are the bodies of one unit's readings.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<usize>>),
    /// The power is cut, or the process killed, before this append has synced: some of its writes survive.
    CutDuringAppend(Vec<Vec<usize>>, Survivors),
    KillDuringAppend(Vec<Vec<usize>>, Survivors),
    /// Trims the stream that is so many back from the newest, through so many percent of its numbers.
    Trim(usize, u64),
    NoteEnd(usize, u64),
    BeginStream,
    /// Everything in the oldest generation goes, delivered or not.
    DropOldest,
    Restart,
    /// As `kill -9` does: some unsynced writes are in the page cache and may still be lost.
    Kill(Survivors),
    CutPower(Survivors),
}

fn any_survivors() -> impl Strategy<Value = Survivors> {
    any::<u64>().prop_map(Survivors)
}

fn any_units() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let small = proptest::collection::vec(0_usize..60, 1..8);
    let large = proptest::collection::vec(2000_usize..6000, 1..6);
    proptest::collection::vec(prop_oneof![3 => small, 1 => large], 0..12)
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any_units().prop_map(Step::Append),
        1 => (any_units(), any_survivors()).prop_map(|(units, survivors)| Step::CutDuringAppend(units, survivors)),
        3 => (0_usize..4, 0_u64..=110).prop_map(|(back, percent)| Step::Trim(back, percent)),
        1 => (0_usize..4, 0_u64..500).prop_map(|(back, end)| Step::NoteEnd(back, end)),
        2 => Just(Step::BeginStream),
        1 => Just(Step::DropOldest),
        1 => Just(Step::Restart),
        1 => (any_units(), any_survivors()).prop_map(|(units, survivors)| Step::KillDuringAppend(units, survivors)),
        1 => any_survivors().prop_map(Step::Kill),
        1 => any_survivors().prop_map(Step::CutPower),
    ]
}

/// What has to be true of one stream.
#[derive(Debug, Default)]
struct Expected {
    /// Every body ever given to an append, also those that were never acknowledged.
    bodies: Vec<Vec<u8>>,
    /// The numbers that were acknowledged or shown: a promise, until they are trimmed or dropped.
    promised: BTreeSet<u64>,
    trimmed_through: u64,
    /// The last number of each unit.
    unit_ends: Vec<u64>,
}

struct Rig {
    folder: tempfile::TempDir,
    disk: MemoryDisk,
    opened: Option<Opened>,
    streams: Vec<(StreamId, Expected)>,
}

impl Rig {
    fn new() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig { folder, disk: MemoryDisk::new(FRAMES_A_GENERATION), opened: None, streams: Vec::new() };
        rig.open();
        rig
    }

    fn open(&mut self) {
        self.opened = None;
        let lock = Lock::take(self.folder.path()).unwrap();
        let (marks, unreadable) = marks::load(self.folder.path()).unwrap();
        assert_eq!(unreadable, None);
        let (disk, next) = (Box::new(self.disk.clone()), self.disk.next_generation());
        let mut opened = start(self.folder.path(), Some(lock), disk, None, marks, next, || Ok(None)).unwrap();
        opened.writer.kept_frames = KEPT_FRAMES;
        self.streams.push((opened.stream, Expected::default()));
        self.opened = Some(opened);
    }

    /// Ends the process without a chance to tidy up.
    fn end_process(&mut self) {
        let path = self.folder.path().join("marks.json");
        let marks = std::fs::read(&path).unwrap();
        self.disk.refuse_sync();
        self.opened = None;
        std::fs::write(&path, marks).unwrap();
    }

    fn kill(&mut self, survivors: Survivors) {
        self.end_process();
        self.disk.end_process(survivors);
        self.open();
    }

    fn cut_power(&mut self, survivors: Survivors) {
        self.end_process();
        self.disk.cut_power(survivors);
        self.open();
    }

    fn opened(&mut self) -> &mut Opened {
        self.opened.as_mut().unwrap()
    }

    fn reader(&self) -> &Reader {
        &self.opened.as_ref().unwrap().reader
    }

    /// The key of a frame in the stream that is so many back from the newest.
    fn key(&mut self, back: usize, first: u64) -> Key {
        let stream = self.back(back).0;
        let known = self.reader().known_streams().into_iter().find(|known| known.stream == stream);
        Key { order: known.unwrap().order, first }
    }

    fn back(&mut self, back: usize) -> &mut (StreamId, Expected) {
        let index = self.streams.len().saturating_sub(1 + back);
        &mut self.streams[index]
    }

    fn plan(&mut self, sizes: &[Vec<usize>]) -> Vec<Unit> {
        let expected = &mut self.back(0).1;
        let mut units = Vec::new();
        for unit in sizes {
            let mut records = Vec::new();
            for &size in unit {
                let body = format!("{}{}", expected.bodies.len() + 1, ".".repeat(size)).into_bytes();
                expected.bodies.push(body.clone());
                records.push(Record { kind: Kind::READING, body });
            }
            records.push(Record { kind: Kind::MQTT_RECEIPT, body: vec![7; 8] });
            expected.unit_ends.push(u64::try_from(expected.bodies.len()).unwrap());
            units.push(Unit::new(records).unwrap());
        }
        units
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Append(sizes) => self.append(&sizes),
            Step::CutDuringAppend(sizes, survivors) => {
                self.fail_to_append(&sizes);
                self.cut_power(survivors);
            }
            Step::KillDuringAppend(sizes, survivors) => {
                self.fail_to_append(&sizes);
                self.kill(survivors);
            }
            Step::Trim(back, percent) => self.trim(back, percent),
            Step::NoteEnd(back, end) => self.note_end(back, end),
            Step::BeginStream => self.begin_stream(),
            Step::DropOldest => self.drop_oldest(),
            Step::Restart => self.open(),
            Step::Kill(survivors) => self.kill(survivors),
            Step::CutPower(survivors) => self.cut_power(survivors),
        }
    }

    fn append(&mut self, sizes: &[Vec<usize>]) {
        let units = self.plan(sizes);
        let numbered: usize = sizes.iter().map(Vec::len).sum();
        let last = u64::try_from(self.back(0).1.bodies.len()).unwrap();
        let first = last + 1 - u64::try_from(numbered).unwrap();
        let given = self.opened().writer.append(&units, 5).unwrap();
        assert_eq!((given.first, given.last), (first, last));
        self.back(0).1.promised.extend(first..=last);
    }

    fn begin_stream(&mut self) {
        let (before, expected) = self.back(0);
        let (before, end) = (*before, u64::try_from(expected.bodies.len()).unwrap());
        let begun = self.opened().writer.begin_stream().unwrap();
        assert_eq!((self.opened().writer.stream(), self.reader().current()), (begun, begun));
        assert_eq!(begun == before, end == 0, "a stream without a number goes on");
        if begun != before {
            let (on_disk, _) = marks::load(self.folder.path()).unwrap();
            assert!(on_disk.get(before).unwrap().end >= end, "what is lost of it later must be noticed");
            assert!(on_disk.get(begun).unwrap().order > on_disk.get(before).unwrap().order);
            self.streams.push((begun, Expected::default()));
        }
    }

    fn drop_oldest(&mut self) {
        let before = self.shown_count();
        let dropped = self.opened().writer.drop_oldest().unwrap();
        let Some(dropped) = dropped else { return assert_eq!(before, 0) };
        assert_eq!(before - dropped.readings, self.shown_count());
        for span in dropped.spans {
            let missing = self.reader().why_missing(span.stream, span.first, span.last);
            assert!(missing.iter().all(|missing| missing.why == Why::Dropped), "{missing:?}");
            let (_, expected) = self.streams.iter_mut().find(|(stream, _)| *stream == span.stream).unwrap();
            expected.promised.retain(|number| !(span.first..=span.last).contains(number));
        }
    }

    fn fail_to_append(&mut self, sizes: &[Vec<usize>]) {
        let units = self.plan(sizes);
        self.disk.refuse_sync();
        let refused = self.opened().writer.append(&units, 5);
        assert!(units.is_empty() || matches!(refused, Err(QueueError::SyncFailed { .. })));
        self.check_shown();
    }

    fn trim(&mut self, back: usize, percent: u64) {
        let (stream, expected) = self.back(back);
        let (stream, through) = (*stream, expected.promised.last().unwrap_or(&0) * percent / 100);
        let frames = self.shown_frames();
        let before = self.shown_count();
        let removed = self.opened().writer.trim(stream, through).unwrap();
        assert_eq!(before - removed, self.shown_count());
        assert!(self.shown_frames() >= frames.min(KEPT_FRAMES));
        let newest = self.streams.len() - 1;
        let target = newest.saturating_sub(back);
        for (index, (_, expected)) in self.streams.iter_mut().enumerate().take(target + 1) {
            let through = if index < target { u64::MAX } else { through };
            expected.trimmed_through = expected.trimmed_through.max(through);
        }
    }

    fn note_end(&mut self, back: usize, end: u64) {
        let stream = self.back(back).0;
        let before = self.end_of(stream);
        if let Some(before) = before {
            self.reader().note_end(stream, end).unwrap();
            assert_eq!(self.end_of(stream), Some(before.max(end)));
        }
    }

    fn end_of(&self, stream: StreamId) -> Option<u64> {
        self.reader().known_streams().iter().find(|known| known.stream == stream).map(|known| known.end)
    }

    /// Frames that are not hidden.
    fn shown_frames(&self) -> usize {
        let shown: Vec<BTreeMap<u64, Vec<u8>>> = self.streams.iter().map(|(stream, _)| self.shown(*stream)).collect();
        let frames = self.reader().newest_first().map(Result::unwrap);
        let is_shown = |frame: &crate::Frame| {
            let at = self.streams.iter().position(|(stream, _)| *stream == frame.stream);
            at.is_some_and(|at| shown[at].contains_key(&frame.last))
        };
        frames.filter(is_shown).count()
    }

    fn shown_count(&self) -> u64 {
        let streams = self.streams.iter().map(|(stream, _)| self.shown(*stream).len());
        streams.map(|count| u64::try_from(count).unwrap()).sum()
    }

    fn shown(&self, stream: StreamId) -> BTreeMap<u64, Vec<u8>> {
        let mut shown = BTreeMap::new();
        loop {
            let from = shown.last_key_value().map_or(0, |(seq, _)| seq + 1);
            let batch = self.reader().read(stream, from, 7, MAX_FRAME_BYTES).unwrap();
            if batch.is_empty() {
                return shown;
            }
            assert!(batch.len() <= 7);
            shown.extend(batch.into_iter().map(|numbered| (numbered.seq, numbered.record.body)));
        }
    }

    /// What is shown is right, and from now on a promise like what was acknowledged.
    fn check_shown(&mut self) {
        self.check_streams();
        self.check_backwards();
        for index in 0..self.streams.len() {
            let shown = self.shown(self.streams[index].0);
            self.streams[index].1.promised.extend(shown.into_keys());
        }
    }

    fn check_streams(&self) {
        let spans = self.reader().spans();
        for (stream, expected) in &self.streams {
            let shown = self.shown(*stream);
            check_stream(&shown, expected);
            let ends = shown.first_key_value().zip(shown.last_key_value()).map(|(first, last)| (*first.0, *last.0));
            let span = spans.iter().find(|span| span.stream == *stream).map(|span| (span.first, span.last));
            assert_eq!(span, ends);
            let last = ends.map_or(0, |(_, last)| last);
            assert!(last == 0 || self.end_of(*stream).unwrap() >= last);
        }
    }

    /// Everything that is shown is found newest first, too.
    fn check_backwards(&self) {
        let mut backwards: BTreeMap<StreamId, Vec<Vec<u8>>> = BTreeMap::new();
        for frame in self.reader().newest_first() {
            let frame = frame.unwrap();
            let numbered = frame.records.into_iter().filter(|record| record.kind.is_numbered());
            backwards.entry(frame.stream).or_default().extend(numbered.rev().map(|record| record.body));
        }
        for (stream, _) in &self.streams {
            let mut found = backwards.remove(stream).unwrap_or_default();
            found.reverse();
            let shown: Vec<Vec<u8>> = self.shown(*stream).into_values().collect();
            assert!(found.ends_with(&shown), "{} found, {} shown", found.len(), shown.len());
        }
    }
}

fn check_stream(shown: &BTreeMap<u64, Vec<u8>>, expected: &Expected) {
    for number in expected.promised.range(expected.trimmed_through.saturating_add(1)..) {
        assert!(shown.contains_key(number), "acknowledged reading {number} is gone");
    }
    for (number, body) in shown {
        assert_eq!(body, &expected.bodies[usize::try_from(number - 1).unwrap()]);
        let end = expected.unit_ends[expected.unit_ends.partition_point(|end| end < number)];
        assert!(shown.contains_key(&end), "the unit up to {end} is there in part");
    }
}

/// More of them by `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]
    #[test]
    fn nothing_acknowledged_is_ever_lost(steps in proptest::collection::vec(any_step(), 1..30)) {
        let mut rig = Rig::new();
        for step in steps {
            rig.apply(step);
            rig.check_shown();
        }
    }
}

fn append_units(rig: &mut Rig, units: usize) {
    rig.apply(Step::Append(vec![vec![5000]; units]));
}

#[test]
fn a_damaged_frame_is_a_jump_in_the_numbers_and_is_counted_once() {
    let mut rig = Rig::new();
    append_units(&mut rig, 5);
    append_units(&mut rig, 1);
    let stream = rig.opened().stream;
    let key = rig.key(0, 3);
    rig.disk.flip(key);
    for _ in 0..2 {
        let numbers: Vec<u64> = rig.shown(stream).into_keys().collect();
        assert_eq!(numbers, [1, 2, 4, 5, 6]);
    }
    assert_eq!(rig.reader().damaged_places(), 1);
    assert_eq!(rig.reader().read(stream, 3, 1, 1).unwrap()[0].seq, 4);
    assert_eq!(rig.reader().why_missing(stream, 3, 3)[0].why, Why::Gone);
}

#[test]
fn a_damaged_frame_is_trimmed_with_those_around_it() {
    let mut rig = Rig::new();
    append_units(&mut rig, 6);
    let stream = rig.opened().stream;
    let key = rig.key(0, 2);
    rig.disk.flip(key);
    rig.apply(Step::Restart);
    rig.apply(Step::Append(vec![vec![10]; 1]));
    assert_eq!(rig.opened().writer.trim(stream, 1).unwrap(), 1);
    assert_eq!(rig.opened().writer.trim(stream, 3).unwrap(), 1);
    assert_eq!(rig.shown(stream).into_keys().collect::<Vec<_>>(), [4, 5, 6]);
}

/// A part of an append that was never acknowledged is there: what is missing of it has its own reason.
#[test]
fn a_hole_in_the_last_append_before_a_power_cut_is_told_apart() {
    let mut rig = Rig::new();
    append_units(&mut rig, 2);
    let stream = rig.opened().stream;
    rig.fail_to_append(&vec![vec![5000]; 3]);
    rig.cut_power(Survivors(0b101));
    assert_eq!(rig.shown(stream).into_keys().collect::<Vec<_>>(), [1, 2, 3, 5]);
    let missing = rig.reader().why_missing(stream, 4, 4);
    assert_eq!((missing.len(), missing[0].why), (1, Why::Unfinished));
}

#[test]
fn generations_leave_the_disk_when_all_of_them_is_trimmed_and_stay_small() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        append_units(&mut rig, FRAMES_A_GENERATION);
    }
    let stream = rig.opened().stream;
    assert_eq!(rig.disk.generations(), 10);
    rig.opened().writer.trim(stream, 27).unwrap();
    assert_eq!(rig.disk.generations(), 5);
    assert_eq!(rig.reader().spans()[0].first, 28);
    rig.apply(Step::Restart);
    assert_eq!(rig.reader().spans()[0].first, 28, "what was trimmed stays away");
    rig.opened().writer.trim(stream, u64::MAX).unwrap();
    assert_eq!(rig.disk.generations(), 1, "the newest frames stay");
}

/// As the gateway trims: frame by frame, always the oldest.
#[test]
fn trimming_frame_by_frame_reads_each_generation_once() {
    let mut rig = Rig::new();
    for _ in 0..12 {
        append_units(&mut rig, FRAMES_A_GENERATION);
    }
    let before = rig.disk.loads();
    let mut trimmed = 0;
    while let Some(oldest) = rig.reader().oldest().unwrap() {
        let removed = rig.opened().writer.trim(oldest.stream, oldest.last).unwrap();
        trimmed += removed;
        if removed == 0 {
            break;
        }
    }
    assert_eq!(trimmed, 57, "all but those that always stay");
    assert!(rig.disk.loads() - before <= 12, "{} loads", rig.disk.loads() - before);
}

#[test]
fn a_stream_that_cannot_begin_leaves_the_one_before_as_it_was() {
    let mut rig = Rig::new();
    append_units(&mut rig, 2);
    let (stream, known) = (rig.opened().stream, rig.reader().known_streams());
    let in_the_way = rig.folder.path().join("marks.new");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(rig.opened().writer.begin_stream(), Err(QueueError::Io { .. })));
    assert_eq!((rig.reader().current(), rig.reader().known_streams()), (stream, known));
    append_units(&mut rig, 1);
    assert_eq!(rig.shown(stream).len(), 3);
    std::fs::remove_dir(&in_the_way).unwrap();
    rig.apply(Step::BeginStream);
    append_units(&mut rig, 1);
    rig.check_shown();
    assert_ne!(rig.reader().current(), stream);
    assert_eq!((rig.shown(stream).len(), rig.streams.len()), (3, 2));
}

#[test]
fn no_stream_begins_after_a_failed_sync() {
    let mut rig = Rig::new();
    append_units(&mut rig, 1);
    rig.fail_to_append(&[vec![1]]);
    assert!(matches!(rig.opened().writer.begin_stream(), Err(QueueError::SyncFailed { .. })));
}

#[test]
fn a_failed_sync_is_final_and_shows_nothing() {
    let mut rig = Rig::new();
    append_units(&mut rig, 1);
    let stream = rig.opened().stream;
    let unit = Unit::new(vec![Record { kind: Kind::READING, body: vec![1] }]).unwrap();
    rig.disk.refuse_sync();
    for _ in 0..2 {
        let refused = rig.opened().writer.append(std::slice::from_ref(&unit), 0);
        let Err(QueueError::SyncFailed { reason, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(reason, "the disk is gone");
    }
    assert_eq!(rig.shown(stream).len(), 1);
}

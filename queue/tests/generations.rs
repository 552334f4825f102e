//! Generations on a real disk: they rotate, leave, are read, imported, and kept aside when they are damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{names_beginning, readings, unit};
use fieldgate_queue::{
    Importer, KEPT_FRAMES, Kind, Opened, QueueError, Record, Settings, StreamId, Unit, Why, look, open, open_with,
};
use rand::RngCore;
use tempfile::tempdir;

/// One frame each, since two of them do not fit.
const FRAME_SIZED: usize = 5000;

/// Random bytes do not become smaller.
fn frame_sized(count: usize) -> Vec<Unit> {
    let body = || {
        let mut body = vec![0; FRAME_SIZED];
        rand::rng().fill_bytes(&mut body);
        body
    };
    (0..count).map(|_| Unit::new(vec![Record { kind: Kind::READING, body: body() }]).unwrap()).collect()
}

fn stores(folder: &Path) -> usize {
    names_beginning(folder, "store-").len()
}

fn append_generations(opened: &mut Opened, generations: usize) {
    let before = stores(opened_folder(opened));
    while stores(opened_folder(opened)) < before + generations {
        opened.writer.append(&frame_sized(100), 5).unwrap();
    }
}

fn opened_folder(opened: &Opened) -> &Path {
    opened.writer.folder()
}

#[test]
fn they_stay_near_8_mib_and_leave_when_all_of_them_is_trimmed() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    append_generations(&mut opened, 5);
    let stat = opened.reader.stat().unwrap();
    assert!(stat.generations.iter().all(|one| one.disk_bytes <= 10 << 20), "{stat:?}");
    assert!(stat.generations.iter().rev().skip(1).all(|one| one.sealed && one.disk_bytes >= 8 << 20), "{stat:?}");
    let last = opened.reader.spans()[0].last;
    opened.writer.trim(opened.stream, u64::MAX).unwrap();
    let first = opened.reader.spans()[0].first;
    assert_eq!(last - first + 1, u64::try_from(KEPT_FRAMES).unwrap());
    assert!(stores(folder.path()) <= 3, "{} are left", stores(folder.path()));
    assert!(opened.writer.live_bytes() < opened.reader.stat().unwrap().disk_bytes);
    opened.writer.append(&frame_sized(1), 5).unwrap();
    opened.writer.close().unwrap();
    drop(opened.reader);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.reader.spans()[0].first, first, "what was trimmed stays away");
}

#[test]
fn one_append_may_be_longer_than_a_generation() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    opened.writer.append(&frame_sized(3000), 5).unwrap();
    assert!(stores(folder.path()) >= 3);
    assert_eq!(opened.reader.read(opened.stream, 1, 5000, usize::MAX).unwrap().len(), 3000);
    assert_eq!(opened.reader.verify(|_, _| ()).unwrap().missing, []);
}

/// Several read positions at once, in more generations than stay in memory.
#[test]
fn readers_stand_where_they_like() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    append_generations(&mut opened, 6);
    let last = opened.reader.spans()[0].last;
    let reader = opened.reader.clone();
    for offset in 0..50 {
        for from in (1..last).step_by(700) {
            let found = reader.read(opened.stream, from + offset, 1, 1).unwrap();
            assert_eq!(found.first().map(|one| one.seq), (from + offset <= last).then_some(from + offset));
        }
    }
}

#[test]
fn damaged_ones_are_kept_aside_within_a_bound() {
    let folder = tempdir().unwrap();
    for round in 0..7 {
        let mut opened = open(folder.path()).unwrap();
        opened.writer.append(&frame_sized(KEPT_FRAMES + 10), 5).unwrap();
        opened.writer.append(&frame_sized(1), 5).unwrap();
        opened.writer.trim(opened.stream, 0).unwrap();
        assert_eq!(opened.reader.damaged_places(), 0, "round {round}");
        let newest = names_beginning(folder.path(), "store-").into_iter().max().unwrap();
        drop(opened);
        let data = folder.path().join(newest).join("db");
        let length = fs::metadata(&data).unwrap().len();
        fs::write(&data, vec![0; usize::try_from(length).unwrap()]).unwrap();
        fs::remove_file(data.with_file_name("seal.json")).unwrap();
    }
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.damaged.len(), 1);
    assert!(opened.damaged[0].contains("not one reading"), "{:?}", opened.damaged);
    assert_eq!(names_beginning(folder.path(), "set-aside-").len(), 4);
}

#[test]
fn a_disk_without_room_refuses_and_everything_else_works() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    opened.writer.append(&[unit("a", 10)], 5).unwrap();
    let old = opened.stream;
    drop(opened);
    let greedy = Settings { reserve_bytes: Some(u64::MAX / 2), ballast_bytes: 0 };
    let mut opened = open_with(folder.path(), greedy).unwrap();
    for _ in 0..2 {
        let refused = opened.writer.append(&[unit("b", 10)], 5).unwrap_err();
        assert!(matches!(refused, QueueError::Full { .. }), "{refused}");
    }
    assert_eq!(readings(&opened.reader, old), [(1, "a".to_owned())]);
    let told = opened.writer.append_from_reserve(&[unit("a word", 10)], 5).unwrap();
    assert_eq!((told.first, told.last), (1, 1), "a refused append used no number");
    assert_eq!(readings(&opened.reader, opened.stream), [(1, "a word".to_owned())]);
}

#[test]
fn the_oldest_is_dropped_with_its_reason_also_while_it_is_written() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    append_generations(&mut opened, 2);
    let last = opened.reader.spans()[0].last;
    let dropped = opened.writer.drop_oldest().unwrap().unwrap();
    assert_eq!((dropped.spans[0].first, dropped.readings), (1, dropped.spans[0].last));
    assert_eq!(opened.reader.spans()[0].first, dropped.readings + 1);
    let why = opened.reader.why_missing(opened.stream, 1, dropped.readings);
    assert_eq!((why.len(), why[0].why), (1, Why::Dropped));
    opened.writer.drop_oldest().unwrap().unwrap();
    assert_eq!(opened.writer.drop_oldest().unwrap(), None);
    let next = opened.writer.append(&[unit("", 10)], 5).unwrap();
    assert_eq!(next.first, last + 1);
    assert_eq!(stores(folder.path()), 1);
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    append_generations(&mut opened, 3);
    let stream = opened.stream;
    drop(opened);
    let second = folder.path().join("store-0000000000000002");
    fs::write(second.join("db"), "this is no store").unwrap();
    let reader = look(folder.path()).unwrap();
    let mut progress = Vec::new();
    let verified = reader.verify(|done, in_all| progress.push((done, in_all))).unwrap();
    assert_eq!((verified.missing.len(), progress.len()), (1, 3));
    let missing = verified.missing[0];
    assert_eq!(reader.read(stream, missing.first, 1, 1).unwrap()[0].seq, missing.last + 1);
    assert_eq!(reader.why_missing(stream, missing.first, missing.last)[0].why, Why::Gone);
}

fn numbered(texts: &[&str]) -> Vec<Record> {
    texts.iter().map(|text| Record { kind: Kind::READING, body: text.as_bytes().to_vec() }).collect()
}

#[test]
fn what_is_imported_keeps_its_stream_and_twice_is_once() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    opened.writer.append(&[unit("own", 10)], 5).unwrap();
    let (foreign, other) = (StreamId::random(), StreamId::random());
    let import = || {
        let mut importer = Importer::begin(folder.path()).unwrap();
        importer.add(foreign, 11, 7, &numbered(&["eleven", "twelve"])).unwrap();
        importer.add(foreign, 20, 7, &numbered(&["twenty"])).unwrap();
        importer.add(other, 1, 7, &numbered(&["one"])).unwrap();
        importer.finish().unwrap()
    };
    let taken = opened.writer.take_in(&import()).unwrap();
    assert_eq!((taken.readings, taken.already_here), (4, 0));
    let taken = opened.writer.take_in(&import()).unwrap();
    assert_eq!((taken.readings, taken.already_here), (0, 4));
    assert!(names_beginning(folder.path(), "import-").is_empty());
    let streams: Vec<StreamId> = opened.reader.known_streams().iter().map(|known| known.stream).collect();
    assert_eq!(streams, [foreign, other, opened.stream], "before the stream of this start, so that all can be trimmed");
    let expected = [(11, "eleven".to_owned()), (12, "twelve".to_owned()), (20, "twenty".to_owned())];
    assert_eq!(readings(&opened.reader, foreign), expected);
    assert_eq!(opened.reader.newest_first().next().unwrap().unwrap().stream, opened.stream);
    drop(opened);
    let mut opened = open(folder.path()).unwrap();
    assert_eq!(readings(&opened.reader, foreign), expected);
    assert_eq!(opened.writer.trim(other, 1).unwrap(), 4);
    assert!(opened.reader.spans().iter().all(|span| span.stream != foreign && span.stream != other));
    assert_eq!(stores(folder.path()), 1);
}

/// A drain that looks in between would write a gap for numbers that are on their way in.
#[test]
fn an_end_is_never_known_before_its_readings_can_be_read() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    let (foreign, reader, ended) = (StreamId::random(), opened.reader.clone(), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&ended);
    let looking = std::thread::spawn(move || {
        let mut early = 0;
        while !stop.load(Ordering::Relaxed) {
            let known = reader.known_streams().into_iter().find(|known| known.stream == foreign);
            let queued = reader.spans().into_iter().find(|span| span.stream == foreign).map_or(0, |span| span.last);
            early += u32::from(known.is_some_and(|known| known.end > queued));
        }
        early
    });
    for first in 1..=20 {
        let mut importer = Importer::begin(folder.path()).unwrap();
        importer.add(foreign, first, 7, &numbered(&["one"])).unwrap();
        opened.writer.take_in(&importer.finish().unwrap()).unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    assert_eq!(looking.join().unwrap(), 0);
    assert_eq!(readings(&opened.reader, foreign).len(), 20);
}

#[test]
fn an_import_that_is_not_complete_is_refused() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    let make = |stream| {
        let mut importer = Importer::begin(folder.path()).unwrap();
        importer.add(stream, 1, 7, &numbered(&["one"])).unwrap();
        importer
    };
    drop(make(StreamId::random()));
    assert!(names_beginning(folder.path(), "import-").is_empty());
    let import = make(StreamId::random()).finish().unwrap();
    fs::remove_file(import.join("part-0000000000000001/seal.json")).unwrap();
    assert!(matches!(opened.writer.take_in(&import), Err(QueueError::Damaged { .. })));
    let import = make(opened.stream).finish().unwrap();
    assert!(matches!(opened.writer.take_in(&import), Err(QueueError::Damaged { .. })));
    assert!(opened.reader.spans().is_empty());
}

/// As an older version leaves it: one store, several streams, frames of the first layout.
#[test]
fn a_store_of_the_first_layout_is_read() {
    let folder = tempdir().unwrap();
    let store = folder.path().join("store-0000000000000001");
    fs::create_dir(&store).unwrap();
    let mut data = b"something before ".to_vec();
    for (order, first) in [(1_u64, 1_u64), (2, 1), (1, 2)] {
        data.extend(old_frame(order, first));
        data.extend(b" and between ");
    }
    fs::write(store.join("db"), data).unwrap();
    let opened = open(folder.path()).unwrap();
    let spans: Vec<_> = opened.reader.spans().iter().map(|span| (span.order, span.first, span.last)).collect();
    assert_eq!(spans, [(1, 1, 2), (2, 1, 1)]);
    assert_eq!(
        readings(&opened.reader, StreamId::from_u64(0x101).unwrap()),
        [(1, "1".to_owned()), (2, "2".to_owned())]
    );
}

fn old_frame(order: u64, first: u64) -> Vec<u8> {
    let mut rest = vec![0, 0, 0, 5, 1, 0, 0, 1, 0, 1];
    rest.extend([order, 0x100 + order, first, 0].map(u64::to_be_bytes).concat());
    rest.extend([0x81, 0x82, 0x01, 0x41, b'0' + u8::try_from(first).unwrap()]);
    let mut frame = b"FGQ1".to_vec();
    frame.extend(crc32fast::hash(&rest).to_be_bytes());
    frame.extend(rest);
    frame
}

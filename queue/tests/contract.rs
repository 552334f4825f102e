//! What the queue promises to its users, on a real store.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{names_beginning, readings, store_of, unit};
use fieldgate_queue::{
    Appended, KEPT_FRAMES, Kind, MAX_RECORD_BYTES, Opened, QueueError, Record, StreamId, Unit, open,
};
use tempfile::tempdir;

/// One frame each, since two of them do not fit.
const FRAME_SIZED: usize = 5000;

#[test]
fn readings_come_back_with_consecutive_numbers_also_after_a_restart() {
    let folder = tempdir().unwrap();
    let Opened { mut writer, reader, stream, damaged, .. } = open(folder.path()).unwrap();
    assert!(damaged.is_empty());
    assert_eq!(writer.append(&[unit("a", 0), unit("b", 0)], 1234).unwrap(), Appended { first: 1, last: 2 });
    assert_eq!(writer.append(&[], 1234).unwrap(), Appended { first: 3, last: 2 });
    assert_eq!(writer.append(&[unit("c", 0)], 0).unwrap(), Appended { first: 3, last: 3 });
    let expected = [(1, "a".to_owned()), (2, "b".to_owned()), (3, "c".to_owned())];
    assert_eq!(readings(&reader, stream), expected);
    assert_eq!(reader.read(stream, 1, 1, 1).unwrap()[0].written_ms, 1234);
    writer.close().unwrap();
    drop(reader);
    let again = open(folder.path()).unwrap();
    assert_ne!(again.stream, stream);
    assert_eq!(readings(&again.reader, stream), expected);
}

#[test]
fn a_read_keeps_to_its_limits_but_always_gives_one() {
    let folder = tempdir().unwrap();
    let Opened { mut writer, reader, stream, .. } = open(folder.path()).unwrap();
    writer.append(&(0..200).map(|index| unit(&index.to_string(), 100)).collect::<Vec<_>>(), 0).unwrap();
    let numbers = |from, records, bytes| -> Vec<u64> {
        reader.read(stream, from, records, bytes).unwrap().iter().map(|numbered| numbered.seq).collect()
    };
    assert_eq!(numbers(0, 3, 10_000), [1, 2, 3]);
    assert_eq!(numbers(30, 100, 250), [30, 31]);
    assert_eq!(numbers(64, 0, 0), [64]);
    assert_eq!(numbers(150, 1000, 1 << 20), (150..=200).collect::<Vec<_>>());
    assert!(numbers(201, 10, 10_000).is_empty());
    assert!(reader.read(StreamId::random(), 1, 10, 10_000).unwrap().is_empty());
}

#[test]
fn receipts_are_found_newest_first_with_their_readings() {
    let folder = tempdir().unwrap();
    let Opened { mut writer, reader, .. } = open(folder.path()).unwrap();
    for message in 0..3_u8 {
        let reading = Record { kind: Kind::READING, body: vec![message] };
        let receipt = Record { kind: Kind::MQTT_RECEIPT, body: vec![message] };
        writer.append(&[Unit::new(vec![reading, receipt]).unwrap()], 0).unwrap();
    }
    let frames: Vec<_> = reader.newest_first().map(Result::unwrap).collect();
    assert_eq!(frames.iter().map(|frame| (frame.first, frame.last)).collect::<Vec<_>>(), [(3, 3), (2, 2), (1, 1)]);
    assert_eq!(frames[0].records[1], Record { kind: Kind::MQTT_RECEIPT, body: vec![2] });
}

#[test]
fn trimming_keeps_the_newest_frames_and_counts_exactly() {
    let folder = tempdir().unwrap();
    let Opened { mut writer, reader, stream, .. } = open(folder.path()).unwrap();
    let extra = 40;
    let units: Vec<Unit> = (0..KEPT_FRAMES + extra).map(|_| unit("", FRAME_SIZED)).collect();
    writer.append(&units, 7).unwrap();
    let full = writer.live_bytes();
    assert_eq!(writer.trim(stream, 10).unwrap(), 10);
    let oldest = reader.oldest().unwrap().unwrap();
    assert_eq!((oldest.stream, oldest.first, oldest.last, oldest.written_ms), (stream, 11, 11, 7));
    assert_eq!(writer.trim(stream, u64::MAX).unwrap(), 30);
    let per_frame = full / u64::try_from(KEPT_FRAMES + extra).unwrap();
    assert_eq!(writer.live_bytes(), per_frame * u64::try_from(KEPT_FRAMES).unwrap());
    let before = writer.live_bytes();
    writer.close().unwrap();
    drop(reader);
    assert_eq!(open(folder.path()).unwrap().writer.live_bytes(), before);
}

#[test]
fn older_streams_are_trimmed_whole() {
    let folder = tempdir().unwrap();
    let mut first = open(folder.path()).unwrap();
    first.writer.append(&[unit("old", 10), unit("old", 10)], 0).unwrap();
    let old = first.stream;
    drop(first);
    let Opened { mut writer, reader, stream, .. } = open(folder.path()).unwrap();
    writer.append(&(0..KEPT_FRAMES + 2).map(|_| unit("", FRAME_SIZED)).collect::<Vec<_>>(), 0).unwrap();
    assert!(matches!(reader.forget(old), Err(QueueError::StillQueued { .. })));
    assert_eq!(writer.trim(stream, 1).unwrap(), 3);
    let spans = reader.spans();
    assert_eq!(spans.iter().map(|span| (span.stream, span.first)).collect::<Vec<_>>(), [(stream, 2)]);
    assert_eq!(reader.known_streams()[0].end, 2);
    reader.note_end(old, 9).unwrap();
    assert_eq!(reader.known_streams()[0].end, 9);
    reader.forget(old).unwrap();
    assert!(matches!(reader.note_end(old, 10), Err(QueueError::UnknownStream { .. })));
    assert_eq!(reader.known_streams().len(), 1);
    assert!(matches!(reader.forget(stream), Err(QueueError::StillQueued { .. })));
}

#[test]
fn ends_are_remembered_when_the_store_is_gone() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    let stream = opened.stream;
    opened.writer.append(&[unit("a", 0), unit("b", 0)], 0).unwrap();
    opened.reader.note_end(stream, 5).unwrap();
    drop(opened);
    std::fs::remove_dir_all(store_of(folder.path())).unwrap();
    let opened = open(folder.path()).unwrap();
    assert!(opened.reader.spans().is_empty());
    let known = opened.reader.known_streams();
    assert_eq!((known[0].stream, known[0].end), (stream, 5));
    assert_eq!((known[1].stream, known[1].end), (opened.stream, 0));
    assert!(known[0].order < known[1].order);
}

#[test]
fn damaged_marks_are_set_aside_and_the_readings_stay() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    let stream = opened.stream;
    opened.writer.append(&[unit("a", 0)], 0).unwrap();
    drop(opened);
    std::fs::write(folder.path().join("marks.json"), "{").unwrap();
    let opened = open(folder.path()).unwrap();
    assert!(opened.marks_set_aside.is_some_and(|aside| aside.folder.exists()));
    assert_eq!(readings(&opened.reader, stream).len(), 1);
    assert_eq!(opened.reader.known_streams()[0].end, 1);
}

/// The store never syncs values that it keeps in files of their own.
#[test]
fn no_frame_becomes_a_file_of_its_own() {
    let folder = tempdir().unwrap();
    let mut opened = open(folder.path()).unwrap();
    for bytes in [0, 100, 3000, 3400, 3600, 5000, MAX_RECORD_BYTES] {
        let large = Unit::new(vec![Record { kind: Kind::READING, body: vec![1; bytes] }; 70]).unwrap();
        opened.writer.append(&[large, unit("", bytes), unit("", bytes)], 0).unwrap();
    }
    assert!(names_beginning(&store_of(folder.path()).join("blobs"), "").is_empty());
}

#[test]
fn an_opened_queue_is_not_opened_again_until_both_ends_are_dropped() {
    let folder = tempdir().unwrap();
    let Opened { writer, reader, .. } = open(folder.path()).unwrap();
    drop(writer);
    assert!(matches!(open(folder.path()), Err(QueueError::InUse { pid: Some(_), .. })));
    drop(reader);
    let again = open(folder.path()).unwrap();
    assert!(again.damaged.is_empty());
}

//! A queue whose store is damaged while the gateway is stopped, with readings in it that no database has.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::scenario::{DEADLINE, Scene, number};

const READINGS: usize = 3000;

/// A stopped gateway that has collected readings while no server was there; the server is there now. A store that was
/// opened once more has a snapshot of where its frames lie.
fn with_undelivered_readings(opened_once_more: bool) -> (Scene, u64) {
    let mut scene = Scene::prepare(0, |settings| settings);
    scene.gateway.apply_schema();
    scene.cluster.servers[0].stop();
    scene.gateway.start();
    scene.wait_heard();
    let lines = (1..=READINGS).map(|seq| format!("{{\"seq\": {seq}, \"t\": {seq}.5}}"));
    scene.publish_lines("plants/shed", lines);
    scene.wait_queued(READINGS as u64);
    assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    let log = scene.gateway.log();
    assert!(log.contains(&format!("stopped; {READINGS} readings stay in the queue")), "{log}");
    if opened_once_more {
        scene.gateway.start();
        scene.wait_heard();
        assert_eq!(scene.gateway.terminate(DEADLINE), 0);
    }
    let start = log.split("stream=").nth(1).unwrap();
    let stream = u64::from_str_radix(start.split(' ').next().unwrap(), 16).unwrap();
    scene.cluster.servers[0].restart(WRITABLE);
    (scene, stream)
}

fn store(scene: &Scene) -> PathBuf {
    let queue = scene.gateway.state_folder().join("queue");
    let mut entries = fs::read_dir(queue).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("store-"))).unwrap()
}

/// Starts the gateway on what is left; returns how many of the readings are rows.
fn rows_left(scene: &mut Scene, stream: u64) -> usize {
    scene.start_gateway();
    scene.publish("plants/new", "{\"seq\": 1, \"t\": 1.5}");
    let source = scene.cluster.source();
    let report = scene.wait_drained();
    let rows = number(source, &format!("SELECT COUNT(*) FROM field.readings WHERE stream = {stream}"));
    let missing = format!("SELECT COALESCE(SUM(`count`), 0) FROM field.gaps WHERE stream = {stream}");
    assert_eq!(rows + number(source, &missing), READINGS, "every reading is a row or counted by a gap");
    let spans = format!("SELECT COALESCE(SUM(last_seq - seq + 1), 0) FROM field.gaps WHERE stream = {stream}");
    assert_eq!(number(source, &missing), number(source, &spans));
    scene.wait_rows(0, rows + 1);
    assert_eq!(report["lost"], 0);
    scene.assert_reconciled();
    rows
}

/// One gap names all numbers, and the log says that they are missing.
fn assert_all_missing(scene: &Scene, stream: u64) {
    let gaps = scene.cluster.source().query("SELECT stream, seq, last_seq, `count`, site FROM field.gaps");
    let all = READINGS.to_string();
    assert_eq!(gaps, [[stream.to_string(), "1".to_owned(), all.clone(), all, "lab".to_owned()]]);
    assert_said_missing(scene, READINGS);
}

fn assert_said_missing(scene: &Scene, readings: usize) {
    let log = scene.gateway.log();
    assert!(log.contains(&format!("{readings} readings are no longer in the queue")), "{log}");
}

fn truncate_to_half(db: &Path) {
    let file = fs::File::options().write(true).open(db).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn fill_with_garbage(db: &Path, bytes: usize) {
    let garbage: Vec<u8> = (0..bytes).map(|index| (index * 131 % 251) as u8).collect();
    fs::File::options().write(true).open(db).unwrap().write_all_at(&garbage, 0).unwrap();
}

#[test]
fn what_a_store_cut_in_half_has_lost_is_counted_by_gaps() {
    let (mut scene, stream) = with_undelivered_readings(false);
    truncate_to_half(&store(&scene).join("db"));
    let rows = rows_left(&mut scene, stream);
    assert!((1..READINGS).contains(&rows), "{rows} rows");
    assert_said_missing(&scene, READINGS - rows);
}

#[test]
fn what_a_store_with_64_kib_of_garbage_has_lost_is_counted_by_gaps() {
    let (mut scene, stream) = with_undelivered_readings(false);
    fill_with_garbage(&store(&scene).join("db"), 64 * 1024);
    let rows = rows_left(&mut scene, stream);
    assert_said_missing(&scene, READINGS - rows);
}

#[test]
fn when_a_store_is_all_garbage_all_of_it_is_one_gap() {
    let (mut scene, stream) = with_undelivered_readings(false);
    let db = store(&scene).join("db");
    fill_with_garbage(&db, fs::metadata(&db).unwrap().len() as usize);
    assert_eq!(rows_left(&mut scene, stream), 0);
    assert_all_missing(&scene, stream);
}

#[test]
fn a_store_that_does_not_open_is_set_aside_and_all_of_it_is_one_gap() {
    let (mut scene, stream) = with_undelivered_readings(true);
    let db = store(&scene).join("db");
    fill_with_garbage(&db, fs::metadata(&db).unwrap().len() as usize);
    assert_eq!(rows_left(&mut scene, stream), 0);
    assert_all_missing(&scene, stream);
    let log = scene.gateway.log();
    let line = log.lines().find(|line| line.contains("was set aside in")).expect("what was set aside");
    let aside = scene.gateway.state_folder().join("queue/set-aside-0000000000000001");
    assert!(line.contains(&aside.display().to_string()) && line.contains("becomes a gap"), "{line}");
    assert!(aside.join("db").is_file());
}

#[test]
fn without_the_stores_own_settings_nothing_is_lost_silently() {
    let (mut scene, stream) = with_undelivered_readings(false);
    fs::remove_file(store(&scene).join("conf")).unwrap();
    rows_left(&mut scene, stream);
}

#[test]
fn damaged_marks_are_said_and_nothing_that_is_in_the_store_is_lost() {
    let (mut scene, stream) = with_undelivered_readings(false);
    fs::write(scene.gateway.state_folder().join("queue/marks.json"), "{\"layout\": 1").unwrap();
    assert_eq!(rows_left(&mut scene, stream), READINGS);
    let log = scene.gateway.log();
    assert!(log.contains("marks-set-aside.json"), "{log}");
}

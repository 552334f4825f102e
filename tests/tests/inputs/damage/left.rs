//! What a gateway has left, and what the next one makes of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, number};
use serde_json::Value;
use tempfile::TempDir;

/// At least so many readings wait.
pub const READINGS: usize = 3000;

/// A stopped gateway with readings that no database has. The server is there again.
pub struct Left {
    scene: Scene,
    folder: TempDir,
    stream: u64,
    /// The number up to which the marks tell of that stream.
    pub marked: usize,
}

impl Left {
    /// By one that was killed just after the marks were written, which happens once a minute: its generation is not complete.
    pub fn by_a_kill() -> Self {
        Self::by(|scene| {
            assert_eq!(scene.gateway.terminate(DEADLINE), 0);
            for store in fs::read_dir(scene.gateway.state_folder().join("queue")).unwrap() {
                let _ = fs::remove_file(store.unwrap().path().join("seal.json"));
            }
        })
    }

    /// By one that was stopped. Its generation is complete.
    pub fn by_a_stop() -> Self {
        Self::by(|scene| assert_eq!(scene.gateway.terminate(DEADLINE), 0))
    }

    fn by(end: impl FnOnce(&mut Scene)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene::prepare(0, |settings| settings.set("notify", "command", tell(folder.path())));
        scene.gateway.apply_schema();
        scene.cluster.servers[0].stop();
        scene.gateway.start();
        scene.wait_heard();
        scene.publish_lines("plants/shed", (1..=READINGS).map(|value| format!("{{\"t\": {value}.5}}")));
        scene.wait_queued(READINGS as u64);
        end(&mut scene);
        let log = scene.gateway.log();
        let stream = log.split("stream=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let stream = u64::from_str_radix(stream, 16).unwrap();
        scene.cluster.servers[0].restart(WRITABLE);
        let marked = marked(&scene);
        Self { scene, folder, stream, marked }
    }

    pub fn queue(&self) -> PathBuf {
        self.scene.gateway.state_folder().join("queue")
    }

    /// The one generation with readings.
    pub fn store(&self) -> PathBuf {
        self.queue().join("store-0000000000000001")
    }

    pub fn log(&self) -> String {
        self.scene.gateway.log()
    }

    /// Starts a gateway on it. A new reading becomes a row.
    pub fn start(&mut self) {
        self.scene.start_gateway();
        self.scene.publish("plants/new", "{\"t\": 1.5}");
        let is_there = "SELECT COUNT(*) FROM field.readings JOIN field.channels USING (channel_id) WHERE node = 'new'";
        wait_for("the new reading", DEADLINE, || number(self.scene.cluster.source(), is_there) == 1);
    }

    /// How many of the numbers that the marks tell of are rows. All others are in gaps that give this reason, and none is
    /// both.
    pub fn delivered(&self, reason: &str) -> usize {
        let report = self.scene.wait_drained();
        assert_eq!(report["lost"], 0);
        self.scene.assert_reconciled();
        self.assert_each_number_told_once(reason);
        self.assert_nothing_twice();
        let rows = format!("SELECT COUNT(*) FROM field.readings WHERE stream = {}", self.stream);
        number(self.scene.cluster.source(), &format!("{rows} AND seq <= {}", self.marked))
    }

    fn assert_each_number_told_once(&self, reason: &str) {
        let stream = self.stream;
        let rows = format!("SELECT seq, seq, '' FROM field.readings WHERE stream = {stream}");
        let gaps = format!("SELECT seq, last_seq, reason FROM field.gaps WHERE stream = {stream}");
        let mut told = vec![0; self.marked + 1];
        for span in self.scene.cluster.source().query(&format!("{rows} UNION ALL {gaps}")) {
            let (first, last): (usize, usize) = (span[0].parse().unwrap(), span[1].parse().unwrap());
            assert!(span[2].is_empty() || span[2].starts_with(reason), "{span:?}");
            told.iter_mut().take(last + 1).skip(first).for_each(|times| *times += 1);
        }
        let wrong: Vec<usize> = (1..=self.marked).filter(|number| told[*number] != 1).collect();
        assert!(wrong.is_empty(), "neither a row nor in one gap, or both: {wrong:?}");
    }

    /// Each reading of that node had another value.
    fn assert_nothing_twice(&self) {
        let channels = "field.readings JOIN field.channels USING (channel_id) WHERE node = 'shed'";
        let counted = format!("SELECT COUNT(*), COUNT(DISTINCT value) FROM {channels}");
        let counted = self.scene.cluster.source().query(&counted).concat();
        assert_eq!(counted[0], counted[1], "rows, and different ones of them");
    }

    /// A log line and an event say it at the start.
    pub fn assert_told_of_damage(&self, what: &str) {
        let line = format!("a part of the queue is damaged: generation 1: {what}");
        assert!(self.log().contains(&line), "{}", self.log());
        let told = self.folder.path().join("told");
        let event = || fs::read_to_string(&told).unwrap_or_default();
        wait_for("the event", DEADLINE, || event().contains(&format!("queue-damaged|{line}")));
    }

    /// Log lines say how many numbers are in gaps: a line a batch.
    pub fn assert_said_missing(&self, delivered: usize) {
        let log = self.log();
        let said = log.lines().filter_map(|line| line.split_once(" readings are no longer in the queue; rows of gaps"));
        let said: usize = said.map(|(before, _)| before.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
        assert!(
            said >= self.marked - delivered && said > 0,
            "{said} said, {delivered} of {} delivered:\n{log}",
            self.marked
        );
    }
}

/// How far the marks say that the newest stream has come.
fn marked(scene: &Scene) -> usize {
    let marks = fs::read(scene.gateway.state_folder().join("queue/marks.json")).unwrap_or_default();
    let marks: Value = serde_json::from_slice(&marks).unwrap_or_default();
    let streams = marks["streams"].as_array().and_then(|streams| streams.last());
    streams.and_then(|stream| stream["end"].as_u64()).map_or(0, |end| end as usize)
}

/// A program that writes each event into a file beside it.
fn tell(folder: &Path) -> String {
    let path = folder.join("tell");
    let told = folder.join("told");
    fs::write(&path, format!("#!/bin/sh\necho \"$1|$2\" >> {}\n", told.display())).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

//! Two processes with one queue. What is there after many kills is tried in `tests/tests/storage/`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::env;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use common::{names_beginning, readings, unit};
use fieldgate_queue::{QueueError, StreamId, open};
use tempfile::tempdir;

const FOLDER: &str = "FIELDGATE_QUEUE_TEST_FOLDER";

/// Appends until it is killed, and tells of each append that returned: "stream number".
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn child() {
    let folder = env::var_os(FOLDER).expect("the folder of the queue");
    let mut opened = open(Path::new(&folder)).unwrap();
    for group in 0.. {
        let units: Vec<_> = (1..=7).map(|index| unit(&(group * 7 + index).to_string(), 700)).collect();
        let appended = opened.writer.append(&units, 0).unwrap();
        println!("appended {} {}", opened.stream, appended.last);
    }
}

struct Appender {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Appender {
    fn start(folder: &Path) -> Appender {
        let program = env::current_exe().unwrap();
        let arguments = ["child", "--exact", "--ignored", "--nocapture"];
        let mut child =
            Command::new(program).args(arguments).env(FOLDER, folder).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Appender { child, lines }
    }

    /// What the next append that returned has told.
    fn appended(&mut self) -> Option<(StreamId, u64)> {
        self.lines.by_ref().map(Result::unwrap).find_map(|line| {
            let (stream, last) = line.strip_prefix("appended ")?.split_once(' ')?;
            Some((stream.parse().unwrap(), last.parse().unwrap()))
        })
    }

    /// Kills it and returns the last append that it told of.
    fn kill(&mut self) -> Option<(StreamId, u64)> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.appended()).last()
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_second_process_hears_who_has_the_queue_and_changes_nothing() {
    let folder = tempdir().unwrap();
    let mut appender = Appender::start(folder.path());
    let (stream, _) = appender.appended().unwrap();
    for _ in 0..3 {
        let refused = open(folder.path()).unwrap_err();
        assert!(matches!(refused, QueueError::InUse { pid: Some(pid), .. } if pid == appender.child.id()));
    }
    let (_, last) = appender.appended().unwrap();
    appender.kill();
    let opened = open(folder.path()).unwrap();
    assert!(u64::try_from(readings(&opened.reader, stream).len()).unwrap() >= last);
    assert!(names_beginning(folder.path(), "set-aside-").is_empty());
}

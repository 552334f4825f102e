//! The serial node of the rigs tells what somebody could hear from what nobody could.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use fieldgate_tests::serial_node::SerialNode;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use serde_json::Value;

/// As the gateway opens it: raw.
fn open(port: &Path) -> File {
    let file = File::options().read(true).write(true).open(port).unwrap();
    let mut modes = tcgetattr(&file).unwrap();
    modes.make_raw();
    tcsetattr(&file, OptionalActions::Now, &modes).unwrap();
    file
}

/// The number of the next line.
fn number(lines: &mut impl BufRead) -> u64 {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str::<Value>(&line).unwrap()["seq"].as_u64().unwrap()
}

fn is_there_more(lines: &BufReader<File>) -> bool {
    let mut ends = [PollFd::new(lines.get_ref(), PollFlags::IN)];
    !lines.buffer().is_empty() || poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
}

#[test]
fn what_is_written_while_the_port_is_open_is_heard_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("port");
    let mut node = SerialNode::start("mill", &port, 100.0, 3);
    node.wait_log("lines that nobody hears", |log| log.unheard.len() >= 5);

    let mut heard = BTreeSet::new();
    for _ in 0..2 {
        let mut lines = BufReader::new(open(&port));
        heard.extend((0..20).map(|_| number(&mut lines)));
        node.freeze();
        while is_there_more(&lines) {
            heard.insert(number(&mut lines));
        }
        drop(lines);
        node.thaw();
        let last = *heard.last().unwrap();
        node.wait_log("lines that nobody hears any more", |log| log.unheard.range(last..).count() >= 5);
    }

    let log = node.terminate();
    assert_eq!(log.heard().acknowledged, heard);
    assert!(log.unheard.is_disjoint(&heard));
    assert_eq!(log.channels, 3);
}

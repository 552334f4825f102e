//! The queue's append against a plain append log: one `write` and one `fdatasync` of the same bytes, in the same folder.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use fieldgate_tests::artifacts::cache_folder;
use queue::Unit;

use crate::readings;
use crate::table::Line;

/// Readings that become durable at once.
const GROUPS: [usize; 3] = [1, 100, 1000];
/// So long each side's turn: short, because a disk that others use too is ten times slower in one second than in the next.
const TURN: Duration = Duration::from_millis(10);
/// Turns of each side in a round.
const TURNS: usize = 80;

/// Readings made durable each second, by size of group.
pub fn measure(rounds: usize) -> Vec<Line> {
    // Beside the build: a disk, where the system's folder for temporary files may be memory.
    let folder = tempfile::tempdir_in(cache_folder()).expect("a folder for queues");
    GROUPS.iter().map(|&group| measure_group(group, rounds, folder.path())).collect()
}

fn measure_group(group: usize, rounds: usize, folder: &Path) -> Line {
    let bodies = readings::encoded(group);
    let bytes = bodies.concat();
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let mut queue_side = Side::default();
        let mut log_side = Side::default();
        take_turns(&folder.join(format!("{group}-{round}")), &bodies, &mut queue_side, &mut log_side);
        ours.push(queue_side.appends_a_second() * group as f64);
        plain.push(log_side.appends_a_second() * group as f64);
    }
    let what = format!("queue, groups of {group} of {} B: readings/s", bytes.len() / group);
    Line { what, fieldgate: ours, limit: Some((plain, "write + fdatasync of the same bytes")) }
}

/// Each reading is a message of its own.
fn take_turns(folder: &Path, bodies: &[Vec<u8>], queue_side: &mut Side, log_side: &mut Side) {
    let mut opened = queue::open(folder).expect("a new queue");
    let mut log = File::create_new(folder.join("plain-log")).expect("a new file");
    let unit = |body: &Vec<u8>| Unit::new(vec![readings::record(body)]).expect("a unit of one reading");
    let units: Vec<Unit> = bodies.iter().map(unit).collect();
    let bytes = bodies.concat();
    let mut to_queue = || {
        let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
        opened.writer.append(&units, now_ms).expect("the queue takes readings");
    };
    let mut to_log = || {
        log.write_all(&bytes).expect("the file takes bytes");
        log.sync_data().expect("the file can be synced");
    };
    for turn in 0..TURNS {
        // Who is first changes, too.
        if turn % 2 == 0 {
            queue_side.take_turn(&mut to_queue);
            log_side.take_turn(&mut to_log);
        } else {
            log_side.take_turn(&mut to_log);
            queue_side.take_turn(&mut to_queue);
        }
    }
    opened.writer.close().expect("the queue can be closed");
}

/// What one side did in its turns of a round.
#[derive(Default)]
struct Side {
    appends: u32,
    busy: Duration,
}

impl Side {
    fn take_turn(&mut self, append: &mut impl FnMut()) {
        let began = Instant::now();
        while began.elapsed() < TURN {
            append();
            self.appends += 1;
        }
        self.busy += began.elapsed();
    }

    fn appends_a_second(&self) -> f64 {
        f64::from(self.appends) / self.busy.as_secs_f64()
    }
}

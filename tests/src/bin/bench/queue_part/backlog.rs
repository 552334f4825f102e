//! What a backlog costs: time until a queue is open, and memory when its first readings are drained.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use fieldgate_tests::artifacts::cache_folder;
use fieldgate_tests::sync_shim::SyncShim;
use queue::{Opened, Unit};
use rustix::fs::{Advice, fadvise, syncfs};
use serde_json::{Value, json};

use super::child::{answer_of, number};
use super::ground::this_program;
use super::usage::{cpu, peak_bytes, resident_bytes};
use crate::readings;
use crate::table::{Line, Target};

pub const MIB: f64 = 1024.0 * 1024.0;
/// A generation of the queue ends at about this.
const GENERATION_MIB: u64 = 8;
const GENERATIONS: [u64; 2] = [20, 200];
const OPENINGS: usize = 3;
/// Not once more after this.
const LONG: Duration = Duration::from_secs(5);
const GROUP: usize = 1000;
/// So many groups come by turns.
const GROUPS: usize = 10;
const READ_BYTES: usize = 1024 * 1024;
/// Readings that are read and trimmed after opening.
const DRAINED: u64 = 1000;

/// How a backlog is made; hidden.
#[derive(Debug, Args)]
pub struct Fill {
    folder: PathBuf,
    /// Until the folder has so much in it
    #[arg(long)]
    mib: Option<u64>,
    /// So many readings more
    #[arg(long)]
    readings: Option<u64>,
}

/// How it is opened; hidden.
#[derive(Debug, Args)]
pub struct Open {
    folder: PathBuf,
    /// Readings to be read and trimmed
    #[arg(long)]
    drain: u64,
}

/// Backlogs of two sizes.
pub fn measure() -> Vec<Line> {
    let folder = tempfile::tempdir_in(cache_folder()).expect("a folder for a backlog");
    let shim = SyncShim::build(folder.path());
    let queue = folder.path().join("queue");
    GENERATIONS.iter().flat_map(|generations| measure_size(&queue, &shim, generations * GENERATION_MIB)).collect()
}

fn measure_size(queue: &Path, shim: &SyncShim, mib: u64) -> Vec<Line> {
    let mut filling = Command::new(this_program());
    filling.arg("fill").arg(queue).args(["--mib", &mib.to_string()]);
    // Nothing can cut the power between here and the sync before it is opened.
    shim.skipping(&mut filling);
    answer_of(filling);
    let what = format!("backlog of {mib} MiB (stores: {})", stores(queue));
    let began = Instant::now();
    let mut openings = Vec::new();
    while openings.is_empty() || (openings.len() < OPENINGS && began.elapsed() < LONG) {
        openings.push(open_cold(queue, DRAINED));
    }
    lines(&what, &openings)
}

/// Opening time and memory, with what is promised of them.
pub fn lines(what: &str, openings: &[Value]) -> Vec<Line> {
    let line = |name: &str, field: &str, unit: f64, target| {
        let fieldgate = openings.iter().map(|opening| number(opening, field) / unit).collect();
        Line { what: format!("{what}: {name}"), fieldgate, limit: None, target }
    };
    vec![
        line("s to open", "open_s", 1.0, Some(Target::Below(1.0))),
        line("MiB added", "added_bytes", MIB, Some(Target::Below(16.0))),
        line("MiB added at the peak", "added_at_peak_bytes", MIB, None),
    ]
}

/// Opened with nothing of it in the system's memory, as after a boot, and so many readings drained.
pub fn open_cold(queue: &Path, drain: u64) -> Value {
    forget_in_memory(queue);
    let mut opening = Command::new(this_program());
    opening.arg("open").arg(queue).args(["--drain", &drain.to_string()]);
    answer_of(opening)
}

/// How many stores the queue's folder has: its generations.
pub fn stores(queue: &Path) -> usize {
    let names = fs::read_dir(queue).expect("the queue's folder").flatten().map(|entry| entry.file_name());
    names.filter(|name| name.to_string_lossy().starts_with("store-")).count()
}

fn forget_in_memory(queue: &Path) {
    syncfs(File::open(queue).expect("the queue's folder")).expect("a file system can be synced");
    for path in files(queue) {
        let file = File::open(path).expect("a file of the queue");
        fadvise(&file, 0, None, Advice::DontNeed).expect("the kernel takes advice");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the queue").flatten().map(|entry| entry.path());
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    folders.iter().for_each(|folder| files.extend(self::files(folder)));
    files
}

fn bytes(folder: &Path) -> u64 {
    files(folder).iter().flat_map(fs::metadata).map(|file| file.len()).sum()
}

/// The process that makes a backlog.
pub fn fill(arguments: &Fill) -> Value {
    let mut opened = queue::open(&arguments.folder).expect("a queue");
    let unit = |body: &Vec<u8>| Unit::new(vec![readings::record(body)]).expect("a unit of one reading");
    let bodies = readings::encoded(GROUPS * GROUP);
    let groups: Vec<Vec<Unit>> = bodies.chunks(GROUP).map(|group| group.iter().map(unit).collect()).collect();
    let (began, cpu_before) = (Instant::now(), cpu());
    let mut appended = 0;
    while !is_full(arguments, appended) {
        for group in &groups {
            let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
            opened.writer.append(group, now_ms).expect("the queue takes readings");
        }
        appended += bodies.len() as u64;
    }
    let (wall, cpu) = (began.elapsed(), cpu() - cpu_before);
    // Opening is dearest when nobody closed it, as after a crash.
    std::mem::forget(opened);
    json!({ "readings": appended, "wall_s": wall.as_secs_f64(), "cpu_s": cpu.as_secs_f64() })
}

fn is_full(arguments: &Fill, appended: u64) -> bool {
    let in_bytes = arguments.mib.is_some_and(|mib| bytes(&arguments.folder) as f64 >= mib as f64 * MIB);
    in_bytes || arguments.readings.is_some_and(|readings| appended >= readings)
}

/// The process that opens it.
pub fn open(arguments: &Open) -> Value {
    let resident_before = resident_bytes();
    let began = Instant::now();
    let mut opened = queue::open(&arguments.folder).expect("the backlog");
    let open_time = began.elapsed();
    let cpu_before = cpu();
    let read = drain(&mut opened, arguments.drain);
    let drain_cpu = cpu() - cpu_before;
    let (resident, peak) = (resident_bytes(), peak_bytes());
    opened.writer.close().expect("the queue can be closed");
    json!({
        "open_s": open_time.as_secs_f64(),
        "added_bytes": resident.saturating_sub(resident_before),
        "added_at_peak_bytes": peak.saturating_sub(resident_before),
        "drain_cpu_us": drain_cpu.as_secs_f64() * 1e6 / read as f64,
    })
}

/// Reads and trims from the oldest one on, as a drain does; how many were read.
fn drain(opened: &mut Opened, wanted: u64) -> u64 {
    let mut read = 0;
    for span in opened.reader.spans() {
        let mut from = span.first;
        while read < wanted {
            let batch = opened.reader.read(span.stream, from, GROUP, READ_BYTES).expect("the backlog can be read");
            let Some(last) = batch.last() else { break };
            opened.writer.trim(span.stream, last.seq).expect("the backlog can be trimmed");
            from = last.seq + 1;
            read += batch.len() as u64;
        }
    }
    assert!(read >= wanted, "{read} of {wanted} readings were there");
    read
}

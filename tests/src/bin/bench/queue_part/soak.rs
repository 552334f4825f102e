//! Ten million readings that wait, and then are drained.

use std::path::Path;
use std::process::Command;

use fieldgate_tests::artifacts::cache_folder;
use serde_json::Value;

use super::backlog::{lines, open_cold, stores};
use super::child::{answer_of, number};
use super::ground::this_program;
use crate::table::Line;

const MILLION: u64 = 1_000_000;
const MILLIONS: [u64; 3] = [1, 3, 10];
/// Drained at each size.
const DRAINED: u64 = 100_000;

/// Opening, memory and the cost of a reading at each size, with real syncs.
pub fn measure() -> Vec<Line> {
    let folder = tempfile::tempdir_in(cache_folder()).expect("a folder for a backlog");
    let queue = folder.path().join("queue");
    let (mut found, mut held) = (Vec::new(), 0);
    for millions in MILLIONS {
        let filled = fill(&queue, millions * MILLION - held);
        let what = format!("{millions} million readings (stores: {})", stores(&queue));
        println!("{what}");
        let opening = open_cold(&queue, DRAINED);
        held = millions * MILLION - DRAINED;
        found.extend(lines(&what, std::slice::from_ref(&opening)));
        found.extend(costs(&what, &filled, &opening));
    }
    found.extend(drain_all(&queue, held));
    found
}

fn fill(queue: &Path, readings: u64) -> Value {
    let mut filling = Command::new(this_program());
    filling.arg("fill").arg(queue).args(["--readings", &readings.to_string()]);
    answer_of(filling)
}

fn costs(what: &str, filled: &Value, opening: &Value) -> [Line; 3] {
    let appended = number(filled, "readings");
    [
        line(what, "us to append one", number(filled, "wall_s") * 1e6 / appended),
        line(what, "CPU us to append one", number(filled, "cpu_s") * 1e6 / appended),
        line(what, "CPU us to drain one", number(opening, "drain_cpu_us")),
    ]
}

fn drain_all(queue: &Path, held: u64) -> Vec<Line> {
    let what = "all of them drained";
    println!("{what}");
    let opening = open_cold(queue, held);
    let mut found = lines(what, std::slice::from_ref(&opening));
    found.push(line(what, "CPU us to drain one", number(&opening, "drain_cpu_us")));
    found
}

fn line(what: &str, name: &str, value: f64) -> Line {
    Line { what: format!("{what}: {name}"), fieldgate: vec![value], limit: None, target: None }
}

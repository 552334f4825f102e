//! Bytes that somebody or something has changed, given to what reads the files of the queue, and a line between two gateways: it must not panic, must not
//! take memory without bound, and must keep what it says of what it could read.
//!
//! These are the functions of the fuzz targets in `tests/fuzz`, driven by chance instead of a fuzzer, which needs a nightly
//! toolchain. `make soak ONLY=fuzz` drives them for minutes.

mod drive;
mod inputs;
mod mutate;

use std::time::Duration;

use drive::{Until, drive};
use fieldgate_tests::storage::seed::Chance;
use inputs::Inputs;

/// The part of the soak that each target has.
const SOAKED: Duration = Duration::from_secs(60);

/// What has to hold of some bytes; says whether they could be used.
type Check = fn(&[u8]) -> bool;

/// A name, what is checked, the bytes to begin with, and the rounds of a short run.
struct Target {
    name: &'static str,
    check: Check,
    inputs: fn(&Inputs) -> Vec<Vec<u8>>,
    rounds: u64,
}

const FRAME: Target = Target { name: "frame", check: queue::fuzzing::frame, inputs: Inputs::frames, rounds: 10_000 };
const SEARCH: Target = Target { name: "search", check: queue::fuzzing::search, inputs: Inputs::data, rounds: 1_000 };
const MARKS: Target = Target { name: "marks", check: queue::fuzzing::marks, inputs: Inputs::marks, rounds: 30_000 };
const SEAL: Target = Target { name: "seal", check: queue::fuzzing::seal, inputs: Inputs::seals, rounds: 30_000 };
const EXPORT: Target =
    Target { name: "export", check: gateway::command::queue::fuzzing::export, inputs: Inputs::exports, rounds: 1_500 };
const LINE: Target =
    Target { name: "line", check: gateway::standby::fuzzing::line, inputs: |_| inputs::lines(), rounds: 30_000 };

fn short(target: &Target) {
    drive(target, &Inputs::new(), &mut Chance::new(), Until::Rounds(target.rounds));
}

#[test]
fn changed_frames() {
    short(&FRAME);
}

#[test]
fn changed_files_that_are_searched_for_frames() {
    short(&SEARCH);
}

#[test]
fn changed_marks() {
    short(&MARKS);
}

#[test]
fn changed_seals() {
    short(&SEAL);
}

#[test]
fn changed_exports() {
    short(&EXPORT);
}

#[test]
fn changed_bytes_of_a_line_between_two_gateways() {
    short(&LINE);
}

#[test]
#[ignore = "6 minutes of changed bytes: make soak ONLY=fuzz"]
fn for_minutes() {
    let (inputs, chance) = (Inputs::new(), Chance::new());
    for (case, target) in (0..).zip([FRAME, SEARCH, MARKS, SEAL, EXPORT, LINE]) {
        drive(&target, &inputs, &mut chance.for_case(case), Until::Passed(SOAKED));
    }
}

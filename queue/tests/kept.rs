//! What is appended after opening a damaged store is there at the next opening, always. [`Damaged::check`] sees to that.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::damaged::Damaged;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Small files, since many are opened.
const READINGS: u64 = 300;
const SEED: u64 = 20_261_120;
const FLIPPED: [u8; 16] = [0xa5; 16];
/// The store's file consists of parts of this length, each with a header of its own.
const SEGMENT_BYTES: u64 = 512 * 1024;

fn flip_one_place(reopened: bool) {
    let original = Damaged::with(READINGS, reopened);
    let mut random = StdRng::seed_from_u64(SEED);
    for _ in 0..30 {
        let queue = original.copy();
        queue.overwrite_at(random.random_range(0..original.bytes()), &FLIPPED);
        queue.check();
    }
}

#[test]
fn one_damaged_place_behind_a_snapshot() {
    flip_one_place(true);
}

#[test]
fn one_damaged_place_without_a_snapshot() {
    flip_one_place(false);
}

#[test]
fn thirty_damaged_places_at_once() {
    for reopened in [false, true] {
        let queue = Damaged::with(READINGS, reopened);
        let mut random = StdRng::seed_from_u64(SEED);
        for _ in 0..30 {
            queue.overwrite_at(random.random_range(0..queue.bytes()), &FLIPPED);
        }
        queue.check();
    }
}

/// No frame is near, so every reading can be read: and yet the store would lose what is written behind this header.
#[test]
fn a_damaged_header_of_each_part_of_the_file() {
    for reopened in [false, true] {
        let original = Damaged::with(READINGS, reopened);
        for offset in (0..original.bytes()).step_by(usize::try_from(SEGMENT_BYTES).unwrap()) {
            let queue = original.copy();
            queue.overwrite_at(offset, &FLIPPED);
            let left = queue.check();
            assert!(left == READINGS || !reopened, "{left} left after damage at {offset}");
        }
    }
}

//! Random sequences in which servers, gateways and commands break and nobody helps: whatever was going on when they did, at the
//! end one server takes writes, all others are closed and follow it, and nothing is lost or doubled on any of them.
//!
//! The seed is printed; `FIELDGATE_TEST_SEED` repeats its choices.

mod field;
mod heal;
mod step;

use std::thread;
use std::time::Instant;

use field::Field;
use fieldgate_tests::storage::seed::Chance;

/// Sites that run at the same time, each with one sequence after the other.
const SITES: u64 = 2;

#[test]
fn random_sequences_of_promotions_lose_and_double_nothing() {
    run(4);
}

#[test]
#[ignore = "100 random sequences of promotions take 20 minutes: make soak ONLY=faults"]
fn a_hundred_random_sequences_of_promotions() {
    run(100);
}

fn run(sequences: u64) {
    let (chance, start) = (Chance::new(), Instant::now());
    thread::scope(|scope| {
        for site in 0..SITES {
            let chance = &chance;
            scope.spawn(move || {
                let mut field = Field::start();
                (site..sequences).step_by(SITES as usize).for_each(|case| field.sequence(case, chance.for_case(case)));
            });
        }
    });
    println!("{sequences} sequences in {:.1} s", start.elapsed().as_secs_f64());
}

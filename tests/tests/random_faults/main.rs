//! Random sequences of faults against real servers, with nodes that publish all the time. At the end of each sequence nothing
//! is lost, doubled or changed, on the source and on both replicas.
//!
//! The seed is printed; `FIELDGATE_TEST_SEED` repeats its choices.

mod fault;
mod field;

use std::thread;
use std::time::Instant;

use field::Field;
use fieldgate_tests::storage::seed::Chance;

/// Sites that run at the same time, each with one sequence after the other.
const SITES: u64 = 2;

#[test]
fn twenty_random_sequences_of_faults_lose_and_double_nothing() {
    run(20);
}

#[test]
#[ignore = "500 random sequences of faults take half an hour: make soak ONLY=faults"]
fn five_hundred_random_sequences() {
    run(500);
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

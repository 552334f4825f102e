//! Where chance comes from: another seed each run, and the same one again when it is asked for. The choices are then the
//! same; when a process is killed, and in which order a disk is written, still depend on the machine.

use std::env;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The variable that has a seed to be used again.
pub const VARIABLE: &str = "FIELDGATE_TEST_SEED";

/// Random numbers that can be had again.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: u64,
    numbers: StdRng,
}

impl Chance {
    /// From the seed in [`VARIABLE`], else from a new one; either is printed.
    ///
    /// # Panics
    /// When the variable has no number.
    #[must_use]
    pub fn new() -> Chance {
        let given = env::var(VARIABLE).ok().map(|text| {
            text.parse().unwrap_or_else(|_| panic!("{VARIABLE}={text} is not a number: give the seed that was printed"))
        });
        let seed = given.unwrap_or_else(|| rand::rng().random());
        println!("{VARIABLE}={seed} makes the same choices again");
        Chance::from_seed(seed)
    }

    /// From this seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Chance {
        Chance { seed, numbers: StdRng::seed_from_u64(seed) }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Numbers of their own for one case, whatever was drawn for the others.
    #[must_use]
    pub fn for_case(&self, case: u64) -> Chance {
        Chance::from_seed(self.seed.wrapping_add(case.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The numbers.
    pub fn numbers(&mut self) -> &mut StdRng {
        &mut self.numbers
    }
}

impl Default for Chance {
    fn default() -> Chance {
        Chance::new()
    }
}

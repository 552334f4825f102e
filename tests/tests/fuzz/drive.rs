//! Gives a target changed bytes, for so many rounds or so long.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use fieldgate_tests::artifacts::cache_folder;
use fieldgate_tests::storage::seed::Chance;

use crate::Target;
use crate::inputs::Inputs;
use crate::mutate::mutated;

/// The variable that has a file to be tried alone: one that a run has left.
const VARIABLE: &str = "FIELDGATE_TEST_INPUT";
/// The memory of this process may grow by so much while bytes of at most 64 KiB are looked at.
const MOST_GROWTH_KIB: u64 = 96 * 1024;

/// When it is enough.
pub enum Until {
    Rounds(u64),
    Passed(Duration),
}

/// Runs a target. Fails also when nothing could be used or nothing was refused: then the changes reach too little of it.
pub fn drive(target: &Target, inputs: &Inputs, chance: &mut Chance, until: Until) {
    if let Some(file) = env::var_os(VARIABLE) {
        let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{VARIABLE}={}: {e}", file.display()));
        println!("{}: {} could be used: {}", target.name, file.display(), (target.check)(&bytes));
        return;
    }
    let inputs = (target.inputs)(inputs);
    assert!(inputs.iter().any(|input| (target.check)(input)), "{}: not one good input is good", target.name);
    let (start, before) = (Instant::now(), peak_kib());
    let (mut rounds, mut used) = (0, 0);
    while until.goes_on(rounds, start) {
        let tried = Tried { name: target.name, bytes: mutated(&inputs, chance.numbers()) };
        used += u64::from((target.check)(&tried.bytes));
        rounds += 1;
    }
    // The kernel sums what each thread counted a little late: the peak it names may be a page lower than before.
    let grown = peak_kib().saturating_sub(before);
    let took = start.elapsed().as_secs_f64();
    println!("{}: {rounds} rounds in {took:.1} s, {used} could be used; memory grew by {grown} KiB", target.name);
    assert!((1..rounds).contains(&used), "{}: {used} of {rounds} could be used", target.name);
    assert!(grown < MOST_GROWTH_KIB, "{}: memory grew by {grown} KiB", target.name);
}

impl Until {
    fn goes_on(&self, rounds: u64, start: Instant) -> bool {
        match self {
            Until::Rounds(most) => rounds < *most,
            Until::Passed(most) => start.elapsed() < *most,
        }
    }
}

/// Bytes that are being looked at. They are kept in a file when that panics.
struct Tried {
    name: &'static str,
    bytes: Vec<u8>,
}

impl Drop for Tried {
    fn drop(&mut self) {
        if thread::panicking() {
            let file = keep(&cache_folder(), self);
            eprintln!(
                "{}: {} bytes, in {}; to try them again: {VARIABLE}=FILE",
                self.name,
                self.bytes.len(),
                file.display()
            );
        }
    }
}

fn keep(folder: &Path, tried: &Tried) -> PathBuf {
    let file = folder.join(format!("fuzz-{}", tried.name));
    if let Err(error) = fs::write(&file, &tried.bytes) {
        eprintln!("{} cannot be written: {error}", file.display());
    }
    file
}

/// The most memory that this process has had in use.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel's word on this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak of memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}

//! Random sequences of steps, and the shortest one that fails within a failing one.

use super::defect::Defect;
use super::invariants::{broken, broken_in_the_end};
use super::show::show;
use super::step::Step;
use super::world::{Site, World};
use fieldgate_tests::storage::seed::Chance;
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt;

/// A sequence that fails.
pub struct Failure {
    pub site: Site,
    pub sentence: &'static str,
    pub steps: Vec<Step>,
    /// How many were tried.
    pub tried: u64,
    pub end: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, sentence, steps, tried, end } = self;
        write!(formatter, "sequence {tried} does not hold: {sentence}\n  {site:?}\n  after {steps:?}{end}")
    }
}

/// Tries so many sequences; steps in all, or the first for which this sentence, or any, does not hold.
pub fn try_all(
    sequences: u64,
    chance: &Chance,
    defect: Option<Defect>,
    wanted: Option<&str>,
) -> Result<usize, Box<Failure>> {
    let mut steps_in_all = 0;
    for case in 0..sequences {
        let mut chance = chance.for_case(case);
        let numbers = chance.numbers();
        let site = draw_site(numbers);
        let steps = draw_steps(site, numbers, defect);
        steps_in_all += steps.len();
        let failed = run(site, &steps, defect).err().map(|(sentence, _)| sentence);
        if let Some(sentence) = failed.filter(|found| wanted.is_none_or(|wanted| *found == wanted)) {
            let steps = shorten(site, steps, sentence, defect);
            let end = run(site, &steps, defect).map_or_else(|(_, world)| show(&world), |()| String::new());
            return Err(Box::new(Failure { site, sentence, steps, tried: case + 1, end }));
        }
    }
    Ok(steps_in_all)
}

fn draw_site(numbers: &mut StdRng) -> Site {
    let ahead_us = [0, 0, 400_000, 900_000][numbers.random_range(0..4)];
    Site { is_kept: numbers.random(), has_identity: numbers.random(), ahead_us }
}

/// Only steps that are possible.
fn draw_steps(site: Site, numbers: &mut StdRng, defect: Option<Defect>) -> Vec<Step> {
    let mut world = World::new(site);
    let length = numbers.random_range(60..=200);
    // In some sequences much goes wrong, in others little.
    let faults = numbers.random_range(5..40);
    let mut steps = Vec::with_capacity(length);
    while steps.len() < length {
        let step = draw(numbers, faults);
        if world.step(step, defect) {
            steps.push(step);
        }
    }
    steps
}

fn draw(numbers: &mut StdRng, faults: u32) -> Step {
    use Step::*;
    let by = numbers.random_range(0..2);
    if numbers.random_range(0..100) < faults {
        let faults = [
            CommitsUnheard,
            IsCut,
            EndBreaks,
            GoesDeaf,
            GoesDeaf,
            Dies,
            LosesCard,
            Freezes,
            Freezes,
            HandsOver,
            IsForced,
            |_| FailsOver,
            |_| FailsOver,
            |_| DatabaseAway,
            IsCut,
            Begins,
        ];
        return faults[numbers.random_range(0..faults.len())](by);
    }
    let usual: [fn(usize) -> Step; 26] = [
        |_| Publishes,
        |_| Publishes,
        |_| Publishes,
        |_| Publishes,
        Drains,
        Drains,
        Drains,
        Drains,
        Commits,
        Commits,
        IsRolledBack,
        |_| Replicates,
        |_| Replicates,
        |_| Talk,
        |_| Talk,
        |_| Talk,
        Sends,
        Hears,
        IsSilent,
        IsSilent,
        SeesItStoodStill,
        Starts,
        Thaws,
        HearsAgain,
        |_| DatabaseBack,
        EndWorks,
    ];
    match numbers.random_range(0..100) {
        0..12 => Waits([400, 400, 1500, 5000, 5000, 5000, 100_000, 700_000][numbers.random_range(0..8)]),
        12..14 => IsMended(by),
        14 => IsUnheardOf(by),
        _ => usual[numbers.random_range(0..usual.len())](by),
    }
}

/// Does the steps, then lets everything come back.
pub fn run(site: Site, steps: &[Step], defect: Option<Defect>) -> Result<(), (&'static str, Box<World>)> {
    let mut world = World::new(site);
    for step in steps {
        if world.step(*step, defect)
            && let Some(sentence) = broken(&world, defect)
        {
            return Err((sentence, Box::new(world)));
        }
    }
    let in_the_end = (0..2).find_map(|first| broken_in_the_end(&world, defect, first));
    in_the_end.map_or(Ok(()), |(sentence, world)| Err((sentence, Box::new(world))))
}

/// Leaves steps out while the same sentence does not hold.
fn shorten(site: Site, mut steps: Vec<Step>, sentence: &'static str, defect: Option<Defect>) -> Vec<Step> {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + size).min(steps.len()));
            if run(site, &fewer, defect).is_err_and(|(other, _)| other == sentence) {
                steps = fewer;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    steps
}

//! Breadth first over every order of steps, so that the first sequence found is a shortest one.

use super::defect::Defect;
use super::invariants::{broken, broken_in_the_end};
use super::step::Step;
use super::world::{Site, World};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// How far to look.
pub struct Bounds {
    pub site: Site,
    /// What has happened before; it counts for nothing below.
    pub begun: &'static [Step],
    pub steps: &'static [Step],
    pub readings: usize,
    pub faults: u8,
    pub waits: u8,
    pub depth: usize,
    pub defect: Option<Defect>,
}

/// What was found.
pub struct Found {
    pub states: usize,
    /// The sentence that does not hold, and the shortest way there.
    pub violation: Option<(&'static str, Vec<Step>)>,
}

/// Looks at every state within the bounds, and at what becomes of it when all comes back. States are told apart by a hash of
/// 64 bits.
pub fn search(bounds: &Bounds) -> Found {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut ways: Vec<(usize, Step)> = vec![(0, Step::Talk)];
    let mut level = vec![(0, begin(bounds))];
    for depth in 1..=bounds.depth {
        let mut deeper = Vec::new();
        for (index, world) in level {
            for (step, after) in successors(&world, bounds) {
                if !seen.insert(hasher.hash_one(&after)) {
                    continue;
                }
                ways.push((index, step));
                if let Some(sentence) = violation(&after, bounds.defect, ways.len() % 2) {
                    return Found { states: ways.len(), violation: Some((sentence, way_to(&ways))) };
                }
                // The last ones are many, and nothing follows.
                if depth < bounds.depth {
                    deeper.push((ways.len() - 1, after));
                }
            }
        }
        level = deeper;
    }
    Found { states: ways.len(), violation: None }
}

fn successors(world: &World, bounds: &Bounds) -> impl Iterator<Item = (Step, World)> {
    bounds.steps.iter().filter_map(|step| {
        let mut after = world.clone();
        (after.step(*step, bounds.defect) && is_within(&after, bounds)).then_some((*step, after))
    })
}

fn violation(world: &World, defect: Option<Defect>, first: usize) -> Option<&'static str> {
    broken(world, defect).or_else(|| broken_in_the_end(world, defect, first).map(|(sentence, _)| sentence))
}

fn begin(bounds: &Bounds) -> World {
    let mut world = World::new(bounds.site);
    for step in bounds.begun {
        assert!(world.step(*step, bounds.defect), "{step:?} is not possible there");
    }
    (world.faults, world.waits) = (0, 0);
    world
}

fn is_within(world: &World, bounds: &Bounds) -> bool {
    world.heard.len() <= bounds.readings && world.faults <= bounds.faults && world.waits <= bounds.waits
}

/// The way to the newest state.
fn way_to(ways: &[(usize, Step)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut index = ways.len() - 1;
    while index > 0 {
        let (before, step) = ways[index];
        steps.push(step);
        index = before;
    }
    steps.reverse();
    steps
}

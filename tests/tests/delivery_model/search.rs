//! Breadth first over every order of steps, so that the first trace found is a shortest one.

use super::defect::Defect;
use super::gateway_steps::gateway_steps;
use super::gtids::Gtids;
use super::invariants::broken;
use super::promotion::promotion_steps;
use super::world::World;
use super::world_steps::world_steps;
use config::KeepUntil;
use gateway::topology::promote::steps;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// How far to look.
pub struct Bounds {
    pub readings: u8,
    pub failures: u8,
    pub defect: Option<Defect>,
    /// Which steps there are; fewer reach deeper.
    pub steps: fn(&Step) -> bool,
    /// How many gateways promote servers by themselves.
    pub promoters: u8,
    pub gtids: Gtids,
    /// How many replicas must have a reading before it may leave the queue.
    pub keep_until: KeepUntil,
}

/// What happened between two states. Servers are a, the first source, b and c; gateways are 0, which has the queue, and 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Append,
    Sync,
    Acknowledge,
    Connect,
    Disconnect,
    Write,
    WriteAnswerLost,
    WriteTimesOut,
    Trim,
    PendingCommits,
    PendingRollsBack,
    Receive(String),
    Apply(String),
    Fails(String),
    ComesBack(String),
    Closed(String),
    FollowsSource(String),
    Promote(String),
    OpenWhileApplying(String),
    Kill,
    PowerCut,
    RestoreAll { transactions: usize },
    Promotes(u8, steps::Step),
    GivesUp(u8),
    IsKilled(u8),
    Closes(u8, String),
    LetsFollow(u8, String),
    LetsReceive(u8, String),
    StartsClosed(String),
    IsCutOff(u8, String),
    IsMended(u8),
}

/// The states that follow one.
pub type Successors = Vec<(Step, World)>;

/// What was found.
pub struct Found {
    pub states: usize,
    pub depth: usize,
    /// The sentence that does not hold, and the shortest way there.
    pub violation: Option<(&'static str, Vec<Step>)>,
}

/// Looks at every state within the bounds. States are told apart by a hash of 64 bits.
pub fn search(bounds: &Bounds) -> Found {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut ways: Vec<(usize, Step)> = vec![(0, Step::Connect)];
    let mut level = vec![(0, World::new(bounds.promoters, bounds.gtids))];
    let mut depth = 0;
    while !level.is_empty() {
        let mut deeper = Vec::new();
        for (index, world) in level {
            if let Some(sentence) = broken(&world, bounds) {
                return Found { states: ways.len(), depth, violation: Some((sentence, way_to(&ways, index))) };
            }
            let mut next = Vec::new();
            gateway_steps(&world, bounds, &mut next);
            world_steps(&world, bounds, &mut next);
            promotion_steps(&world, bounds, &mut next);
            for (step, after) in next.into_iter().filter(|(step, _)| (bounds.steps)(step)) {
                if seen.insert(hasher.hash_one(&after)) {
                    deeper.push((ways.len(), after));
                    ways.push((index, step));
                }
            }
        }
        level = deeper;
        depth += usize::from(!level.is_empty());
    }
    Found { states: ways.len(), depth, violation: None }
}

fn way_to(ways: &[(usize, Step)], mut index: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while index > 0 {
        let (before, step) = &ways[index];
        steps.push(step.clone());
        index = *before;
    }
    steps.reverse();
    steps
}

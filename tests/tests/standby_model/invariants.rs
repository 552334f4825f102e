//! What must hold in every state, and in the end.

use super::database::Row;
use super::defect::Defect;
use super::sentence;
use super::step::Step;
use super::world::{Life, SILENCE_US, World};
use gateway::standby::role::Role;

/// The first sentence that does not hold in this state.
pub fn broken(world: &World, defect: Option<Defect>) -> Option<&'static str> {
    if world.broken.is_some() {
        world.broken
    } else if is_known_of_both(world) {
        Some(sentence::TWO_ACTIVE)
    } else if (0..2).any(|gateway| waits_for_the_dead(world, gateway, defect)) {
        Some(sentence::TAKES_OVER)
    } else {
        None
    }
}

/// Both are active, and have been what they are since they heard that.
fn is_known_of_both(world: &World) -> bool {
    (0..2).all(|gateway| {
        let newest = Some((world.rank(gateway), world.rank(1 - gateway)));
        world.gateways[gateway].role == Role::Active
            && world.gateways[gateway].heard.map(|(own, beat)| (own, beat.rank)) == newest
    })
}

/// Three steps of its own must do: that it stood still, what was on its way, and the silence.
fn waits_for_the_dead(world: &World, gateway: usize, defect: Option<Defect>) -> bool {
    if world.gateways[gateway].life == Life::Dead || world.gateways[gateway].role == Role::Active {
        return false;
    }
    let mut after = world.clone();
    after.die(1 - gateway);
    let wait = Step::Waits(u32::try_from(SILENCE_US / 1000).unwrap());
    for step in [Step::Thaws(gateway), Step::EndWorks(gateway), Step::SeesItStoodStill(gateway)] {
        after.step(step, defect);
    }
    for step in [Step::Hears(gateway), wait, Step::IsSilent(gateway)] {
        after.step(step, defect);
    }
    after.gateways[gateway].role != Role::Active
}

/// Everything comes back, nothing is published any more, and both go on for a while: then what must hold in the end.
pub fn broken_in_the_end(world: &World, defect: Option<Defect>, first: usize) -> Option<(&'static str, World)> {
    let mut world = world.clone();
    come_back(&mut world, defect);
    let mut sentence = None;
    for round in 0..40 {
        goes_on(&mut world, defect, (first + round) % 2);
        sentence = world.broken.or_else(|| at_rest(&world));
        // Nothing more comes of it, whether it is right or not.
        if sentence.is_none() || world.broken.is_some() {
            break;
        }
    }
    Some((sentence?, world))
}

fn at_rest(world: &World) -> Option<&'static str> {
    if world.gateways.iter().filter(|gateway| gateway.role == Role::Active).count() != 1 {
        Some(sentence::ONE_ACTIVE)
    } else if world.gateways.iter().any(|gateway| !gateway.queue.is_empty()) {
        Some(sentence::ENDS)
    } else {
        (0..world.heard.len()).find_map(|reading| wrong(world, u8::try_from(reading).unwrap()))
    }
}

fn come_back(world: &mut World, defect: Option<Defect>) {
    world.step(Step::DatabaseBack, defect);
    for by in 0..2 {
        for step in [Step::IsRolledBack, Step::Starts, Step::Thaws, Step::IsMended, Step::EndWorks] {
            world.step(step(by), defect);
        }
    }
}

fn goes_on(world: &mut World, defect: Option<Defect>, first: usize) {
    for by in [first, 1 - first] {
        for step in [Step::HearsAgain, Step::SeesItStoodStill, Step::IsSilent, Step::Drains] {
            world.step(step(by), defect);
        }
        while world.step(Step::Replicates, defect) {}
    }
    world.step(Step::Talk, defect);
    world.step(Step::Waits(1000), defect);
}

fn wrong(world: &World, reading: u8) -> Option<&'static str> {
    let source = &world.database.source;
    let rows: Vec<&Row> = source.rows.iter().filter(|row| row.reading == reading).collect();
    let must_be = world.heard[usize::from(reading)].contains(&true);
    match (rows.as_slice(), world.site.has_identity) {
        ([], _) if must_be => Some(sentence::NOT_MISSING),
        ([] | [_], _) => None,
        (_, true) => Some(sentence::ONCE),
        (rows, false) if rows.iter().any(|row| row.is_marked) => None,
        _ => Some(sentence::MARKED),
    }
}

//! A gateway that promotes by itself. Whether, whom and in which order is the product's own; a step may be the last that a
//! gateway does, and anything may happen before the next.

use super::defect::Defect;
use super::other_servers::{do_chores, follow};
use super::probes::NOW_US;
use super::search::{Bounds, Step, Successors};
use super::server::{Server, Transaction};
use super::world::{Promotion, SERVERS, World};
use gateway::topology::View;
use gateway::topology::promote::steps::{Step as Part, after};
use gateway::topology::promote::{Gate, Situation, Way, consider};
use std::time::Duration;

/// The first source's, and two promotions: a gateway that gives up may begin for ever.
const MOST_TERMS: u8 = 3;

/// Every step of a gateway towards another source, and what it does at the other servers when there is one.
pub fn promotion_steps(world: &World, bounds: &Bounds, next: &mut Successors) {
    for gateway in 0..usize::from(world.promoters) {
        let number = u8::try_from(gateway).unwrap();
        let Some(promotion) = world.promotions[gateway] else {
            let seen = Seen::new(world, gateway);
            next.extend(lock(world, &seen, bounds).map(|after| (Step::Promotes(number, Part::Lock), after)));
            do_chores(world, &seen, bounds, next);
            continue;
        };
        let part = after(promotion.done, promotion.way).unwrap();
        let went_on = go_on(world, gateway, promotion, part, bounds);
        let mut ended = world.clone();
        ended.give_up(gateway);
        next.push((if went_on.is_none() { Step::GivesUp(number) } else { Step::IsKilled(number) }, ended));
        next.extend(went_on.map(|after| (Step::Promotes(number, part), after)));
        if promotion.done == Part::RaiseTerm {
            let_others_follow(world, gateway, promotion, next);
        }
    }
}

/// What a gateway knows: what its probes say, and the highest term. The first keeps that in a file.
pub struct Seen {
    pub gateway: usize,
    pub views: Vec<View>,
    pub highest_term: u8,
}

impl Seen {
    fn new(world: &World, gateway: usize) -> Self {
        let views = world.views(gateway);
        let shown = views.iter().filter_map(|view| u8::try_from(view.last_facts()?.term.as_ref()?.number).ok());
        let highest_term = shown.fold(if gateway == 0 { world.highest_term } else { 0 }, u8::max);
        Self { gateway, views, highest_term }
    }
}

/// Whom the gates let through.
fn best(world: &World, seen: &Seen, bounds: &Bounds) -> Option<(u8, Way)> {
    let situation = Situation {
        views: &seen.views,
        highest_term: seen.highest_term.into(),
        without_source: Some(Duration::MAX),
        now_us: NOW_US,
        grace: Duration::ZERO,
        cooldown: Duration::ZERO,
    };
    let waived: &[Gate] = match bounds.defect {
        Some(Defect::PromotesWhileReplicasReceive) => &[Gate::NobodyReceives],
        Some(Defect::PromotesWithoutMajority) => &[Gate::Majority],
        _ => &[],
    };
    let considered = consider(&situation);
    let (index, way) = considered.candidate.filter(|_| considered.is_open_but(waived))?;
    let followers = || (0..SERVERS).filter(|other| world.servers[*other].follows.is_some());
    let index = match bounds.defect {
        Some(Defect::PromotesWhoReceivedLess) => followers().min_by_key(|other| world.servers[*other].log.len())?,
        _ => index,
    };
    Some((u8::try_from(index).unwrap(), way))
}

fn answering(world: &World, gateway: usize) -> impl Iterator<Item = usize> {
    (0..SERVERS).filter(move |index| world.answers(gateway, *index))
}

fn holds_lock(world: &World, gateway: usize, index: usize, bounds: &Bounds) -> bool {
    bounds.defect == Some(Defect::PromotesWithoutLock)
        || world.servers[index].lock.is_some_and(|by| usize::from(by) == gateway)
}

/// Every server that answers, or none.
fn lock(world: &World, seen: &Seen, bounds: &Bounds) -> Option<World> {
    let gateway = seen.gateway;
    if answering(world, gateway).any(|index| world.servers[index].lock.is_some()) {
        return None;
    }
    let (candidate, way) = best(world, seen, bounds)?;
    let mut after = world.clone();
    if bounds.defect != Some(Defect::PromotesWithoutLock) {
        answering(world, gateway).for_each(|index| after.servers[index].lock = u8::try_from(gateway).ok());
    }
    if gateway == 0 {
        after.connection = None;
    }
    after.promotions[gateway] = Some(Promotion { done: Part::Lock, candidate, way });
    Some(after)
}

/// One step further; none where what it needs is not there, so that the promotion is given up.
fn go_on(world: &World, gateway: usize, promotion: Promotion, part: Part, bounds: &Bounds) -> Option<World> {
    let index = usize::from(promotion.candidate);
    if !world.answers(gateway, index) || !holds_lock(world, gateway, index, bounds) {
        return None;
    }
    let mut after = world.clone();
    let candidate = &mut after.servers[index];
    let mut promotion = Promotion { done: part, ..promotion };
    match part {
        Part::Lock => return None,
        Part::LookAgain => (promotion.candidate, promotion.way) = look_again(world, gateway, bounds)?,
        Part::StopReceiving => match stop_receiving(&mut after, gateway, bounds) {
            Some(candidate) => promotion.candidate = candidate,
            None => return Some(after),
        },
        Part::Apply if bounds.defect == Some(Defect::PromotesWithoutApplying) => {}
        Part::Apply => candidate.applied = candidate.log.len(),
        Part::Reset => reset(candidate),
        Part::RaiseTerm => raise_term(&mut after, gateway, promotion.candidate, bounds)?,
        Part::Spread => is_spread(world, gateway, promotion.candidate, bounds).then_some(())?,
        Part::Open => return Some(open(after, gateway, promotion.candidate)),
    }
    after.promotions[gateway] = Some(promotion);
    Some(after)
}

/// At every server that answers, and chooses again; gives up when a gate has shut meanwhile.
fn stop_receiving(world: &mut World, gateway: usize, bounds: &Bounds) -> Option<u8> {
    let answering: Vec<usize> = answering(world, gateway).collect();
    for index in answering {
        world.servers[index].stopped = world.servers[index].follows.is_some();
    }
    let again = look_again(world, gateway, bounds).map(|(candidate, _)| candidate);
    if again.is_none() {
        world.give_up(gateway);
    }
    again
}

fn reset(candidate: &mut Server) {
    candidate.threw_away = candidate.applied < candidate.log.len();
    candidate.forget_received();
    (candidate.follows, candidate.stopped) = (None, false);
}

/// Only those that it has locked may have answered meanwhile.
fn look_again(world: &World, gateway: usize, bounds: &Bounds) -> Option<(u8, Way)> {
    let are_locked = answering(world, gateway).all(|index| holds_lock(world, gateway, index, bounds));
    best(world, &Seen::new(world, gateway), bounds).filter(|_| are_locked)
}

fn raise_term(world: &mut World, gateway: usize, server: u8, bounds: &Bounds) -> Option<()> {
    let highest = Seen::new(world, gateway).highest_term;
    if bounds.defect == Some(Defect::PromotesInTheSameTerm) {
        return Some(());
    }
    let number = (highest < MOST_TERMS).then_some(highest + 1)?;
    world.servers[usize::from(server)].commit(Transaction::Term { number, server });
    if gateway == 0 {
        (world.highest_term, world.connection) = (number, None);
    }
    Some(())
}

/// Whether more than half of the servers show the new term: then whoever sees a majority later knows of it, and of whom the
/// others follow. The product goes on without those that do not get on with what they receive; here all do.
fn is_spread(world: &World, gateway: usize, server: u8, bounds: &Bounds) -> bool {
    let term = world.servers[usize::from(server)].term();
    let shows = |index: &usize| world.servers[*index].term() == term;
    // Where this rule is kept the other two break nothing: the promotion is not finished.
    use Defect::{OpensBeforeTheTermIsSpread, PromotesWhoReceivedLess, PromotesWithoutMajority};
    let may_be_alone =
        matches!(bounds.defect, Some(OpensBeforeTheTermIsSpread | PromotesWhoReceivedLess | PromotesWithoutMajority));
    may_be_alone || answering(world, gateway).filter(shows).count() * 2 > SERVERS
}

fn open(mut after: World, gateway: usize, server: u8) -> World {
    let opened = &mut after.servers[usize::from(server)];
    (opened.writable, opened.restarted) = (true, false);
    after.official = server;
    after.give_up(gateway);
    after
}

/// What it has stopped follows the server that will be opened.
fn let_others_follow(world: &World, gateway: usize, promotion: Promotion, next: &mut Successors) {
    for index in answering(world, gateway).filter(|index| world.servers[*index].stopped) {
        follow(world, gateway, index, promotion.candidate, next);
    }
}

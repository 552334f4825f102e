//! What fails, and comes back.

use super::defect::Defect;
use super::search::{Bounds, Step, Successors};
use super::world::{Cut, STREAMS, World, letter, name};

/// A server that did not answer does so again, as it was; or, where nobody but gateways promotes, it has started again and
/// is closed by that.
pub fn come_back(world: &World, index: usize, next: &mut Successors) {
    if world.servers[index].up {
        return;
    }
    let mut after = world.clone();
    after.servers[index].up = true;
    next.push((Step::ComesBack(letter(index)), after.clone()));
    if world.promoters > 0 {
        let again = &mut after.servers[index];
        again.forget_received();
        again.restarted = again.follows.is_none();
        (again.writable, again.stopped, again.pending) = (false, false, None);
        next.push((Step::StartsClosed(letter(index)), after));
    }
}

/// The way from a gateway to a server breaks; replicas go on receiving from that.
pub fn cut(world: &World, gateway: usize, next: &mut Successors) {
    if world.cuts[gateway].is_some() {
        return;
    }
    for (server, last) in (0u8..).zip(&world.servers) {
        let mut after = world.clone();
        after.failures += 1;
        after.cuts[gateway] = Some(Cut { server, last: last.clone() });
        if gateway == 0 {
            after.disconnect_from(server.into());
        }
        next.push((Step::IsCutOff(u8::try_from(gateway).unwrap(), name(server)), after));
    }
}

pub fn mend(world: &World, gateway: usize, next: &mut Successors) {
    if world.cuts[gateway].is_some() {
        let mut after = world.clone();
        after.cuts[gateway] = None;
        next.push((Step::IsMended(u8::try_from(gateway).unwrap()), after));
    }
}

/// The gateway is killed, or loses power; it starts again with a new stream.
pub fn restart(world: &World, bounds: &Bounds, next: &mut Successors) {
    let has_new_stream = usize::from(world.current) + 1 < STREAMS;
    if !has_new_stream {
        return;
    }
    for (step, power_cut) in [(Step::Kill, false), (Step::PowerCut, true)] {
        let mut after = world.clone();
        after.failures += 1;
        after.connection = None;
        after.give_up(0);
        for stream in &mut after.streams {
            if power_cut {
                stream.readings.truncate(stream.durable.into());
            }
            if bounds.defect == Some(Defect::NoSyncAtOpening) {
                stream.visible = u8::try_from(stream.readings.len()).unwrap();
            } else {
                stream.sync();
            }
        }
        if !after.streams[usize::from(world.current)].readings.is_empty() {
            after.current += 1;
        }
        next.push((step, after));
    }
}

/// A server freezes or dies.
pub fn fail(world: &World, index: usize, next: &mut Successors) {
    if world.servers[index].up {
        let mut after = world.clone();
        after.failures += 1;
        let failed = &mut after.servers[index];
        (failed.up, failed.lock, failed.has_failed) = (false, None, world.promoters > 0);
        after.disconnect_from(index);
        next.push((Step::Fails(letter(index)), after));
    }
}

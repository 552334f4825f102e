//! What can happen around the drain: replication, failures, and people who act.

use super::failures::{come_back, cut, fail, mend, restart};
use super::search::{Bounds, Step, Successors};
use super::world::{SERVERS, World, letter};

/// Every step of the world that is possible.
pub fn world_steps(world: &World, bounds: &Bounds, next: &mut Successors) {
    for index in 0..SERVERS {
        replicate(world, index, next);
        end_pending(world, index, next);
        come_back(world, index, next);
        if world.promoters == 0 {
            people_act(world, index, next);
            promote(world, index, bounds, next);
        }
    }
    for gateway in 0..usize::from(world.promoters) {
        mend(world, gateway, next);
        if world.failures < bounds.failures {
            cut(world, gateway, next);
        }
    }
    if world.failures < bounds.failures {
        restart(world, bounds, next);
        for index in 0..SERVERS {
            fail(world, index, next);
        }
        restore(world, next);
    }
}

/// A replica receives one transaction, or applies one.
fn replicate(world: &World, index: usize, next: &mut Successors) {
    let server = &world.servers[index];
    let Some(upstream) = server.follows.map(|upstream| &world.servers[usize::from(upstream)]) else { return };
    if !server.up {
        return;
    }
    // A replica that has what its source lacks stops with an error; the half of a pair that people opened does not.
    let is_pair = server.writable && upstream.follows.is_none_or(|other| usize::from(other) == index);
    let may_receive =
        upstream.up && !server.stopped && (is_pair || server.log.iter().all(|own| upstream.done().contains(own)));
    if may_receive && let Some(received) = upstream.done().iter().find(|done| !server.log.contains(done)) {
        let mut after = world.clone();
        after.servers[index].log.push(*received);
        next.push((Step::Receive(letter(index)), after));
    }
    if server.applied < server.log.len() {
        let mut after = world.clone();
        after.servers[index].applied += 1;
        next.push((Step::Apply(letter(index)), after));
    }
}

/// A transaction that was given up still runs on the server: it commits, or it does not.
fn end_pending(world: &World, index: usize, next: &mut Successors) {
    let server = &world.servers[index];
    let Some(pending) = server.pending.filter(|_| server.up) else { return };
    let mut after = world.clone();
    after.servers[index].pending = None;
    next.push((Step::PendingRollsBack, after.clone()));
    if server.writable {
        after.servers[index].commit(pending);
        next.push((Step::PendingCommits, after));
    }
}

/// People close an old source for writes; or they make a server a replica of the source, and what it has and the source has
/// not is taken back first, which ends every connection to it.
fn people_act(world: &World, index: usize, next: &mut Successors) {
    let server = &world.servers[index];
    if server.up && server.writable && index != usize::from(world.official) {
        let mut after = world.clone();
        after.servers[index].writable = false;
        next.push((Step::Closed(letter(index)), after));
    }
    let source = &world.servers[usize::from(world.official)];
    let follows_source = server.follows == Some(world.official);
    // People point a server only at one whose promotion is finished.
    let is_ready = source.up && source.writable && source.follows.is_none();
    if index == usize::from(world.official) || !server.up || follows_source || !is_ready {
        return;
    }
    let mut after = world.clone();
    let common = server.log.iter().zip(source.done()).take_while(|(own, other)| own == other).count();
    let again = &mut after.servers[index];
    again.log.truncate(common);
    again.applied = again.applied.min(common);
    (again.writable, again.follows, again.pending) = (false, Some(world.official), None);
    after.disconnect_from(index);
    next.push((Step::FollowsSource(letter(index)), after));
}

/// People open a replica for writes, as they should or while its applier still runs; by mistake also while the source
/// is well.
fn promote(world: &World, index: usize, bounds: &Bounds, next: &mut Successors) {
    let server = &world.servers[index];
    let is_mistake = world.servers[usize::from(world.official)].up;
    let Some(_) = server.follows.filter(|_| server.up) else { return };
    let mut after = world.clone();
    if !server.writable {
        after.failures += u8::from(is_mistake);
        if after.failures > bounds.failures {
            return;
        }
    }
    after.official = u8::try_from(index).unwrap();
    after.servers[index].writable = true;
    if !server.writable {
        next.push((Step::OpenWhileApplying(letter(index)), after.clone()));
    }
    let promoted = &mut after.servers[index];
    (promoted.follows, promoted.applied) = (None, promoted.log.len());
    next.push((Step::Promote(letter(index)), after));
}

/// Every server is restored from the same older backup of the source, and the operator accepts its term.
fn restore(world: &World, next: &mut Successors) {
    let source = &world.servers[usize::from(world.official)];
    if world.restored || source.applied < 2 || !source.writable {
        return;
    }
    for length in [1, source.applied - 1] {
        let mut after = world.clone();
        for (index, server) in after.servers.iter_mut().enumerate() {
            server.log = source.log[..length].to_vec();
            (server.applied, server.up, server.pending) = (length, true, None);
            server.writable = index == usize::from(world.official);
            server.follows = (!server.writable).then_some(world.official);
        }
        after.highest_term = after.servers[0].term().map_or(0, |(number, _)| number);
        (after.connection, after.restored) = (None, true);
        after.failures += 1;
        next.push((Step::RestoreAll { transactions: length }, after));
    }
}

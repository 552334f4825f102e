//! What a gateway does at the servers that are not, or will not be, the source.

use super::defect::Defect;
use super::promotion::Seen;
use super::search::{Bounds, Step, Successors};
use super::world::{SERVERS, World, letter};
use gateway::topology::choose;
use gateway::topology::promote::chores::{Chore, chores};

/// A server follows another one than before; what it had received and not applied is thrown away.
pub fn follow(world: &World, gateway: usize, index: usize, source: u8, next: &mut Successors) {
    let mut after = world.clone();
    let server = &mut after.servers[index];
    server.forget_received();
    (server.follows, server.stopped) = (Some(source), false);
    next.push((Step::LetsFollow(u8::try_from(gateway).unwrap(), letter(index)), after));
}

/// As the product tells from what the servers say.
pub fn do_chores(world: &World, seen: &Seen, bounds: &Bounds, next: &mut Successors) {
    let gateway = seen.gateway;
    let number = u8::try_from(gateway).unwrap();
    let Some(source) = choose(&seen.views, seen.highest_term.into()).source else { return };
    let stopped = (0..SERVERS).filter(|index| world.servers[*index].stopped).map(letter).collect();
    for task in chores(&seen.views, source, &stopped) {
        let mut after = world.clone();
        match task.chore {
            Chore::Close if bounds.defect == Some(Defect::LeavesTheOldSourceOpen) => {}
            Chore::Close => {
                after.servers[task.server].writable = false;
                after.disconnect_from(task.server);
                next.push((Step::Closes(number, letter(task.server)), after));
            }
            Chore::Follow => follow(world, gateway, task.server, u8::try_from(source).unwrap(), next),
            Chore::Receive => {
                after.servers[task.server].stopped = false;
                next.push((Step::LetsReceive(number, letter(task.server)), after));
            }
        }
    }
}

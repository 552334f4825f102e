//! What must hold in every state, in words.

use super::gateway_steps::{chosen, next_batch};
use super::search::Bounds;
use super::server::Server;
use super::world::{Connection, World, channel_of};

/// The first sentence that does not hold.
pub fn broken(world: &World, bounds: &Bounds) -> Option<&'static str> {
    if is_lost_with_the_queue(world, bounds) {
        return Some("an acknowledged reading is in the queue or in a database");
    }
    if let Some(sentence) = wrongly_opened(world) {
        return Some(sentence);
    }
    let connection = world.connection.as_ref()?;
    let server = &world.servers[usize::from(connection.server)];
    if connection.term < world.highest_term {
        return Some("the gateway never writes to a server whose term is below one it has seen");
    }
    if (0..bounds.readings).any(|reading| times(server, reading) > 1) {
        return Some("no reading is twice in the source");
    }
    if has_wrong_channel(server) {
        return Some("no reading is in another channel than its own");
    }
    if !is_all_delivered(world, connection, bounds) {
        return None;
    }
    (0..bounds.readings).find_map(|reading| missing(world, server, reading))
}

/// Where gateways promote: people make these mistakes, too.
fn wrongly_opened(world: &World) -> Option<&'static str> {
    let newest = world.servers.iter().filter_map(Server::term).map(|(number, _)| number).max();
    let open = || world.servers.iter().filter(|server| server.writable);
    let is_newest = |server: &&Server| server.term().map(|(number, _)| number) == newest;
    if world.promoters == 0 {
        None
    } else if open().any(|server| server.threw_away) {
        Some("a server is opened only when it has applied all that it had received")
    } else if open().filter(is_newest).count() > 1 {
        Some("two servers are never open for writes that both are of the newest term")
    } else if open().count() > 1 && open().any(|server| !is_newest(&server) && !server.has_failed) {
        Some("a source that has not failed is not replaced")
    } else {
        None
    }
}

fn is_lost_with_the_queue(world: &World, bounds: &Bounds) -> bool {
    (0..bounds.readings).any(|reading| {
        let is_delivered = || world.servers.iter().any(|server| times(server, reading) > 0);
        world.acknowledged[usize::from(reading)] && world.place(reading).is_none() && !is_delivered()
    })
}

fn times(server: &Server, reading: u8) -> usize {
    server.rows().filter(|row| row.reading == reading).count()
}

fn has_wrong_channel(server: &Server) -> bool {
    let ids = server.channel_ids();
    server.rows().any(|row| ids[channel_of(row.reading)] != row.channel_id)
}

/// The gateway is connected to the source, everything is synced, and it sees nothing left to do.
fn is_all_delivered(world: &World, connection: &Connection, bounds: &Bounds) -> bool {
    let server = &world.servers[usize::from(connection.server)];
    let is_current = (0..).zip(connection.cursors).all(|(stream, cursor)| server.cursor(stream) == cursor);
    let is_synced = world.streams.iter().all(|stream| stream.readings.len() == usize::from(stream.visible));
    is_current
        && is_synced
        && next_batch(world, bounds.defect).is_none()
        && chosen(world, bounds.defect) == Some(connection.server)
}

fn missing(world: &World, server: &Server, reading: u8) -> Option<&'static str> {
    if !world.acknowledged[usize::from(reading)] || times(server, reading) > 0 {
        return None;
    }
    let is_gap = world.place(reading).is_some_and(|(stream, number)| server.has_gap_for(stream, number));
    match (is_gap, world.restored) {
        (false, _) => Some("when all is delivered, an acknowledged reading is in the source or named by a gap there"),
        (true, false) => Some("without a restore from a backup no acknowledged reading is a gap"),
        (true, true) => None,
    }
}

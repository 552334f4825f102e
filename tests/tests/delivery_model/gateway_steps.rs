//! What the gateway can do next: its queue, and its drain.

use super::defect::Defect;
use super::search::{Bounds, Step, Successors};
use super::server::{Row, Transaction};
use super::world::{Connection, SERVERS, Stream, World, channel_of};
use config::KeepUntil;
use gateway::topology::ahead::ahead;
use gateway::topology::leave::may_leave;
use gateway::topology::{Facts, Term, TermStep, View, choose, term_step};

/// Every step of the gateway that is possible in `world`.
pub fn gateway_steps(world: &World, bounds: &Bounds, next: &mut Successors) {
    collect(world, bounds, next);
    if world.connection.is_none() {
        next.extend(connect(world, bounds.defect).map(|after| (Step::Connect, after)));
    } else {
        let mut after = world.clone();
        after.connection = None;
        next.push((Step::Disconnect, after));
        write(world, bounds, next);
        next.extend(trim(world, bounds).map(|after| (Step::Trim, after)));
    }
}

/// A node sends, the intake appends, syncs and acknowledges.
fn collect(world: &World, bounds: &Bounds, next: &mut Successors) {
    let current = usize::from(world.current);
    let unsent = (0..bounds.readings)
        .find(|reading| !world.acknowledged[usize::from(*reading)] && world.place(*reading).is_none());
    if let Some(reading) = unsent {
        let mut after = world.clone();
        after.streams[current].readings.push(reading);
        next.push((Step::Append, after));
    }
    let Stream { readings, durable, .. } = &world.streams[current];
    if usize::from(*durable) < readings.len() {
        let mut after = world.clone();
        after.streams[current].sync();
        next.push((Step::Sync, after));
    }
    for reading in (0..bounds.readings).filter(|reading| !world.acknowledged[usize::from(*reading)]) {
        let Some((stream, number)) = world.place(reading) else { continue };
        let early = bounds.defect == Some(Defect::AcknowledgesBeforeSync);
        if early || number <= world.streams[usize::from(stream)].visible {
            let mut after = world.clone();
            after.acknowledged[usize::from(reading)] = true;
            next.push((Step::Acknowledge, after));
        }
    }
}

impl Stream {
    pub fn sync(&mut self) {
        self.durable = u8::try_from(self.readings.len()).unwrap();
        self.visible = self.durable;
        self.end = self.end.max(self.durable);
    }
}

/// The views as the defects make them.
fn views(world: &World, defect: Option<Defect>) -> Vec<View> {
    let mut views = world.views(0);
    if defect == Some(Defect::ApplierIgnored) {
        change(&mut views, |facts| facts.replication.clear());
    }
    views
}

fn change(views: &mut [View], mut with: impl FnMut(&mut Facts)) {
    for view in views.iter_mut() {
        let (is_up, mut facts) = (view.facts().is_some(), view.last_facts().unwrap().clone());
        with(&mut facts);
        view.answered(facts);
        if !is_up {
            view.failed("no answer".to_owned());
        }
    }
}

/// The server that is chosen.
pub fn chosen(world: &World, defect: Option<Defect>) -> Option<u8> {
    let highest = if defect == Some(Defect::TermIgnored) { 0 } else { world.highest_term };
    choose(&views(world, defect), highest.into()).source.map(|index| u8::try_from(index).unwrap())
}

/// As `Drain::connect`: the term, the cursors, hold if a replica is ahead, remember how far the streams go.
fn connect(world: &World, defect: Option<Defect>) -> Option<World> {
    let mut after = world.clone();
    let answering = (0..SERVERS).filter(|index| world.answers(0, *index));
    let terms = answering.filter_map(|index| Some(world.servers[index].term()?.0));
    after.highest_term = terms.fold(world.highest_term, u8::max);
    let index = chosen(&after, defect)?;
    let seen = if defect == Some(Defect::TermIgnored) { 0 } else { after.highest_term };
    let views = world.views(0);
    let facts = views[usize::from(index)].facts()?;
    let server = &mut after.servers[usize::from(index)];
    let term = match term_step(facts.term.as_ref(), &facts.identity, seen.into()) {
        TermStep::Keep(number) => number,
        TermStep::LeftBehind(_) => return None,
        TermStep::Adopt(number) => {
            server.commit(Transaction::Term { number: u8::try_from(number).unwrap(), server: index });
            number
        }
    };
    let cursors = [0, 1, 2].map(|stream| server.cursor(stream));
    let kept = (defect == Some(Defect::ChannelIdsOutliveConnection)).then_some(world.old_channel_ids);
    let channel_ids = kept.filter(|ids| *ids != [0; 2]).unwrap_or_else(|| server.channel_ids());
    let own = Term { number: term, server: facts.identity.clone() };
    let here = (0..).zip(cursors).map(|(stream, cursor)| (stream, cursor.into())).collect();
    if ahead(&views, index.into(), Some(&own), &here).is_some() {
        return None;
    }
    let term = u8::try_from(term).unwrap();
    after.highest_term = after.highest_term.max(term);
    after.streams.iter_mut().zip(cursors).for_each(|(stream, cursor)| stream.end = stream.end.max(cursor));
    after.connection = Some(Connection { server: index, term, cursors, channel_ids });
    Some(after)
}

/// The next thing to write over the connection, as `Backlog::next_batch`, one number at a time.
pub fn next_batch(world: &World, defect: Option<Defect>) -> Option<Transaction> {
    let connection = world.connection.as_ref()?;
    (0u8..).zip(&world.streams).zip(connection.cursors).find_map(|((stream, kept), before)| {
        let queued = if kept.visible > kept.trimmed { kept.visible } else { 0 };
        let is_current = stream == world.current;
        let remembered = if defect == Some(Defect::EndsForgotten) { 0 } else { kept.end };
        let end = if is_current { queued } else { remembered.max(queued) };
        let first = before + 1;
        let origin = connection.server;
        let gap = |last| Transaction::Batch { origin, stream, first, last, row: None, cursor: true };
        if before >= end {
            None
        } else if before < queued && before < kept.trimmed {
            Some(gap(kept.trimmed))
        } else if before < queued {
            let row = row(kept.readings[usize::from(before)], connection.channel_ids);
            Some(Transaction::Batch { origin, stream, first, last: first, row: Some(row), cursor: true })
        } else {
            (!is_current).then(|| gap(end))
        }
    })
}

fn row(reading: u8, ids: [u8; 2]) -> Row {
    match ids[channel_of(reading)] {
        0 => Row { reading, channel_id: ids[0].max(ids[1]) + 1, makes_channel: true },
        channel_id => Row { reading, channel_id, makes_channel: false },
    }
}

/// Writes the next batch: it is answered; or its outcome is unknown, and it did happen, or may happen later.
fn write(world: &World, bounds: &Bounds, next: &mut Successors) {
    let Some(batch @ Transaction::Batch { origin, stream, first, last, row, .. }) = next_batch(world, bounds.defect)
    else {
        return;
    };
    let Some(connection) = &world.connection else { return };
    let index = usize::from(connection.server);
    let server = &world.servers[index];
    let is_blind = bounds.defect == Some(Defect::CursorSetBlindly);
    let is_there = is_blind || server.cursor(stream) == first - 1;
    if !server.up || !server.writable || server.pending.is_some() || !is_there {
        return;
    }
    let apart = bounds.defect == Some(Defect::CursorOutsideOfTransaction);
    let rows = Transaction::Batch { origin, stream, first, last, row, cursor: !apart };
    let mut written = world.clone();
    written.servers[index].commit(rows);
    let mut answered = written.clone();
    if apart {
        answered.servers[index].commit(Transaction::Cursor { stream, last });
    }
    answered.answer(stream, last, row);
    if bounds.defect == Some(Defect::ChannelIdsOutliveConnection) {
        answered.old_channel_ids = answered.connection.as_ref().map_or([0; 2], |open| open.channel_ids);
    }
    next.push((Step::Write, answered));
    if world.failures < bounds.failures {
        written.lose_connection();
        next.push((Step::WriteAnswerLost, written));
        let mut timed_out = world.clone();
        timed_out.servers[index].pending = Some(batch);
        timed_out.lose_connection();
        next.push((Step::WriteTimesOut, timed_out));
    }
}

impl World {
    fn answer(&mut self, stream: u8, last: u8, row: Option<Row>) {
        let Some(connection) = &mut self.connection else { return };
        connection.cursors[usize::from(stream)] = last;
        if let Some(row) = row.filter(|row| row.makes_channel) {
            connection.channel_ids[channel_of(row.reading)] = row.channel_id;
        }
    }

    fn lose_connection(&mut self) {
        self.failures += 1;
        self.connection = None;
    }
}

/// What may leave the queue leaves it; never the newest reading of the stream that is being written.
fn trim(world: &World, bounds: &Bounds) -> Option<World> {
    let connection = world.connection.as_ref()?;
    let source = usize::from(connection.server);
    let mut views = world.views(0);
    if bounds.defect == Some(Defect::CountsOtherTerms) {
        let term = views[source].facts()?.term.clone();
        change(&mut views, |facts| facts.term = term.clone());
    }
    let is_blind = bounds.defect == Some(Defect::LeavesWithoutReplicas);
    let keep_until = if is_blind { KeepUntil::Count(0) } else { bounds.keep_until };
    let mut after = world.clone();
    for (stream, cursor) in (0u8..).zip(connection.cursors) {
        let through = may_leave(stream.into(), cursor.into(), source, &views, keep_until);
        let kept = &mut after.streams[usize::from(stream)];
        let most = if stream == world.current { kept.visible.saturating_sub(1) } else { kept.visible };
        kept.trimmed = kept.trimmed.max(u8::try_from(through).unwrap().min(most));
    }
    (after != *world).then_some(after)
}

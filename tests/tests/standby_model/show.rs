//! A state in words, for the report of a sequence that fails.

use super::database::{Row, Server};
use super::world::{NAMES, SECOND_US, START_US, World};
use gateway::standby::span::Span;

pub fn show(world: &World) -> String {
    let gateways: String = (0..2).map(|by| gateway(world, by)).collect();
    let Server { holder, rows, .. } = &world.database.source;
    let rows: String = rows.iter().map(row).collect();
    format!("{gateways}\n    group's row {holder:?}; rows{rows}")
}

fn gateway(world: &World, by: usize) -> String {
    let own = &world.gateways[by];
    let queue: String =
        own.queue.iter().map(|queued| format!(" {}@{}", queued.reading, seconds(queued.at_us))).collect();
    let spans: String = world.database.source.spans[by].iter().map(|(stream, own)| span(*stream, own)).collect();
    let (name, life, role, term, kept) = (NAMES[by], own.life, own.role, own.term, &own.kept);
    format!("\n    {name}: {life:?} {role} {term}, queue{queue}, broker keeps {kept:?}{spans}")
}

fn span(stream: u8, span: &Span) -> String {
    let (from, to) = (seconds(span.from_us), seconds(span.to_us));
    let written = span.written_us.map(|(from, to)| (seconds(from), seconds(to)));
    let (filled, open, resumed) = (span.filled_to_us.map(seconds), span.is_open, span.is_resumed);
    format!("\n      stream {stream}: {from}..{to} written {written:?} filled {filled:?} open {open} resumed {resumed}")
}

fn row(row: &Row) -> String {
    let mark = if row.is_marked { " marked" } else { "" };
    format!(" {}@{} by {}{mark};", row.reading, seconds(row.at_us), NAMES[row.gateway])
}

fn seconds(us: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small numbers, to be read")]
    let seconds = (us - START_US) as f64 / SECOND_US as f64;
    seconds
}

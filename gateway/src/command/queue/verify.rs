//! `fieldgate queue verify`: is everything there and as it was written?

use super::Where;
use super::access::Looked;
use super::export::numbers;
use super::failure::Failure;
use super::progress::Progress;
use super::walk::{Met, Range, walk};
use crate::exit::Exit;
use crate::local::{Generation, QueueAccess, QueuedStream};
use crate::status::Delivered;
use serde::Serialize;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// How to show it.
#[derive(Debug, clap::Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    place: Where,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Found {
    /// Readings, gaps and dead letters that are whole.
    records: u64,
    /// Numbers that are not there and should be.
    missing: Vec<Range>,
    /// The numbers of damaged generations.
    damaged: Vec<u64>,
    /// What there is no right to read, in the system's words.
    unreadable: Vec<String>,
}

impl Found {
    fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty() && self.unreadable.is_empty()
    }
}

/// Reads everything; exit code 1 when something is missing or damaged.
pub fn verify(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let looked = Looked::open(&arguments.place)?;
    let mut found = match &looked.queue {
        QueueAccess::Running { .. } => walked(&looked)?,
        QueueAccess::Opened { reader, delivered } => {
            let progress = Progress::new("checking", Some(0));
            let verified = reader.verify(|done, all| progress.set(done, all))?;
            let holes = verified.missing.iter();
            let holes = holes.map(|hole| Range { stream: hole.stream, first: hole.first, last: hole.last }).collect();
            let missing = with_lost_ends(holes, &looked.queue.streams()?, delivered);
            Found { records: verified.records, missing, damaged: Vec::new(), unreadable: verified.unreadable }
        }
    };
    found.damaged = damaged(&looked.queue.stat(looked.max_bytes)?.generations);
    let text = if arguments.json { serde_json::to_string(&found).map_err(io::Error::from)? } else { text(&found) };
    writeln!(io::stdout(), "{text}")?;
    Ok(if found.is_clean() { Exit::Ok } else { Exit::No })
}

/// Everything that a running gateway shows; each frame is checked when it is read.
fn walked(looked: &Looked) -> io::Result<Found> {
    let streams = looked.queue.streams()?;
    let progress = Progress::new("checking", Some(numbers(&streams)));
    let mut found = Found::default();
    walk(&looked.queue, &streams, &mut |met| {
        match met {
            Met::Record(..) => {
                progress.add(1);
                found.records += 1;
            }
            Met::Missing(range) => found.missing.push(range),
            Met::Left(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// Adds the ends that streams are known to have had and that are neither here nor known to be in a source.
fn with_lost_ends(mut missing: Vec<Range>, streams: &[QueuedStream], delivered: &Delivered) -> Vec<Range> {
    for stream in streams {
        let in_source = delivered.get(&stream.stream).copied();
        // Of a stream that nobody remembers delivering, and of which nothing is left, nothing can be said.
        let here = stream.queued.map(|(_, last)| last).or(in_source).unwrap_or(stream.end);
        let first = here.max(in_source.unwrap_or(0)).saturating_add(1);
        let told = missing.iter().any(|range| range.stream == stream.stream && range.last >= stream.end);
        if first <= stream.end && !told {
            missing.push(Range { stream: stream.stream, first, last: stream.end });
        }
    }
    missing
}

fn damaged(generations: &[Generation]) -> Vec<u64> {
    generations.iter().filter(|one| one.damaged).map(|one| one.number).collect()
}

fn text(found: &Found) -> String {
    let mut lines: Vec<String> = found
        .missing
        .iter()
        .map(|Range { stream, first, last }| format!("missing   stream {stream}, {first} to {last}"))
        .collect();
    lines.extend(found.damaged.iter().map(|number| format!("damaged   generation {number}")));
    lines.extend(found.unreadable.iter().map(|why| format!("unread    {why}")));
    lines.push(format!("whole     {} readings, gaps and dead letters", found.records));
    lines.push(if found.is_clean() {
        "nothing is missing or damaged".to_owned()
    } else {
        "what is missing becomes rows of gaps when the gateway drains; nothing has to be repaired.\n\
         If this comes again, the card is failing: write what is here into a file on another disk with\n\
         `fieldgate queue export --output FILE`, change the card, and take it in again with `fieldgate queue import FILE`"
            .to_owned()
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::StreamId;

    fn stream(number: u64, end: u64, queued: Option<(u64, u64)>) -> QueuedStream {
        QueuedStream { stream: StreamId::from_u64(number).unwrap(), order: number, end, queued }
    }

    #[test]
    fn an_end_is_lost_when_it_is_neither_here_nor_in_a_source() {
        let streams = [
            stream(1, 9, Some((1, 9))),
            stream(2, 9, Some((1, 6))),
            stream(3, 9, None),
            stream(4, 9, None),
            stream(5, 9, None),
            stream(6, 9, Some((1, 6))),
        ];
        let id = |number| StreamId::from_u64(number).unwrap();
        let delivered = [(id(3), 9), (id(4), 5), (id(6), 9)].into();
        let missing = with_lost_ends(Vec::new(), &streams, &delivered);
        let shown: Vec<_> = missing.iter().map(|range| (range.stream.as_u64(), range.first, range.last)).collect();
        assert_eq!(shown, [(2, 7, 9), (4, 6, 9)]);
        let again = with_lost_ends(missing.clone(), &streams, &delivered);
        assert_eq!(again, missing, "none is told twice");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let range = Range { stream: StreamId::from_u64(7).unwrap(), first: 3, last: 4 };
        let found = Found { records: 8, missing: vec![range], damaged: vec![2], unreadable: Vec::new() };
        let said = text(&found);
        assert!(
            said.starts_with("missing   stream 0000000000000007, 3 to 4\ndamaged   generation 2\nwhole     8 readings")
        );
        assert!(said.contains("queue export") && !found.is_clean());
        assert!(Found::default().is_clean());
    }
}

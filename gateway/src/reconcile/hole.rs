//! A hole in the source: numbers below its cursor that are in no table of it. It is named once, with where its readings
//! still are and what fills it.

use super::numbers::{count, holes};
use super::stream::{Stream, finding};
use super::{Finding, Open, Wrong};
use crate::local::QueueAccess;
use queue::StreamId;
use std::io;

/// A hole in the source.
#[derive(Debug, Clone)]
pub struct Hole {
    /// Of this stream.
    pub stream: Stream,
    /// Its first number.
    pub first: u64,
    /// Its last number.
    pub last: u64,
    /// How many of its numbers the queue still has.
    kept: u64,
    /// Replicas that have some of it, and how many numbers.
    replicas: Vec<(String, u64)>,
}

impl Hole {
    /// Asks the queue what it still has of a hole.
    pub fn of(stream: &Stream, first: u64, last: u64, queue: &QueueAccess) -> io::Result<Self> {
        let mut kept = 0;
        if stream.queued.is_some_and(|(from, to)| from <= last && first <= to) {
            each_kept(queue, stream.id, first, last, |_| kept += 1)?;
        }
        Ok(Self { stream: stream.clone(), first, last, kept, replicas: Vec::new() })
    }

    /// Notes what of it a replica has, from the numbers that the replica lacks in a span.
    pub fn note_replica(&mut self, replica: &str, (from, to): (u64, u64), lacking: &[(u64, u64)]) {
        let (first, last) = (self.first.max(from), self.last.min(to));
        let has = count(&holes(first, last, &[], lacking));
        if has == 0 {
            return;
        }
        match self.replicas.iter_mut().find(|(name, _)| name == replica) {
            Some((_, known)) => *known += has,
            None => self.replicas.push((replica.to_owned(), has)),
        }
    }

    /// The finding. `filters` are the replication filters of the source.
    pub fn finding(&self, source: &Open, filters: &[String]) -> Finding {
        finding(Wrong::Lost, source, &self.stream, self.first, self.last, &self.words(filters))
    }

    fn words(&self, filters: &[String]) -> String {
        let all = count(&[(self.first, self.last)]);
        let mut words = "numbers below the cursor are in no table".to_owned();
        if !filters.is_empty() {
            words += &format!(" (this server leaves out what it replicates: {})", filters.join(", "));
        }
        words += &match self.kept {
            0 => ", and the queue does not have them any more".to_owned(),
            kept if kept == all => "; the queue has them all: `fieldgate db replay --holes` writes them".to_owned(),
            kept => format!("; the queue has {kept} of {all}: `fieldgate db replay --holes` writes those"),
        };
        for (replica, has) in &self.replicas {
            words += &format!(
                "; the replica {replica} has {has} of {all}, which replay leaves out, as the same rows from the source would stop its replication: make that one the source, or build it anew"
            );
        }
        if self.kept < all {
            words += "; `fieldgate db replay --holes --gaps` writes a gap for what the queue does not have";
        }
        words
    }
}

/// Shows every record of `first..=last` that the queue has, in order.
///
/// # Errors
/// As the queue says.
pub fn each_kept(
    queue: &QueueAccess,
    stream: StreamId,
    first: u64,
    last: u64,
    mut with: impl FnMut(queue::Numbered),
) -> io::Result<()> {
    let mut next = first;
    while next <= last {
        let items = queue.read(stream, next)?;
        let Some(end) = items.last().map(|item| item.seq) else { break };
        items.into_iter().filter(|item| (next..=last).contains(&item.seq)).for_each(&mut with);
        next = end.saturating_add(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(kept: u64) -> Hole {
        let stream = Stream { id: StreamId::from_u64(7).unwrap(), end: 0, queued: None };
        Hole { stream, first: 11, last: 20, kept, replicas: Vec::new() }
    }

    #[test]
    fn the_words_say_where_the_readings_are_and_what_to_do() {
        let text = hole(10).words(&[]);
        assert!(text.ends_with("the queue has them all: `fieldgate db replay --holes` writes them"), "{text}");
        let text = hole(4).words(&[]);
        assert!(text.contains("the queue has 4 of 10") && text.contains("--gaps"), "{text}");
        let text = hole(0).words(&["replicate_ignore_db = field".to_owned()]);
        assert!(text.contains("leaves out what it replicates: replicate_ignore_db = field"), "{text}");
        assert!(text.contains("does not have them any more") && text.contains("--gaps"), "{text}");
    }

    #[test]
    fn what_a_replica_has_is_counted_span_by_span() {
        let mut found = hole(0);
        found.note_replica("db2", (1, 15), &[(12, 13)]);
        found.note_replica("db2", (16, 30), &[(18, 30)]);
        found.note_replica("db3", (1, 30), &[(11, 20)]);
        assert_eq!(found.replicas, [("db2".to_owned(), 5)]);
        assert!(found.words(&[]).contains("the replica db2 has 5 of 10"));
    }
}

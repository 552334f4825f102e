//! What a queue owes: every reading whose append returned, unless it was to be trimmed.

use std::fmt;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use queue::StreamId;

use super::content::units_from;
use super::found::Found;

/// What the appender did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// An append returned: everything up to this number is durable.
    Appended,
    /// Everything up to this number, and every older stream, is trimmed next.
    Trimming,
}

/// One line of the appender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What it did.
    pub deed: Deed,
    /// In which stream.
    pub stream: StreamId,
    /// Up to which number.
    pub number: u64,
    /// How long the block log was then, in bytes; 0 without one.
    pub log_bytes: u64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deed = match self.deed {
            Deed::Appended => "appended",
            Deed::Trimming => "trimming",
        };
        write!(f, "{deed} {} {} {}", self.stream, self.number, self.log_bytes)
    }
}

/// A line that is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEvent;

impl FromStr for Event {
    type Err = NoEvent;

    fn from_str(line: &str) -> Result<Event, NoEvent> {
        let words: Vec<&str> = line.split(' ').collect();
        let [deed, stream, number, log_bytes] = words[..] else {
            return Err(NoEvent);
        };
        let deed = match deed {
            "appended" => Deed::Appended,
            "trimming" => Deed::Trimming,
            _ => return Err(NoEvent),
        };
        let stream = stream.parse().map_err(|_| NoEvent)?;
        let number = number.parse().map_err(|_| NoEvent)?;
        let log_bytes = log_bytes.parse().map_err(|_| NoEvent)?;
        Ok(Event { deed, stream, number, log_bytes })
    }
}

/// The events of a queue in their order, of one process after the other.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    events: Vec<Event>,
}

/// What a queue owes of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owed {
    stream: StreamId,
    numbers: RangeInclusive<u64>,
}

/// What became of the readings that were acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Acknowledged, and not to be trimmed.
    pub acknowledged: u64,
    /// Those of them that were not found.
    pub lost: u64,
    /// Those of them that were found.
    pub saved: u64,
}

impl Ledger {
    /// Adds what an appender has printed into a file. A line without an end was cut off and is not read.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn read(&mut self, file: &Path) {
        let text = fs::read(file).unwrap_or_else(|e| panic!("{} cannot be read: {e}", file.display()));
        let text = String::from_utf8_lossy(&text);
        let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        self.events.extend(whole.filter_map(|line| line.parse::<Event>().ok()));
    }

    /// What was said before the block log was longer than this.
    #[must_use]
    pub fn until(&self, log_bytes: u64) -> Ledger {
        Ledger { events: self.events.iter().filter(|event| event.log_bytes <= log_bytes).copied().collect() }
    }

    /// Streams in the order in which they began, each with what is owed of it.
    fn owed(&self) -> Vec<Owed> {
        let mut owed: Vec<Owed> = Vec::new();
        for event in &self.events {
            let known = owed.iter().position(|owed| owed.stream == event.stream);
            match (event.deed, known) {
                (Deed::Appended, Some(at)) => owed[at].numbers = *owed[at].numbers.start()..=event.number,
                (Deed::Appended, None) => owed.push(Owed { stream: event.stream, numbers: 1..=event.number }),
                (Deed::Trimming, Some(at)) => {
                    owed[at].numbers = event.number + 1..=*owed[at].numbers.end();
                    owed.drain(..at);
                }
                (Deed::Trimming, None) => {}
            }
        }
        owed
    }

    /// What became of the readings that were acknowledged.
    pub fn compare(&self, found: &Found) -> Outcome {
        let mut outcome = Outcome::default();
        for Owed { stream, numbers } in self.owed() {
            let (first, last) = numbers.into_inner();
            let within = |(from, to): &(u64, u64)| (last.min(*to) + 1).saturating_sub(first.max(*from));
            let owed = (last + 1).saturating_sub(first);
            let saved: u64 = found.spans(stream).iter().map(within).sum();
            outcome.acknowledged += owed;
            outcome.saved += saved;
            outcome.lost += owed - saved;
        }
        outcome
    }

    /// The units at the end of a stream that are there in part only: they were never acknowledged, but a unit is there
    /// whole or not at all. Trimming takes away whole frames, so the beginning is not looked at.
    pub fn partial_units(&self, found: &Found) -> Vec<String> {
        let last_span = found.streams.iter().filter_map(|found| Some((found.stream, *found.spans.last()?)));
        last_span.filter_map(|(stream, (_, last))| partial_unit(stream, last)).collect()
    }
}

fn partial_unit(stream: StreamId, last: u64) -> Option<String> {
    let unit = units_from(1).find(|unit| unit.contains(&last))?;
    (*unit.end() != last).then(|| format!("{stream} {last}: only a part of the unit {unit:?} is there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::found::FoundStream;

    fn stream(bits: u64) -> StreamId {
        StreamId::from_u64(bits).expect("not 0")
    }

    fn event(deed: Deed, bits: u64, number: u64, log_bytes: u64) -> Event {
        Event { deed, stream: stream(bits), number, log_bytes }
    }

    fn found(bits: u64, spans: &[(u64, u64)]) -> Found {
        Found { streams: vec![FoundStream { stream: stream(bits), spans: spans.to_vec() }], ..Found::default() }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        for event in [event(Deed::Appended, 0xab, 12, 0), event(Deed::Trimming, 1, 2, 3)] {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!("appended 00000000000000ab 12".parse::<Event>(), Err(NoEvent));
        assert_eq!("thread main panicked at".parse::<Event>(), Err(NoEvent));
    }

    #[test]
    fn a_line_that_was_cut_off_is_not_read() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "appended 00000000000000ab 12 0\nappended 00000000000000ab 1").expect("it is written");
        let mut ledger = Ledger::default();
        ledger.read(file.path());
        assert_eq!(ledger.events, [event(Deed::Appended, 0xab, 12, 0)]);
    }

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_lost() {
        let ledger = Ledger { events: vec![event(Deed::Appended, 1, 10, 0), event(Deed::Appended, 1, 20, 100)] };
        let compare = |ledger: &Ledger, spans| ledger.compare(&found(1, spans));
        assert_eq!(compare(&ledger, &[(1, 25)]), Outcome { acknowledged: 20, lost: 0, saved: 20 });
        assert_eq!(compare(&ledger, &[(1, 4), (6, 19)]), Outcome { acknowledged: 20, lost: 2, saved: 18 });
        assert_eq!(compare(&ledger.until(99), &[(2, 30)]), Outcome { acknowledged: 10, lost: 1, saved: 9 });
        assert_eq!(ledger.compare(&found(2, &[(1, 20)])).lost, 20);
    }

    #[test]
    fn what_was_to_be_trimmed_is_not_owed() {
        let mut events = vec![event(Deed::Appended, 1, 10, 0), event(Deed::Appended, 2, 10, 0)];
        events.push(event(Deed::Trimming, 2, 4, 0));
        let outcome = Ledger { events }.compare(&found(2, &[(1, 8)]));
        assert_eq!(outcome, Outcome { acknowledged: 6, lost: 2, saved: 4 });
    }

    #[test]
    fn a_part_of_a_unit_is_named() {
        let unit = units_from(1).find(|unit| unit.end() > unit.start()).expect("one of several readings");
        let partial = |last| Ledger::default().partial_units(&found(1, &[(1, last)])).len();
        assert_eq!((partial(*unit.end()), partial(*unit.start())), (0, 1));
    }
}

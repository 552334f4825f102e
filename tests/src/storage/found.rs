//! What an opening finds in a queue, in a form that another process can tell.

use std::path::Path;
use std::time::Instant;

use queue::{Kind, Numbered, Opened, QueueError, Reader, StreamId};
use serde::{Deserialize, Serialize};

use super::content::{body, group};

const BATCH_READINGS: usize = 1000;
const BATCH_BYTES: usize = 1 << 20;
/// Readings appended after each opening.
const APPENDED: u64 = 5;

/// What an opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How long opening took.
    pub opened_in_ms: u64,
    /// Every stream with readings, oldest first.
    pub streams: Vec<FoundStream>,
    /// What no damage may do: readings with another content, twice, or out of order; appended ones that are gone.
    pub wrong: Vec<String>,
    /// What was appended then, and was still there at another opening: the stream and its last number.
    pub appended: Option<(StreamId, u64)>,
}

/// The readings found of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundStream {
    /// The stream.
    pub stream: StreamId,
    /// First and last number of each span without a hole, ascending.
    pub spans: Vec<(u64, u64)>,
}

/// Opens the queue and reads all of it.
///
/// # Errors
/// Those of the queue.
pub fn read_all(folder: &Path) -> Result<Found, QueueError> {
    // Not closed, as a full disk may have no room for what closing writes; what was read is there all the same.
    Ok(open_and_read(folder)?.0)
}

/// Opens the queue, reads all of it, appends, and opens it again to see whether that stayed.
///
/// # Errors
/// Those of the queue.
pub fn read_and_append(folder: &Path) -> Result<Found, QueueError> {
    let (mut found, mut opened) = open_and_read(folder)?;
    let stream = opened.stream;
    let appended = opened.writer.append(&group(stream, 1, APPENDED), 0)?;
    opened.writer.close()?;
    drop(opened.reader);
    // What was there before has been read; only what is new can surprise.
    let opened = queue::open(folder)?;
    let mut again = Found::default();
    again.read(&opened.reader, stream)?;
    opened.writer.close()?;
    found.wrong.append(&mut again.wrong);
    if again.spans(stream) != [(1, appended.last)] {
        found.wrong.push(format!("{stream}: the {} readings appended after opening are gone", appended.last));
    }
    found.appended = Some((stream, appended.last));
    Ok(found)
}

fn open_and_read(folder: &Path) -> Result<(Found, Opened), QueueError> {
    let began = Instant::now();
    let opened = queue::open(folder)?;
    let opened_in_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut found = Found { opened_in_ms, ..Found::default() };
    let spans = opened.reader.spans();
    if !spans.windows(2).all(|pair| pair[0].order < pair[1].order) {
        found.wrong.push(format!("the streams are not in order: {spans:?}"));
    }
    for span in spans {
        found.read(&opened.reader, span.stream)?;
    }
    Ok((found, opened))
}

impl Found {
    fn read(&mut self, reader: &Reader, stream: StreamId) -> Result<(), QueueError> {
        let mut spans: Vec<(u64, u64)> = Vec::new();
        loop {
            let from = spans.last().map_or(1, |(_, last)| last + 1);
            let batch = reader.read(stream, from, BATCH_READINGS, BATCH_BYTES)?;
            if batch.is_empty() {
                break;
            }
            for reading in batch {
                self.take(stream, &reading, &mut spans);
            }
        }
        self.streams.push(FoundStream { stream, spans });
        Ok(())
    }

    fn take(&mut self, stream: StreamId, reading: &Numbered, spans: &mut Vec<(u64, u64)>) {
        let number = reading.seq;
        if reading.record.kind != Kind::READING || reading.record.body != body(stream, number) {
            self.wrong.push(format!("{stream} {number}: has another content"));
        }
        match spans.last_mut() {
            Some((_, last)) if number == *last + 1 => *last = number,
            Some((_, last)) if number <= *last => {
                self.wrong.push(format!("{stream} {number}: comes after {last}"));
                // So that reading goes on to an end.
                *last += 1;
            }
            _ => spans.push((number, number)),
        }
    }

    /// The spans found of a stream.
    pub fn spans(&self, stream: StreamId) -> &[(u64, u64)] {
        self.streams.iter().find(|found| found.stream == stream).map_or(&[], |found| &found.spans)
    }

    /// Whether a reading was found.
    pub fn has(&self, stream: StreamId, number: u64) -> bool {
        let spans = self.spans(stream);
        let next = spans.partition_point(|(_, last)| *last < number);
        spans.get(next).is_some_and(|(first, _)| *first <= number)
    }

    /// How many readings were found.
    pub fn count(&self) -> u64 {
        self.streams.iter().flat_map(|found| &found.spans).map(|(first, last)| last - first + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::Record;

    fn reading(stream: StreamId, seq: u64, said: u64) -> Numbered {
        Numbered { seq, written_ms: 0, record: Record { kind: Kind::READING, body: body(stream, said) } }
    }

    fn taken(numbers: &[(u64, u64)]) -> Found {
        let stream = StreamId::from_u64(1).expect("not 0");
        let (mut found, mut spans) = (Found::default(), Vec::new());
        for (seq, said) in numbers {
            found.take(stream, &reading(stream, *seq, *said), &mut spans);
        }
        found.streams.push(FoundStream { stream, spans });
        found
    }

    #[test]
    fn holes_are_between_spans() {
        let found = taken(&[(1, 1), (2, 2), (5, 5)]);
        assert_eq!((found.streams[0].spans.as_slice(), found.count()), ([(1, 2), (5, 5)].as_slice(), 3));
        let held = (1..=6).filter(|number| found.has(found.streams[0].stream, *number));
        assert_eq!(held.collect::<Vec<_>>(), [1, 2, 5]);
        assert!(found.wrong.is_empty());
    }

    #[test]
    fn another_content_and_a_double_are_wrong() {
        assert!(taken(&[(1, 2)]).wrong[0].ends_with("1: has another content"));
        assert!(taken(&[(1, 1), (1, 1)]).wrong[0].ends_with("1: comes after 1"));
    }
}

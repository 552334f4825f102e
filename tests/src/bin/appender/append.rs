//! Appends, trims, and tells.

use fieldgate_tests::storage::content::group;
use fieldgate_tests::storage::ledger::{Deed, Event};
use queue::{Opened, QueueError, Span, StreamId};

use crate::Appending;

/// It trims after so many appends.
const TRIM_EVERY: u64 = 25;

pub fn run(appending: &Appending) -> Result<(), QueueError> {
    let mut opened = queue::open(&appending.queue)?;
    let stream = opened.stream;
    let mut next = 1;
    for turn in 1.. {
        // Every size from 1 on comes in turn, as a group's size decides what shares a frame and a page.
        let readings = 1 + (turn * 7) % appending.group;
        let appended = opened.writer.append(&group(stream, next, readings), 0)?;
        assert_eq!(appended.first, next, "the numbers of a stream follow each other");
        next = appended.last + 1;
        tell(appending, Deed::Appended, stream, appended.last);
        if appending.count.is_some_and(|count| appended.last >= count) {
            break;
        }
        if let Some(keep) = appending.keep.filter(|_| turn % TRIM_EVERY == 0) {
            trim(appending, &mut opened, keep)?;
        }
    }
    opened.writer.close()
}

fn trim(appending: &Appending, opened: &mut Opened, keep: u64) -> Result<(), QueueError> {
    if let Some((stream, through)) = trim_through(&opened.reader.spans(), keep) {
        tell(appending, Deed::Trimming, stream, through);
        opened.writer.trim(stream, through)?;
    }
    Ok(())
}

/// Where to trim so that the newest readings stay, this many.
fn trim_through(spans: &[Span], keep: u64) -> Option<(StreamId, u64)> {
    let mut left = keep;
    for span in spans.iter().rev() {
        let held = span.last - span.first + 1;
        if held > left {
            return Some((span.stream, span.last - left));
        }
        left -= held;
    }
    None
}

fn tell(appending: &Appending, deed: Deed, stream: StreamId, number: u64) {
    let length = |file| std::fs::metadata(file).expect("the block log is there").len();
    let log_bytes = appending.block_log.as_ref().map_or(0, length);
    println!("{}", Event { deed, stream, number, log_bytes });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let stream = |bits| StreamId::from_u64(bits).expect("not 0");
        let span = |bits, first, last| Span { stream: stream(bits), order: bits, first, last };
        let spans = [span(1, 1, 10), span(2, 5, 10)];
        assert_eq!(trim_through(&spans, 4), Some((stream(2), 6)));
        assert_eq!(trim_through(&spans, 6), Some((stream(1), 10)));
        assert_eq!(trim_through(&spans, 16), None);
    }
}

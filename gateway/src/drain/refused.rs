//! What to do when the database refuses a batch: for what is in a row, with an error that no table knows and that comes
//! again and again, or since it is more than the server takes at once. Half of it, again and again, until the one row is
//! found; then that row in another form. Pure.
//!
//! As long as refusals go on the batches stay small, so that a channel of which every reading is refused costs two
//! transactions a reading; each batch that goes through beyond the doubtful rows doubles the next one.

use super::aside::Form;
use super::plan::Batch;
use crate::database::{Class, DbError};
use queue::StreamId;
use std::collections::BTreeMap;

/// So many times the same error that says nothing of rows may come back for the same rows before they are suspected.
const TRIES: u32 = 5;
/// Batches of this many rows are as good as whole.
const ROWS_WITHOUT_DOUBT: usize = 1000;

/// How to go on after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once, with less, or with the first row in another form.
    Again,
    /// Later: less would not help.
    Wait,
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    Server,
    Size,
    Row,
}

/// A stream whose rows were refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Doubt {
    cursor: u64,
    /// Rows that the next batch may have.
    most: usize,
    /// A refused batch reached to here: somewhere up to it is a row that will be refused.
    through: u64,
    /// How the next row travels.
    form: Form,
}

/// An error that says nothing of rows, and how often it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unclear {
    stream: StreamId,
    cursor: u64,
    code: Option<u16>,
    times: u32,
}

/// What has been refused, and what follows for the next batch.
#[derive(Debug, Default)]
pub struct Refusals {
    doubts: BTreeMap<StreamId, Doubt>,
    unclear: Option<Unclear>,
    /// What was taken from the queue and is tried part by part.
    held: Option<Batch>,
}

impl Refusals {
    /// The next part of what is being tried part by part, if it goes on from the cursor of its stream. It waits while
    /// another stream is to go `first`.
    pub fn go_on(&mut self, first: Option<StreamId>, cursor: impl Fn(StreamId) -> Option<u64>) -> Option<Batch> {
        let mut held = self.held.take_if(|held| first.is_none_or(|first| first == held.stream))?;
        held.go_on_from(cursor(held.stream)?).then(|| self.prepare(held))
    }

    /// As much of the batch as is to be tried next, and in which form. The rest is kept for [`Refusals::go_on`].
    pub fn prepare(&mut self, batch: Batch) -> Batch {
        let Some(doubt) = self.doubts.get_mut(&batch.stream) else { return batch };
        let cursor = batch.first.saturating_sub(1);
        if doubt.cursor != cursor {
            // Another server, or the same one restored: what was refused may not be refused there.
            *doubt = Doubt { cursor, most: doubt.most, ..Doubt::default() };
        }
        let mut part = batch.first_rows(doubt.rows(&batch));
        part.reshape(&doubt.form);
        self.held = Some(batch);
        part
    }

    /// The batch was written. True if that was in another form than what it was.
    pub fn went_well(&mut self, batch: &Batch) -> bool {
        let is_unclear = self.unclear.as_ref().is_some_and(|unclear| unclear.stream == batch.stream);
        let Some(doubt) = self.doubts.get_mut(&batch.stream) else {
            // What another stream brought in between says nothing of the rows that an error keeps coming back for.
            self.unclear.take_if(|_| is_unclear);
            return false;
        };
        doubt.cursor = batch.last;
        let in_another_form = std::mem::take(&mut doubt.form) != Form::Plain;
        if !in_another_form && batch.last >= doubt.through {
            self.unclear.take_if(|_| is_unclear);
            doubt.most = doubt.most.saturating_mul(2);
        }
        if doubt.most >= ROWS_WITHOUT_DOUBT {
            self.doubts.remove(&batch.stream);
        }
        in_another_form
    }

    /// The batch was not written. What it was is exactly what [`Refusals::prepare`] gave.
    pub fn refused(&mut self, batch: &Batch, error: &DbError) -> Next {
        let rows = batch.ends().len();
        match (self.blame(batch, error), rows) {
            (Blame::Server, _) | (Blame::Size, ..=1) | (Blame::Row, 0) => Next::Wait,
            (Blame::Row, 1) => self.next_form(batch, error),
            (_, rows) => {
                let doubt = self.doubts.entry(batch.stream).or_default();
                (doubt.cursor, doubt.most, doubt.through) = (batch.first.saturating_sub(1), rows / 2, batch.last);
                Next::Again
            }
        }
    }

    /// Forms are tried from the best to the least. What is refused in each of them is no longer about the row.
    fn next_form(&mut self, batch: &Batch, error: &DbError) -> Next {
        let doubt = self.doubts.entry(batch.stream).or_default();
        // It is this row, so the rows behind it are no longer suspected.
        (doubt.cursor, doubt.most, doubt.through) = (batch.first.saturating_sub(1), 1, batch.last);
        let words = error.words.clone();
        doubt.form = match (&doubt.form, &error.route) {
            (Form::Plain, Some(route)) => Form::Unrouted(vec![(route.clone(), words)]),
            (Form::Unrouted(known), Some(route)) if known.iter().all(|(name, _)| name != route) => {
                Form::Unrouted(known.iter().cloned().chain([(route.clone(), words)]).collect())
            }
            (Form::Plain | Form::Unrouted(_), None) if !batch.readings.is_empty() => Form::Letter(words),
            (Form::Plain | Form::Letter(_), None) if error.class == Class::Data => Form::Gap(words),
            // Without a word of data, a server that refuses the dead letter too would refuse anything.
            _ => Form::Plain,
        };
        if doubt.form == Form::Plain { Next::Wait } else { Next::Again }
    }

    fn blame(&mut self, batch: &Batch, error: &DbError) -> Blame {
        match error.class {
            Class::Data => Blame::Row,
            Class::TooLarge => Blame::Size,
            // A packet that is too large may also appear as a connection that was reset.
            Class::Away if self.times(batch, error) >= TRIES => Blame::Size,
            Class::Unknown if self.times(batch, error) >= TRIES => Blame::Row,
            _ => Blame::Server,
        }
    }

    fn times(&mut self, batch: &Batch, error: &DbError) -> u32 {
        let (stream, cursor) = (batch.stream, batch.first.saturating_sub(1));
        let is_searching = self.doubts.get(&stream).is_some_and(|doubt| cursor < doubt.through);
        let is_same = |known: &Unclear| {
            known.stream == stream && known.code == error.code && (known.cursor == cursor || is_searching)
        };
        let before = self.unclear.as_ref().filter(|known| is_same(known)).map_or(0, |known| known.times);
        let times = before.saturating_add(1);
        self.unclear = Some(Unclear { stream, cursor, code: error.code, times });
        times
    }
}

impl Doubt {
    /// Of rows among which one will be refused, half; else as many as went well before.
    fn rows(&self, batch: &Batch) -> usize {
        if self.form != Form::Plain {
            return 1;
        }
        match batch.ends().iter().filter(|end| **end <= self.through).count() {
            0 => self.most.max(1),
            doubtful => self.most.min(doubtful.div_ceil(2)).max(1),
        }
    }
}

#[cfg(test)]
mod tests;

//! Whether another machine runs under this gateway's id, as a copied card does: decided over two looks at the streams of this id.
//!
//! A stream that is not in this queue and whose row moves is written by somebody else. That is another machine of this id, or
//! another gateway that has imported such a stream from a card. An import moves the cursor and never the time alone, and what it
//! brings was sampled before; so either the time alone has moved, or the newest reading must be younger than this run.

use crate::database::{Cell, DbError, Session};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The streams that moved last, by their own clocks; a gateway has one for each of its starts.
const MOST_STREAMS: usize = 256;
/// So long nothing must move until it is taken for over.
const QUIET: Duration = Duration::from_secs(300);

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its cursor.
    pub last_seq: u64,
    /// When its row was last written, by the clock of who wrote it, microseconds since 1970.
    pub updated_us: i64,
}

/// The streams of one gateway id.
pub type Look = BTreeMap<u64, Place>;

/// How the row of a stream moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The time alone: a gateway runs, and this is its stream.
    Alive,
    /// The cursor too, or the row is new: somebody brings its readings.
    Written,
}

/// The streams that are not ours and have moved on between two looks.
pub fn moved(before: &Look, now: &Look, is_ours: impl Fn(u64) -> bool) -> Vec<(u64, Moved)> {
    let others = now.iter().filter(|(stream, _)| !is_ours(**stream));
    let how = |stream: &u64, now: &Place| match before.get(stream) {
        Some(before) if now.updated_us <= before.updated_us => None,
        Some(before) if now.last_seq == before.last_seq => Some(Moved::Alive),
        Some(before) if now.last_seq < before.last_seq => None,
        _ => Some(Moved::Written),
    };
    others.filter_map(|(stream, place)| Some((*stream, how(stream, place)?))).collect()
}

/// The newest stream of this id, where it is not in this queue and everything that is in it is older: this queue is not the one
/// that this gateway had last. Of a run that heard nothing the queue keeps nothing either.
pub fn newest_elsewhere(look: &Look, current: u64, is_ours: impl Fn(u64) -> bool) -> Option<(u64, i64)> {
    let earlier = look.iter().filter(|(stream, place)| **stream != current && place.last_seq > 0);
    let (stream, place) = earlier.max_by_key(|(_, place)| place.updated_us)?;
    (!is_ours(*stream)).then_some((*stream, place.updated_us))
}

/// What was seen, over all connections of a run.
#[derive(Debug, Default)]
pub struct Twin {
    /// On which server, and what was there.
    before: Option<(usize, Look)>,
    seen_at: Option<Instant>,
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Another machine writes this stream.
    Begins(u64),
    /// For a while nobody has.
    IsOver,
}

impl Twin {
    /// Keeps a look at a server, and gives what has moved since the one before; none at the first. Of another server than
    /// before nothing is said: it may only have more of what nobody writes any more.
    pub fn compare(&mut self, server: usize, now: Look, is_ours: impl Fn(u64) -> bool) -> Option<Vec<(u64, Moved)>> {
        let found = self.before.as_ref().map(|(at, before)| match *at == server {
            true => moved(before, &now, is_ours),
            false => Vec::new(),
        });
        self.before = Some((server, now));
        found
    }

    /// Notes whether another machine was seen at this look; gives what is new.
    pub fn note(&mut self, seen: Option<u64>, now: Instant) -> Option<News> {
        match (seen, self.seen_at) {
            (Some(stream), before) => {
                self.seen_at = Some(now);
                before.is_none().then_some(News::Begins(stream))
            }
            (None, Some(at)) if now.duration_since(at) >= QUIET => {
                self.seen_at = None;
                Some(News::IsOver)
            }
            (None, _) => None,
        }
    }
}

/// The streams of a gateway id that moved last.
///
/// # Errors
/// [`DbError`].
pub async fn look(session: &mut Session, gateway: &str) -> Result<Look, DbError> {
    let sql = format!(
        "SELECT stream, last_seq, updated_at FROM streams WHERE gateway = ? ORDER BY updated_at DESC LIMIT {MOST_STREAMS}"
    );
    let rows = session.ask_with(&sql, vec![Cell::text(gateway)]).await?;
    let place = |row: &crate::database::Row| {
        let [stream, last_seq, updated_at] = row.as_slice() else { return None };
        let place = Place { last_seq: last_seq.as_u64()?, updated_us: updated_at.as_time_us()? };
        Some((stream.as_u64()?, place))
    };
    Ok(rows.iter().filter_map(place).collect())
}

/// The first of these streams that another machine of this id writes now, which was sampled since then.
///
/// # Errors
/// [`DbError`].
pub async fn living(session: &mut Session, moved: &[(u64, Moved)], since_us: i64) -> Result<Option<u64>, DbError> {
    for (stream, how) in moved {
        if *how == Moved::Alive || newest_us(session, *stream).await?.is_some_and(|us| us > since_us) {
            return Ok(Some(*stream));
        }
    }
    Ok(None)
}

async fn newest_us(session: &mut Session, stream: u64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT sampled_at FROM readings WHERE stream = ? ORDER BY seq DESC LIMIT 1";
    let rows = session.ask_with(sql, vec![Cell::UInt(stream)]).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_time_us()))
}

#[cfg(test)]
mod tests;

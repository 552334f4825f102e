//! A dead letter as it stands in the database.

use super::Which;
use crate::database::{Cell, DbError, Session};
use crate::drain::plan::FROM_QUEUE;
use queue::StreamId;
use sensors::Reading;

/// Letters read at a time.
pub const PAGE: u32 = 100;

/// One row of `dead_letters`.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Its stream.
    pub stream: StreamId,
    /// Its number there.
    pub seq: u64,
    /// The gateway that made the stream.
    pub gateway: String,
    /// Where it came from.
    pub origin: String,
    /// Why it is here.
    pub reason: String,
    /// What the server said, if it got that far.
    pub server_words: Option<String>,
    /// Its bytes, or the first of them.
    pub bytes: Vec<u8>,
    /// The length of the whole.
    pub length: u64,
    /// When it arrived, microseconds since 1970.
    pub arrived_us: Option<i64>,
    /// `new`, `retried` or [`LEFT_OUT`].
    pub state: String,
    /// The route that refused a row, while the reading itself is stored; else empty.
    pub route: String,
}

/// Stream, number and route: the order of letters.
pub type Place = (u64, u64, String);

/// Why a letter cannot be retried.
pub const NEEDS_DECODER: &str =
    "it is no reading but a payload as it came, and would need its decoder: have it sent again, or drop it";

/// The state of one whose reading the other gateway has brought.
pub const LEFT_OUT: &str = "left out";

impl Letter {
    /// The reading that was refused; none when the letter is a payload that never became one. A record that an older
    /// version could not read is a reading as soon as this version can.
    pub fn reading(&self) -> Option<Reading> {
        let is_record = self.server_words.is_some() || self.origin == FROM_QUEUE;
        let is_whole = u64::try_from(self.bytes.len()) == Ok(self.length);
        (is_record && is_whole).then(|| Reading::from_bytes(&self.bytes).ok()).flatten()
    }

    /// Where it stands among others.
    pub fn place(&self) -> Place {
        (self.stream.as_u64(), self.seq, self.route.clone())
    }

    /// Nobody has dealt with it yet.
    pub fn is_new(&self) -> bool {
        self.state == "new"
    }

    /// Stream and number, as they are given on the command line.
    pub fn name(&self) -> String {
        let route = if self.route.is_empty() { String::new() } else { format!(" route {}", self.route) };
        format!("stream {} number {}{route}", self.stream, self.seq)
    }

    /// What the server said, or what was wrong before it got there.
    pub fn why(&self) -> &str {
        self.server_words.as_deref().unwrap_or(&self.reason)
    }

    fn from_row(row: &[Cell]) -> Option<Self> {
        let [stream, seq, gateway, origin, reason, words, bytes, length, arrived, state, route] = row else {
            return None;
        };
        let bytes = if let Cell::Bytes(bytes) = bytes { bytes.clone() } else { Vec::new() };
        let arrived_us = if let Cell::TimeUs(us) = arrived { Some(*us) } else { None };
        Some(Self {
            stream: StreamId::from_u64(stream.as_u64()?)?,
            seq: seq.as_u64()?,
            gateway: gateway.as_text()?,
            origin: origin.as_text()?,
            reason: reason.as_text()?,
            server_words: words.as_text(),
            bytes,
            length: length.as_u64()?,
            arrived_us,
            state: state.as_text()?,
            route: route.as_text()?,
        })
    }
}

/// The next letters of a site behind a place, in order of stream and number; with `retried`, also those that have been
/// dealt with.
pub async fn page(
    session: &mut Session,
    site: &str,
    which: &Which,
    retried: bool,
    behind: &Place,
    limit: u32,
) -> Result<Vec<Letter>, DbError> {
    let mut sql = "SELECT d.stream, d.seq, s.gateway, d.origin, d.reason, d.server_words, d.bytes, d.length, d.arrived_at, d.state, d.route \
                   FROM dead_letters d JOIN streams s ON s.stream = d.stream \
                   WHERE s.site = ? AND (d.stream, d.seq, d.route) > (?, ?, ?)"
        .to_owned();
    let mut values = vec![Cell::text(site), Cell::UInt(behind.0), Cell::UInt(behind.1), Cell::text(&behind.2)];
    if !retried {
        sql.push_str(" AND d.state = 'new'");
    }
    if let Some(stream) = which.stream {
        sql.push_str(" AND d.stream = ?");
        values.push(Cell::UInt(stream.as_u64()));
    }
    if let Some(seq) = which.seq {
        sql.push_str(" AND d.seq = ?");
        values.push(Cell::UInt(seq));
    }
    sql.push_str(&format!(" ORDER BY d.stream, d.seq, d.route LIMIT {limit}"));
    let rows = session.ask_with(&sql, values).await?;
    Ok(rows.iter().filter_map(|row| Letter::from_row(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensors::{ClockQuality, Stamp, Value};

    fn letter(origin: &str, words: Option<&str>) -> (Letter, Reading) {
        let reading = Reading {
            node: "shed".to_owned().try_into().unwrap(),
            channel: "t".to_owned().try_into().unwrap(),
            unit: None,
            value: Ok(Value::Float(0.1)),
            raw: Some(-0.5),
            stamp: Stamp { boot: 3, boottime_us: 5, wall_us: 7, quality: ClockQuality::Synced, error_us: Some(1) },
            node_seq: Some(-9),
            node_time_us: Some(8),
        };
        let bytes = reading.to_bytes().unwrap();
        let letter = Letter {
            stream: StreamId::from_u64(7).unwrap(),
            seq: 1,
            gateway: "g1".to_owned(),
            origin: origin.to_owned(),
            reason: "refused".to_owned(),
            server_words: words.map(str::to_owned),
            length: u64::try_from(bytes.len()).unwrap(),
            bytes,
            arrived_us: Some(7),
            state: "new".to_owned(),
            route: String::new(),
        };
        (letter, reading)
    }

    #[test]
    fn a_refused_reading_is_itself_again() {
        let (refused, reading) = letter("shed/t", Some("no"));
        assert_eq!(refused.reading(), Some(reading.clone()));
        let (undecodable_once, _) = letter("queue", None);
        assert_eq!(undecodable_once.reading(), Some(reading));
    }

    #[test]
    fn a_payload_is_no_reading_whatever_its_bytes_look_like() {
        assert_eq!(letter("plants/shed", None).0.reading(), None);
        let (mut cut, _) = letter("shed/t", Some("no"));
        cut.length += 1;
        assert_eq!(cut.reading(), None, "its end is missing");
        cut.bytes = vec![1];
        cut.length = 1;
        assert_eq!(cut.reading(), None);
    }
}

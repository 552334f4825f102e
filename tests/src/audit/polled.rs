//! The audit of a node that the gateway asks by itself. It numbers nothing and keeps no log, so only the times of its rows
//! can be looked at: two rows of one moment are a double, and a long pause is a loss.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::mariadb::Server;

/// Longer than this no channel may be silent while the gateway runs.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// What was found. Shown as `800 rows of 3 channels, doubled 0, longest pause 0.24 s while the gateway ran`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolledAudit {
    /// Rows with a value.
    pub rows: usize,
    /// Channels that were looked for.
    pub channels: usize,
    /// Rows of a moment that the same channel has a row for.
    pub doubled: usize,
    /// The longest time without a row in any channel, not counting while the gateway was away.
    pub longest_pause: Duration,
}

/// The times that an audit is about, microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Watched {
    /// When rows were due.
    pub all: Range<i64>,
    /// The part of it in which no gateway ran.
    pub away: Range<i64>,
}

impl PolledAudit {
    /// Audits a node's rows on this server.
    ///
    /// # Panics
    /// When the tables are not there or look otherwise.
    pub fn take(server: &Server, node: &str, channels: &[&str], watched: &Watched) -> Self {
        let mut audit = Self { channels: channels.len(), ..Self::default() };
        for channel in channels {
            audit.add(&times(server, node, channel), watched);
        }
        audit
    }

    /// True if nothing is doubled and no channel was silent for too long.
    pub fn is_clean(&self) -> bool {
        self.doubled == 0 && self.longest_pause <= MOST_PAUSE
    }

    /// One channel's times, in order.
    fn add(&mut self, times: &[i64], watched: &Watched) {
        self.rows += times.len();
        self.doubled += times.windows(2).filter(|pair| pair[0] == pair[1]).count();
        self.longest_pause = self.longest_pause.max(longest_pause(times, watched));
    }
}

impl fmt::Display for PolledAudit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, channels, doubled, longest_pause } = self;
        let seconds = longest_pause.as_secs_f64();
        write!(formatter, "{rows} rows of {channels} channels, doubled {doubled}, ")?;
        write!(formatter, "longest pause {seconds:.2} s while the gateway ran")
    }
}

/// The times of a channel's rows that have a value.
fn times(server: &Server, node: &str, channel: &str) -> Vec<i64> {
    let sql = format!(
        "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', r.sampled_at) AS at \
         FROM field.readings r JOIN field.channels c USING (channel_id) \
         WHERE c.node = '{node}' AND c.channel = '{channel}' AND r.no_data IS NULL ORDER BY at"
    );
    let number = |text: &String| text.parse().unwrap_or_else(|e| panic!("sampled_at {text:?} of node {node}: {e}"));
    server.query(&sql).iter().flatten().map(number).collect()
}

/// Beginning and end of the watch count as well: a channel that falls silent for good is silent until the end.
fn longest_pause(times: &[i64], watched: &Watched) -> Duration {
    let Range { start, end } = watched.all;
    let due = times.iter().copied().filter(|time| watched.all.contains(time));
    let times: Vec<i64> = std::iter::once(start).chain(due).chain([end]).collect();
    let silent = |pair: &[i64]| pair[1] - pair[0] - overlap(pair[0]..pair[1], &watched.away);
    let longest = times.windows(2).map(silent).max().unwrap_or(0);
    Duration::from_micros(u64::try_from(longest).unwrap_or(0))
}

fn overlap(pause: Range<i64>, away: &Range<i64>) -> i64 {
    (pause.end.min(away.end) - pause.start.max(away.start)).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn audit(seconds: &[f64], all: Range<i64>, away: Range<i64>) -> PolledAudit {
        let scaled = |range: Range<i64>| range.start * SECOND..range.end * SECOND;
        let times: Vec<i64> = seconds.iter().map(|second| (second * SECOND as f64) as i64).collect();
        let mut audit = PolledAudit::default();
        audit.add(&times, &Watched { all: scaled(all), away: scaled(away) });
        audit
    }

    #[test]
    fn the_time_without_a_gateway_is_no_pause() {
        let found = audit(&[10.2, 10.7, 11.5, 14.4, 15.0], 10..15, 12..14);
        assert_eq!((found.rows, found.doubled, found.longest_pause), (5, 0, Duration::from_millis(900)));
        assert!(found.is_clean());
    }

    #[test]
    fn a_longer_pause_is_found_wherever_it_is() {
        for times in [[1.1, 2.0, 3.0], [0.5, 1.6, 2.5], [0.5, 1.0, 1.9]] {
            let found = audit(&times, 0..3, 9..9);
            assert_eq!(found.longest_pause, Duration::from_millis(1100), "{times:?}");
            assert!(!found.is_clean());
        }
        assert_eq!(audit(&[], 0..3, 9..9).longest_pause, Duration::from_secs(3));
    }

    #[test]
    fn two_rows_of_one_moment_are_a_double() {
        let found = audit(&[0.5, 0.5, 1.0], 0..1, 9..9);
        assert_eq!(found.doubled, 1);
        assert!(!found.is_clean());
    }
}

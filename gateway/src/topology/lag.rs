//! How far a replica is behind, by our own clock. Pure.
//!
//! Each transaction of the drain writes its time into the row of its stream, which replicates like any other row. So the
//! first time that a replica does not show yet is since when it lacks something: no clock of a server is involved.

use std::collections::VecDeque;
use std::time::Duration;

/// Times are kept this far apart; a lag is wrong by at most that.
const APART_US: i64 = 200_000;
/// So many are kept, at least 50 s under load and much longer without.
const KEPT: usize = 256;

/// The times that were written to the source lately, microseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeats {
    stream: u64,
    kept: VecDeque<i64>,
    newest: i64,
    /// Older ones were dropped.
    is_cut: bool,
}

impl Heartbeats {
    /// This time was written into the row of this stream.
    pub fn written(&mut self, stream: u64, at_us: i64) {
        // After a step back of the clock, or for another row, what was written before compares with nothing.
        if self.stream != stream || at_us < self.newest {
            *self = Self { stream, ..Self::default() };
        }
        self.newest = at_us;
        if self.kept.back().is_none_or(|last| at_us - last >= APART_US) {
            self.kept.push_back(at_us);
        }
        if self.kept.len() > KEPT {
            self.kept.pop_front();
            self.is_cut = true;
        }
    }

    /// The stream in whose row the last time was written; none before the first.
    pub fn stream(&self) -> Option<u64> {
        (!self.kept.is_empty()).then_some(self.stream)
    }

    /// How far a server is behind that shows the time `there`; zero when it shows the newest, none when nothing has been
    /// written. Too high by at most the time since the server was asked.
    pub fn lag(&self, there: Option<i64>, now_us: i64) -> Option<Duration> {
        let oldest = *self.kept.front()?;
        let lacks_since = match there {
            Some(there) if there >= self.newest => return Some(Duration::ZERO),
            Some(there) if self.is_cut && there < oldest => there,
            Some(there) => self.kept.iter().copied().find(|at| *at > there).unwrap_or(self.newest),
            None => oldest,
        };
        Some(Duration::from_micros(u64::try_from(now_us.saturating_sub(lacks_since)).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn written(seconds: &[i64]) -> Heartbeats {
        let mut beats = Heartbeats::default();
        seconds.iter().for_each(|second| beats.written(7, second * SECOND));
        beats
    }

    fn lag_s(beats: &Heartbeats, there: Option<i64>, now: i64) -> Option<u64> {
        beats.lag(there.map(|second| second * SECOND), now * SECOND).map(|lag| lag.as_secs())
    }

    #[test]
    fn a_replica_is_behind_since_the_first_time_that_it_does_not_show() {
        let idle = written(&[100, 110, 120]);
        assert_eq!(lag_s(&idle, Some(120), 129), Some(0), "it has everything, however long ago that was");
        assert_eq!(lag_s(&idle, Some(110), 121), Some(1), "the newest is on its way");
        assert_eq!(lag_s(&idle, Some(100), 121), Some(11));
        assert_eq!(lag_s(&idle, Some(50), 121), Some(21), "it was not there yet when we began");
        assert_eq!(lag_s(&idle, None, 121), Some(21));
        assert_eq!(lag_s(&idle, Some(110), 119), Some(0), "a clock that went back gives no negative lag");
        assert_eq!(lag_s(&Heartbeats::default(), Some(5), 9), None);
    }

    #[test]
    fn only_so_many_times_are_kept_and_older_ones_count_from_what_the_server_shows() {
        let seconds: Vec<i64> = (0..1000).collect();
        let beats = written(&seconds);
        assert_eq!(beats.kept.len(), KEPT);
        assert_eq!(lag_s(&beats, Some(900), 1000), Some(99));
        assert_eq!(lag_s(&beats, Some(10), 1000), Some(990));
        let mut close = Heartbeats::default();
        (0..1000).for_each(|at| close.written(7, at * 1000));
        assert_eq!(close.kept.len(), 5, "200 ms apart");
        assert_eq!(close.lag(Some(998_000), SECOND), Some(Duration::from_millis(1)));
    }

    #[test]
    fn another_stream_and_a_clock_that_went_back_begin_anew() {
        let mut beats = written(&[100, 110]);
        beats.written(7, 20 * SECOND);
        assert_eq!(lag_s(&beats, Some(110), 21), Some(0), "written before the clock went back");
        assert_eq!((beats.kept.len(), beats.stream()), (1, Some(7)));
        beats.written(8, 30 * SECOND);
        assert_eq!((lag_s(&beats, Some(1), 31), beats.stream()), (Some(1), Some(8)));
    }
}

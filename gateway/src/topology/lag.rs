//! How far a replica is behind, by our own clock. Pure.
//!
//! Each transaction of the drain writes its time into the row of its stream, which replicates like any other row. So the
//! first time that a replica does not show yet is since when it lacks something: no clock of a server is involved.

use super::View;
use std::collections::VecDeque;
use std::time::Duration;

/// Times are kept this far apart; a lag is wrong by at most that.
const APART_US: i64 = 200_000;
/// So many are kept, at least 50 s under load and much longer without.
const KEPT: usize = 256;

/// A drain that lets live readings overtake writes two streams in turn.
const STREAMS: usize = 2;

/// The times that were written to the source lately, in the rows of the streams that were written last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeats(VecDeque<(u64, Times)>);

/// Times in the row of one stream, microseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Times {
    kept: VecDeque<i64>,
    newest: i64,
    /// Older ones were dropped.
    is_cut: bool,
}

impl Heartbeats {
    /// This time was written into the row of this stream.
    pub fn written(&mut self, stream: u64, at_us: i64) {
        let known = self.0.iter().position(|(known, _)| *known == stream).and_then(|at| self.0.remove(at));
        let mut times = known.map(|(_, times)| times).unwrap_or_default();
        times.written(at_us);
        self.0.push_back((stream, times));
        if self.0.len() > STREAMS {
            self.0.pop_front();
        }
    }

    /// A new connection: what was written to the row of a stream that is not written any more may be in no source now.
    pub fn begin_again(&mut self) {
        let before_last = self.0.len().saturating_sub(1);
        self.0.drain(..before_last);
    }

    /// How far a server is behind whose rows show these times; zero when it shows the newest, none when nothing has been
    /// written. Too high by at most the time since the server was asked.
    pub fn lag(&self, there: impl Fn(u64) -> Option<i64>, now_us: i64) -> Option<Duration> {
        self.0.iter().filter_map(|(stream, times)| times.lag(there(*stream), now_us)).max()
    }
}

impl Times {
    fn written(&mut self, at_us: i64) {
        // After a step back of the clock, what was written before compares with nothing.
        if at_us < self.newest {
            *self = Self::default();
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

    fn lag(&self, there: Option<i64>, now_us: i64) -> Option<Duration> {
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

/// How far each server is behind the newest that any server shows, of servers that were asked once at the same time; zero for
/// one that shows the newest. None for one that does not answer or has never been written to. Too high for one that was
/// asked a moment before something new reached all of them: by the time since what was written before.
pub fn behind_newest(views: &[View]) -> Vec<Option<Duration>> {
    let shown = |view: &View| view.facts()?.last_written_us;
    let newest = views.iter().filter_map(shown).max();
    let behind = |view| u64::try_from(newest?.saturating_sub(shown(view)?)).ok().map(Duration::from_micros);
    views.iter().map(behind).collect()
}

/// A lag as the JSON of commands has it.
pub fn milliseconds(lag: Duration) -> u64 {
    u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)
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
        beats.lag(|_| there.map(|second| second * SECOND), now * SECOND).map(|lag| lag.as_secs())
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
        assert_eq!(beats.0[0].1.kept.len(), KEPT);
        assert_eq!(lag_s(&beats, Some(900), 1000), Some(99));
        assert_eq!(lag_s(&beats, Some(10), 1000), Some(990));
        let mut close = Heartbeats::default();
        (0..1000).for_each(|at| close.written(7, at * 1000));
        assert_eq!(close.0[0].1.kept.len(), 5, "200 ms apart");
        assert_eq!(close.lag(|_| Some(998_000), SECOND), Some(Duration::from_millis(1)));
    }

    #[test]
    fn a_clock_that_went_back_begins_anew() {
        let mut beats = written(&[100, 110]);
        beats.written(7, 20 * SECOND);
        assert_eq!(lag_s(&beats, Some(110), 21), Some(0), "written before the clock went back");
        assert_eq!(beats.0[0].1.kept.len(), 1);
    }

    #[test]
    fn servers_that_were_asked_once_are_compared_with_the_newest() {
        let views = [Some(Some(9)), Some(Some(7)), Some(None), None].map(|answer| {
            let mut view = View::unasked("a name".to_owned());
            if let Some(written) = answer {
                let last_written_us = written.map(|second: i64| second * SECOND);
                view.answered(crate::topology::Facts { last_written_us, ..crate::topology::Facts::default() });
            }
            view
        });
        let seconds =
            |views: &[View]| behind_newest(views).iter().map(|lag| lag.map(|lag| lag.as_secs())).collect::<Vec<_>>();
        assert_eq!(seconds(&views), [Some(0), Some(2), None, None]);
        assert_eq!(seconds(&views[1..]), [Some(0), None, None], "the source is away");
    }

    #[test]
    fn of_two_streams_written_in_turn_the_one_lacking_longest_counts() {
        let mut beats = written(&[100]);
        beats.written(8, 101 * SECOND);
        beats.written(7, 102 * SECOND);
        let lag = |beats: &Heartbeats, seven, eight| {
            let there = move |stream| Some(if stream == 7 { seven } else { eight } * SECOND);
            beats.lag(there, 110 * SECOND).unwrap().as_secs()
        };
        assert_eq!((lag(&beats, 102, 101), lag(&beats, 100, 101), lag(&beats, 100, 99)), (0, 8, 9));
        beats.begin_again();
        assert_eq!(lag(&beats, 102, 0), 0, "only the row written last");
        beats.written(8, 103 * SECOND);
        beats.written(9, 104 * SECOND);
        assert_eq!(beats.0.iter().map(|(stream, _)| *stream).collect::<Vec<_>>(), [8, 9]);
    }
}

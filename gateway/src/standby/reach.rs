//! Which of the last beats were heard, as NTP shows it of its servers: a register that is shifted once a beat. Pure.

use std::fmt;

/// Beats that are remembered, beside the one that is due.
const REMEMBERED: u32 = 63;
/// Beats that are shown.
const SHOWN: u32 = 60;

/// The last beats of one link, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Bit 0 is the beat that is due now, bit 1 the one before.
    heard: u64,
    /// How many periods are over, at most those that are remembered.
    periods: u32,
    /// A beat that came just before its period.
    early: bool,
}

impl Reach {
    /// A period is over.
    pub fn shift(&mut self) {
        self.heard = self.heard << 1 | u64::from(self.early);
        self.early = false;
        self.periods = (self.periods + 1).min(REMEMBERED);
    }

    /// A new beat. Two gateways do not count the same periods, so a second one in a period was a late or an early one.
    pub fn beat(&mut self) {
        if self.heard & 1 == 0 {
            self.heard |= 1;
        } else if self.periods > 0 && self.heard & 0b10 == 0 {
            self.heard |= 0b10;
        } else {
            self.early = true;
        }
    }

    /// Of how many of the last `most` periods there is something to say.
    pub fn of_last(&self, most: u32) -> u32 {
        self.periods.min(most)
    }

    /// In how many of the last `most` periods no beat came.
    pub fn lost_of_last(&self, most: u32) -> u32 {
        let of = self.of_last(most);
        let periods = ((1_u64 << of) - 1) << 1;
        of - (self.heard & periods).count_ones()
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of_last(SHOWN) {
            0 => f.write_str("no beat was due yet"),
            of => write!(f, "{} of the last {of} beats", of - self.lost_of_last(SHOWN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(beats: &str) -> Reach {
        let mut reach = Reach::default();
        for beat in beats.chars() {
            match beat {
                '|' => reach.shift(),
                _ => reach.beat(),
            }
        }
        reach
    }

    #[test]
    fn what_was_lost_is_counted_over_the_periods_that_are_over() {
        for (beats, lost, of) in
            [("", 0, 0), ("|", 1, 1), ("x|", 0, 1), ("x||x|", 1, 3), ("x|x|x|", 0, 3), ("||||x", 4, 4)]
        {
            let reach = after(beats);
            assert_eq!((reach.lost_of_last(60), reach.of_last(60)), (lost, of), "{beats}");
        }
        assert_eq!(after("||x|x|").lost_of_last(2), 0);
    }

    #[test]
    fn a_beat_just_beside_its_period_is_not_lost() {
        assert_eq!(after("x||xx|x|").lost_of_last(60), 0, "late");
        assert_eq!(after("x|xx||x|").lost_of_last(60), 0, "early");
        assert_eq!(after("x|x|xx|xx|x|").lost_of_last(60), 0, "more than were due");
        assert_eq!(after("xxx|||").lost_of_last(60), 1, "but only one");
    }

    #[test]
    fn it_says_how_many_of_the_last_came() {
        let mut reach = Reach::default();
        assert_eq!(reach.to_string(), "no beat was due yet");
        for period in 0..500 {
            if period % 30 != 7 {
                reach.beat();
            }
            reach.shift();
        }
        assert_eq!(reach.to_string(), "58 of the last 60 beats");
        (0..70).for_each(|_| reach.shift());
        assert_eq!(reach.to_string(), "0 of the last 60 beats");
    }
}

//! Who of two gateways goes first, the same from both sides. Pure.

use super::role::{Event, Role};
use std::cmp::Ordering;

/// What both know of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rank {
    /// What it is.
    pub role: Role,
    /// The term that it acts in; 0 while it has none.
    pub term: u32,
    /// Its priority: 1 goes before 2.
    pub priority: u8,
    /// Tells the two from each other.
    pub gateway: u16,
}

impl Rank {
    /// What a beat of `other` means here. Of two active ones the newer term goes first, else the priority decides; one that
    /// hears nothing never goes first among those that wait.
    pub fn event(&self, other: &Self) -> Event {
        let is_first = match other.role {
            Role::Leaving => return Event::OtherLeaves,
            Role::Active => self.before_as_active(other),
            Role::Isolated => true,
            Role::Starting | Role::Standby => self.by_configuration(other) == Ordering::Less,
        };
        match (other.role == Role::Active, is_first) {
            (true, false) => Event::OtherActiveFirst,
            (true, true) => Event::OtherActiveSecond,
            (false, false) => Event::OtherWaitsFirst,
            (false, true) => Event::OtherWaitsSecond,
        }
    }

    fn before_as_active(&self, other: &Self) -> bool {
        other.term.cmp(&self.term).then(self.by_configuration(other)) == Ordering::Less
    }

    fn by_configuration(&self, other: &Self) -> Ordering {
        (self.priority, self.gateway).cmp(&(other.priority, other.gateway))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Rank> {
        let mut all = Vec::new();
        for role in Role::ALL {
            for term in [0, 4, 5] {
                for priority in [1, 2] {
                    all.extend([7, 8].map(|gateway| Rank { role, term, priority, gateway }));
                }
            }
        }
        all
    }

    #[test]
    fn of_two_active_ones_exactly_one_gives_way() {
        let active: Vec<Rank> = all().into_iter().filter(|rank| rank.role == Role::Active).collect();
        for one in &active {
            for other in active.iter().filter(|other| other.gateway != one.gateway) {
                let gives_way = |a: &Rank, b: &Rank| a.event(b) == Event::OtherActiveFirst;
                assert!(gives_way(one, other) != gives_way(other, one), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn of_two_that_wait_and_hear_exactly_one_goes_first() {
        let hears = |rank: &Rank| matches!(rank.role, Role::Starting | Role::Standby);
        let waiting: Vec<Rank> = all().into_iter().filter(hears).collect();
        for one in &waiting {
            for other in waiting.iter().filter(|other| other.gateway != one.gateway) {
                let goes_first = |a: &Rank, b: &Rank| a.event(b) == Event::OtherWaitsSecond;
                assert!(goes_first(one, other) != goes_first(other, one), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_newer_term_goes_before_a_better_priority() {
        let rank = |term, priority| Rank { role: Role::Active, term, priority, gateway: u16::from(priority) };
        assert_eq!(rank(4, 1).event(&rank(5, 2)), Event::OtherActiveFirst);
        assert_eq!(rank(5, 1).event(&rank(5, 2)), Event::OtherActiveSecond);
    }

    #[test]
    fn one_that_hears_nothing_is_not_waited_for() {
        let isolated = Rank { role: Role::Isolated, term: 9, priority: 1, gateway: 1 };
        let standby = Rank { role: Role::Standby, term: 0, priority: 2, gateway: 2 };
        assert_eq!(standby.event(&isolated), Event::OtherWaitsSecond);
    }
}

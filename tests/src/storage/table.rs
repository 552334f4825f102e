//! The table of faults: what was done to a queue, and what became of its readings.

use std::fmt;

use super::found::Found;
use super::ledger::{Ledger, Outcome};

/// One kind of fault. In its column, lost counts only what the fault did not touch: none may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What was done.
    pub fault: String,
    /// How often.
    pub rounds: u64,
    /// Readings that were acknowledged and not trimmed, over all rounds.
    pub acknowledged: u64,
    /// Those that should be there and are not.
    pub lost: u64,
    /// Rounds after which the queue did not open.
    pub would_not_open: u64,
    /// Readings that were found again.
    pub saved: u64,
    /// What must never be, each with the round in which it was.
    pub complaints: Vec<String>,
}

impl Row {
    /// A row without rounds.
    #[must_use]
    pub fn new(fault: &str) -> Row {
        Row { fault: fault.to_owned(), ..Row::default() }
    }

    /// Adds a round in which the queue opened.
    pub fn add(&mut self, round: &str, outcome: Outcome, found: &Found) {
        self.rounds += 1;
        self.acknowledged += outcome.acknowledged;
        self.lost += outcome.lost;
        self.saved += outcome.saved;
        if outcome.lost > 0 {
            self.complaints.push(format!("{round}: {} of {} readings are lost", outcome.lost, outcome.acknowledged));
        }
        self.complaints.extend(found.wrong.iter().map(|wrong| format!("{round}: {wrong}")));
    }

    /// Adds a round in which the queue opened, and in which units have to be whole, too.
    pub fn add_whole(&mut self, round: &str, ledger: &Ledger, found: &Found) {
        self.add(round, ledger.compare(found), found);
        self.complaints.extend(ledger.partial_units(found).iter().map(|unit| format!("{round}: {unit}")));
    }

    /// Adds a round in which the queue did not open.
    pub fn add_not_opened(&mut self, round: &str, acknowledged: u64, reason: &str) {
        self.rounds += 1;
        self.acknowledged += acknowledged;
        self.lost += acknowledged;
        self.would_not_open += 1;
        self.complaints.push(format!("{round}: would not open: {reason}"));
    }

    /// Adds the rounds of another row.
    pub fn merge(&mut self, other: Row) {
        self.rounds += other.rounds;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.would_not_open += other.would_not_open;
        self.saved += other.saved;
        self.complaints.extend(other.complaints);
    }

    /// Panics unless every round went well.
    ///
    /// # Panics
    /// With every complaint.
    pub fn assert_nothing_lost(&self) {
        assert!(self.complaints.is_empty(), "{}:\n{}", self.fault, self.complaints.join("\n"));
        assert!(self.acknowledged > 0, "{}: no reading was acknowledged, so nothing was tried", self.fault);
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { fault, rounds, acknowledged, lost, would_not_open, saved, .. } = self;
        write!(f, "{fault:<44} {rounds:>7} {acknowledged:>13} {lost:>9} {would_not_open:>15} {saved:>13}")
    }
}

/// Prints the rows below a head.
pub fn print(rows: &[Row]) {
    let [fault, rounds, acknowledged] = ["fault", "rounds", "acknowledged"];
    let [lost, would_not_open, saved] = ["lost", "would not open", "saved"];
    println!("{fault:<44} {rounds:>7} {acknowledged:>13} {lost:>9} {would_not_open:>15} {saved:>13}");
    for row in rows {
        println!("{row}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_adds_up_and_says_what_was_wrong() {
        let mut row = Row::new("a fault");
        row.add("round 1", Outcome { acknowledged: 10, lost: 0, saved: 10 }, &Found::default());
        row.assert_nothing_lost();
        row.add("round 2", Outcome { acknowledged: 10, lost: 1, saved: 9 }, &Found::default());
        row.add_not_opened("round 3", 5, "no reason");
        assert_eq!((row.rounds, row.acknowledged, row.lost, row.would_not_open, row.saved), (3, 25, 6, 1, 19));
        assert_eq!(row.complaints, ["round 2: 1 of 10 readings are lost", "round 3: would not open: no reason"]);
    }

    #[test]
    #[should_panic(expected = "nothing was tried")]
    fn a_row_without_readings_is_no_success() {
        Row::new("a fault").assert_nothing_lost();
    }
}

//! What a gateway does about the row of its group, in the transaction that holds the lock of that row. Pure.

/// The row: whose rows count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The number of the takeover; each has a higher one.
    pub term: u64,
    /// The gateway that does not wait with what both have heard.
    pub gateway: String,
}

/// What this gateway knows when it looks at the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claimant<'a> {
    /// Its id.
    pub gateway: &'a str,
    /// It is active.
    pub is_active: bool,
    /// The term it acts in, or the highest it has seen.
    pub term: u64,
    /// Since it became active it has stood in the row of a server that took writes.
    pub has_claimed: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimStep {
    /// It is the holder.
    Holds,
    /// It writes itself into the row, with this term.
    Claim(u64),
    /// Another gateway took over since: this one is not active any more.
    Deposed,
    /// The turn is not its own; it leaves the row alone.
    StandsBy,
}

/// A claim may be lost with a source whose last transactions did not replicate; then the row is older than what this gateway
/// knows, and it claims again. It claims over a newer row only once, when it has just become active.
pub fn claim_step(row: Option<&Holder>, own: &Claimant<'_>) -> ClaimStep {
    let is_held = row.is_some_and(|row| row.gateway == own.gateway);
    let newest = row.map_or(0, |row| row.term);
    match (own.is_active, is_held) {
        (false, _) => ClaimStep::StandsBy,
        (true, true) if newest >= own.term => ClaimStep::Holds,
        (true, true) => ClaimStep::Claim(own.term),
        (true, false) if newest >= own.term && own.has_claimed => ClaimStep::Deposed,
        (true, false) => ClaimStep::Claim(own.term.max(newest.saturating_add(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(term: u64, gateway: &str) -> Option<Holder> {
        Some(Holder { term, gateway: gateway.to_owned() })
    }

    fn step(row: Option<Holder>, is_active: bool, term: u64, has_claimed: bool) -> ClaimStep {
        claim_step(row.as_ref(), &Claimant { gateway: "b", is_active, term, has_claimed })
    }

    #[test]
    fn who_is_not_active_leaves_the_row_alone() {
        for row in [None, holder(3, "a"), holder(3, "b")] {
            assert_eq!(step(row, false, 9, true), ClaimStep::StandsBy);
        }
    }

    #[test]
    fn a_takeover_claims_a_term_above_all_that_is_known() {
        assert_eq!(step(None, true, 1, false), ClaimStep::Claim(1));
        assert_eq!(step(holder(3, "a"), true, 4, false), ClaimStep::Claim(4));
        assert_eq!(step(holder(7, "a"), true, 4, false), ClaimStep::Claim(8));
        assert_eq!(step(holder(4, "b"), true, 4, false), ClaimStep::Holds);
    }

    #[test]
    fn a_newer_holder_ends_a_turn_and_an_older_row_is_claimed_again() {
        assert_eq!(step(holder(5, "a"), true, 4, true), ClaimStep::Deposed);
        assert_eq!(step(holder(3, "a"), true, 4, true), ClaimStep::Claim(4), "lost by a failover");
        assert_eq!(step(None, true, 4, true), ClaimStep::Claim(4));
        assert_eq!(step(holder(2, "b"), true, 4, true), ClaimStep::Claim(4), "no two takeovers have one term");
    }
}

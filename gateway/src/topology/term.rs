//! What to do with the term row of the server that was chosen. Pure.

use super::{Term, View};

/// The highest term that these servers show, or showed when they last answered; 0 where none has one.
pub fn newest_term(views: &[View]) -> u64 {
    views.iter().filter_map(|view| Some(view.last_facts()?.term_number())).max().unwrap_or(0)
}

/// The same of those that answer now.
pub fn newest_term_now(views: &[View]) -> u64 {
    views.iter().filter_map(|view| Some(view.facts()?.term_number())).max().unwrap_or(0)
}

/// The next step before anything is written to a chosen source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermStep {
    /// The row names this server and is the highest seen: write.
    Keep(u64),
    /// Somebody else promoted this server, or it is the first: raise the row to this number, naming it.
    Adopt(u64),
    /// It names itself with a lower number than one seen elsewhere: it was left behind by a failover.
    LeftBehind(u64),
}

/// Compares the row with the highest term ever seen.
pub fn term_step(row: Option<&Term>, identity: &str, highest_seen: u64) -> TermStep {
    match row {
        Some(term) if term.server == identity && term.number >= highest_seen => TermStep::Keep(term.number),
        Some(term) if term.server == identity => TermStep::LeftBehind(term.number),
        Some(term) => TermStep::Adopt(term.number.max(highest_seen).saturating_add(1)),
        None => TermStep::Adopt(highest_seen.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(number: u64, server: &str) -> Option<Term> {
        Some(Term { number, server: server.to_owned() })
    }

    #[test]
    fn a_promoted_server_is_adopted_above_everything_seen_and_an_old_source_is_refused() {
        assert_eq!(term_step(None, "a", 0), TermStep::Adopt(1));
        assert_eq!(term_step(term(1, "a").as_ref(), "a", 1), TermStep::Keep(1));
        assert_eq!(term_step(term(1, "a").as_ref(), "b", 1), TermStep::Adopt(2));
        assert_eq!(term_step(term(1, "a").as_ref(), "c", 4), TermStep::Adopt(5));
        assert_eq!(term_step(term(1, "a").as_ref(), "a", 2), TermStep::LeftBehind(1));
        assert_eq!(term_step(term(3, "a").as_ref(), "a", 2), TermStep::Keep(3));
    }
}

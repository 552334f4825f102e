//! The steps of a promotion, in their order, and in words. Pure.

use super::Way;
use crate::topology::View;

/// One step. Each is checked before the next, and each may be the last that a gateway does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Take the promotion lock at every server that answers.
    Lock,
    /// Ask all of them again, and look at the gates again.
    LookAgain,
    /// Stop receiving everywhere, so that what each has is final; then choose.
    StopReceiving,
    /// Let the candidate apply what it has received.
    Apply,
    /// Forget whom it followed.
    Reset,
    /// Raise its term, in one transaction with the event.
    RaiseTerm,
    /// Open it for writes.
    Open,
}

/// What comes after it; none after the last.
pub fn after(step: Step, way: Way) -> Option<Step> {
    match (step, way) {
        (Step::Lock, _) => Some(Step::LookAgain),
        (Step::LookAgain, Way::Promote) => Some(Step::StopReceiving),
        (Step::StopReceiving, _) => Some(Step::Apply),
        (Step::Apply, _) => Some(Step::Reset),
        (Step::LookAgain, Way::Reopen) | (Step::Reset, _) => Some(Step::RaiseTerm),
        (Step::RaiseTerm, _) => Some(Step::Open),
        (Step::Open, _) => None,
    }
}

/// What a promotion of this server would do, a sentence a step.
pub fn in_words(views: &[View], candidate: usize, way: Way, term: u64) -> Vec<String> {
    let name = |index: usize| views.get(index).map_or("", |view| view.name.as_str());
    let answering: Vec<&str> =
        views.iter().filter(|view| view.facts().is_some()).map(|view| view.name.as_str()).collect();
    let receiving: Vec<&str> = views
        .iter()
        .filter(|view| view.facts().is_some_and(|facts| facts.read_only && !facts.replication.is_empty()))
        .map(|view| view.name.as_str())
        .collect();
    let candidate_name = name(candidate);
    let mut words =
        vec![format!("take the promotion lock at {}", answering.join(", ")), "ask them all again".to_owned()];
    if way == Way::Promote {
        words.push(format!("stop receiving at {}, and choose again", receiving.join(", ")));
        words.push(format!("let {candidate_name} apply what it has received"));
        words.push(format!("let {candidate_name} forget whom it followed"));
    }
    words.push(format!("raise the term of {candidate_name} to {term}, with a row of events"));
    words.push(format!("open {candidate_name} for writes"));
    if way == Way::Promote {
        let others: Vec<&str> = receiving.into_iter().filter(|name| *name != candidate_name).collect();
        if !others.is_empty() {
            words.push(format!("let {} follow {candidate_name}", others.join(", ")));
        }
        words.push("close the old source for writes whenever it answers".to_owned());
    }
    words
}

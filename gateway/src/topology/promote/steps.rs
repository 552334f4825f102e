//! The steps of a promotion, in their order, and in words. Pure.

use super::Way;
use crate::topology::{Facts, View};

/// One step. Each is checked before the next, and each may be the last that a gateway does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Let the others follow it, until more than half of all servers show its term: whoever sees a majority later then knows
    /// of it.
    Spread,
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
        (Step::RaiseTerm, _) => Some(Step::Spread),
        (Step::Spread, _) => Some(Step::Open),
        (Step::Open, _) => None,
    }
}

/// What a promotion of this server would do, a sentence a step.
pub fn in_words(views: &[View], candidate: usize, way: Way, term: u64) -> Vec<String> {
    let name = views.get(candidate).map_or("", |view| view.name.as_str());
    let answering = names(views, |_, _| true);
    let mut words = vec![format!("take the promotion lock at {answering}"), "ask them all again".to_owned()];
    if way == Way::Promote {
        let receiving = names(views, |_, facts| follows_somebody(facts));
        if !receiving.is_empty() {
            words.push(format!("stop receiving at {receiving}, and choose again"));
        }
        words.push(format!("let {name} apply what it has received"));
        words.push(format!("let {name} forget whom it followed"));
    }
    words.push(format!("raise the term of {name} to {term}, with a row of events"));
    let id = views.get(candidate).and_then(View::facts).map(|facts| facts.server_id);
    let is_to_follow = |index: usize, facts: &Facts| {
        let follows_it = facts.replication.iter().any(|channel| Some(channel.upstream_id) == id);
        index != candidate && follows_somebody(facts) && !follows_it
    };
    let others = names(views, is_to_follow);
    if !others.is_empty() {
        words.push(format!("let {others} follow {name}"));
    }
    words.push("wait until more than half of all servers show that term".to_owned());
    words.push(format!("open {name} for writes"));
    if way == Way::Promote {
        words.push("close the old source for writes whenever it answers".to_owned());
    }
    words
}

fn follows_somebody(facts: &Facts) -> bool {
    facts.read_only && !facts.replication.is_empty()
}

/// The names of those that answer and of which this is true.
fn names(views: &[View], is_meant: impl Fn(usize, &Facts) -> bool) -> String {
    let meant = views.iter().enumerate().filter(|(index, view)| view.facts().is_some_and(|f| is_meant(*index, f)));
    meant.map(|(_, view)| view.name.as_str()).collect::<Vec<_>>().join(", ")
}

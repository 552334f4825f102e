//! Which server takes writes, and why. Pure: from what each server said, to a choice with its sentence.

pub mod ahead;
pub mod leave;
pub mod probe;
mod term;
pub mod view;

pub use term::{TermStep, term_step};
pub use view::{Facts, Replication, Term, View};

/// Which server takes writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its place in the configuration; none means: hold, the queue is patient.
    pub source: Option<usize>,
    /// Why, in one sentence.
    pub why: String,
    /// Beside the source, every server that takes writes although it must not: why nothing is written to it.
    pub strays: Vec<String>,
}

/// Chooses the source. `highest_term` is the highest term ever seen, on any server, also before a restart.
pub fn choose(views: &[View], highest_term: u64) -> Choice {
    let answers: Vec<Result<(), String>> = views.iter().map(|view| may_be_source(view, views, highest_term)).collect();
    let candidates: Vec<usize> =
        answers.iter().enumerate().filter(|(_, answer)| answer.is_ok()).map(|(index, _)| index).collect();
    match candidates.as_slice() {
        [only] => Choice { source: Some(*only), why: why_source(views, *only), strays: strays(views, answers) },
        [] => Choice {
            source: None,
            why: format!(
                "no server takes writes: {}{}",
                join(answers.into_iter().filter_map(Result::err)),
                if_restored(views, highest_term)
            ),
            strays: Vec::new(),
        },
        several => Choice { source: None, why: why_several(views, several), strays: strays(views, answers) },
    }
}

/// A restore of everything looks like a source that was left behind; only the operator knows.
fn if_restored(views: &[View], highest_term: u64) -> String {
    let is_left_behind = |facts: &Facts| {
        !facts.read_only
            && facts.term.as_ref().is_some_and(|term| term.server == facts.identity && term.number < highest_term)
    };
    let left_behind = views.iter().find(|view| view.facts().is_some_and(is_left_behind));
    left_behind.map_or_else(String::new, |view| {
        format!("; if {0} was restored from a backup, say so: fieldgate db accept-restored {0}", view.name)
    })
}

/// What is said of servers that are open for writes and refused.
fn strays(views: &[View], answers: Vec<Result<(), String>>) -> Vec<String> {
    let is_open = |view: &View| view.facts().is_some_and(|facts| !facts.read_only);
    let refused = views.iter().zip(answers).filter(|(view, _)| is_open(view));
    refused.filter_map(|(_, answer)| answer.err()).collect()
}

/// Whether a server may be the source, or the reason why not.
fn may_be_source(view: &View, all: &[View], highest_term: u64) -> Result<(), String> {
    let name = &view.name;
    let facts = view.facts().ok_or_else(|| format!("{name} cannot be asked ({})", view.trouble()))?;
    if facts.read_only {
        return Err(format!("{name} is read-only"));
    }
    if let Some(term) = &facts.term
        && term.server == facts.identity
        && term.number < highest_term
    {
        return Err(format!(
            "{name} was the source before a later failover (its term is {}, the highest seen is {highest_term})",
            term.number
        ));
    }
    if facts.replication.iter().all(Replication::is_stopped_and_applied) || is_co_source(facts, all) {
        return Ok(());
    }
    Err(format!("{name} is writable but still follows {}", join(facts.replication.iter().map(|r| r.upstream.clone()))))
}

/// A writable server all of whose upstreams answer and are read-only: the writable half of a pair that replicates both
/// ways. Not before it has everything of theirs: what it still receives or applies would come after what we write.
fn is_co_source(facts: &Facts, all: &[View]) -> bool {
    facts.replication.iter().all(|replication| {
        let upstream = all.iter().filter_map(View::facts).find(|other| other.server_id == replication.upstream_id);
        let has_nothing_new =
            |other: &Facts| other.read_only && follows_only(other, facts.server_id) && has_all_of(facts, other);
        replication.applied_all && upstream.is_some_and(has_nothing_new)
    })
}

fn follows_only(facts: &Facts, server_id: u64) -> bool {
    facts.replication.iter().all(|replication| replication.upstream_id == server_id)
}

/// Whether a server is as far with each of our streams as another one.
fn has_all_of(facts: &Facts, other: &Facts) -> bool {
    other.cursors.iter().all(|(stream, there)| facts.cursors.get(stream).is_some_and(|here| here >= there))
}

fn why_source(views: &[View], index: usize) -> String {
    let Some((view, facts)) = views.get(index).and_then(|view| Some((view, view.facts()?))) else {
        return String::new();
    };
    let follows =
        if facts.replication.is_empty() { "follows no other server" } else { "has applied all that it received" };
    let term = match &facts.term {
        Some(term) if term.server == facts.identity => format!("holds term {}", term.number),
        Some(term) => format!("is new in this place (term {} names another server)", term.number),
        None => "has no term yet".to_owned(),
    };
    format!("{} takes writes: it is writable, {follows} and {term}", view.name)
}

fn why_several(views: &[View], several: &[usize]) -> String {
    let describe = |view: &View| {
        let facts = view.facts()?;
        let term = facts
            .term
            .as_ref()
            .map_or_else(|| "no term".to_owned(), |term| format!("term {} of {}", term.number, term.server));
        Some(format!("{} ({term})", view.name))
    };
    let names = join(several.iter().filter_map(|index| views.get(*index)).filter_map(describe));
    format!("several servers take writes: {names}; make all but one read-only")
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;

//! Which server to read from: the replica that is well and lags least. Pure.
//!
//! Replicas that lag about the same take turns, so that several who read share them.

use super::lag::behind_newest;
use super::same::same_as;
use super::words::join;
use super::{Choice, Facts, Replication, View, newest_term_now};
use std::time::Duration;

/// Two that differ by less than this lag the same.
const SAME: Duration = Duration::from_secs(1);

/// The servers that may be read from, and why each other one is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readers {
    /// Those that take turns, in the order of the configuration.
    pub fit: Vec<Reader>,
    /// They are replicas, and not the source for want of one.
    pub has_replica: bool,
    /// Why these, in a sentence.
    pub why: String,
    /// The places of all others in the configuration, and why not.
    pub others: Vec<(usize, String)>,
}

/// A server that may be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Its place in the configuration.
    pub index: usize,
    /// How far it is behind the newest that any server shows; none where no server shows anything.
    pub lag: Option<Duration>,
}

impl Readers {
    /// Whose turn it is.
    pub fn at_turn(&self, turn: u64) -> Option<Reader> {
        let count = u64::try_from(self.fit.len()).ok()?;
        self.fit.get(usize::try_from(turn.checked_rem(count)?).ok()?).copied()
    }
}

/// Judges every server. `choice` says which one takes writes.
pub fn readers(views: &[View], choice: &Choice) -> Readers {
    let lags = behind_newest(views);
    let (mut fit, mut others) = (Vec::new(), Vec::new());
    for index in 0..views.len() {
        match unfit(views, index, choice) {
            None => fit.push(Reader { index, lag: lags.get(index).copied().flatten() }),
            Some(why) => others.push((index, why)),
        }
    }
    if fit.is_empty() {
        return the_source(views, choice, others);
    }
    let far = leave_the_least(&mut fit);
    others.extend(far);
    others.sort();
    let why = match fit.len() {
        1 => "a replica that is well and lags least".to_owned(),
        several => format!("one of {several} replicas that are well and lag least, which take turns"),
    };
    Readers { fit, has_replica: true, why, others }
}

/// Takes away all that lag by more than the others, and says so of each.
fn leave_the_least(fit: &mut Vec<Reader>) -> Vec<(usize, String)> {
    // Who shows nothing of what others show is the farthest behind.
    let lag = |reader: &Reader| reader.lag.unwrap_or(Duration::MAX);
    let least = fit.iter().map(lag).min().unwrap_or_default();
    let is_far = |reader: &mut Reader| lag(reader).saturating_sub(least) >= SAME;
    let words = |reader: Reader| match reader.lag {
        Some(lag) => (reader.index, format!("it lags by {:.1} s, others less", lag.as_secs_f64())),
        None => (reader.index, "it shows nothing of what others show".to_owned()),
    };
    fit.extract_if(.., is_far).map(words).collect()
}

/// With no replica fit, the server that takes writes or took them last.
fn the_source(views: &[View], choice: &Choice, others: Vec<(usize, String)>) -> Readers {
    let newest = newest_term_now(views);
    let is_last = |facts: &Facts| facts.is_closed_source() && facts.term_number() == newest;
    let last = || views.iter().position(|view| view.facts().is_some_and(is_last));
    let Some(index) = choice.source.or_else(last) else {
        let reasons =
            join(others.iter().filter_map(|(index, why)| Some(format!("{}: {why}", views.get(*index)?.name))));
        return Readers { why: format!("no server can be read from: {reasons}"), others, ..Readers::default() };
    };
    let lag = behind_newest(views).get(index).copied().flatten();
    let others = others.into_iter().filter(|(other, _)| *other != index).collect();
    let why = match choice.source {
        Some(_) => "the source, as no replica is fit",
        None => "the last source, as no replica is fit; it does not take writes now",
    };
    Readers { fit: vec![Reader { index, lag }], has_replica: false, why: why.to_owned(), others }
}

/// Why a server is not to be read from; none when it is fit.
fn unfit(views: &[View], index: usize, choice: &Choice) -> Option<String> {
    let view = views.get(index)?;
    let Some(facts) = view.facts() else { return Some(format!("it does not answer ({})", view.trouble())) };
    if choice.source == Some(index) {
        return Some("it takes writes, and is read from only when no replica is fit".to_owned());
    }
    if let Some(other) = same_as(views, index).and_then(|other| views.get(other)) {
        return Some(format!("it is the same server as {}", other.name));
    }
    if let Some(member) = &facts.cluster {
        return (!member.synced).then(|| format!("it is not in step with its cluster ({})", member.state));
    }
    if facts.replication.is_empty() {
        return Some("it follows no other server".to_owned());
    }
    if facts.term_number() < newest_term_now(views) {
        return Some(format!(
            "it has not seen the last failover yet (its term is {}, the newest {})",
            facts.term_number(),
            newest_term_now(views)
        ));
    }
    facts.replication.iter().find_map(|channel| unfit_channel(channel, choice.source.is_some()))
}

fn unfit_channel(channel: &Replication, has_source: bool) -> Option<String> {
    let because = |words: &str, error: &Option<super::ReplicationError>| {
        error.as_ref().map_or_else(|| words.to_owned(), |error| format!("{words} (error {error})"))
    };
    if !channel.applying {
        return Some(because("it does not apply what it receives", &channel.apply_error));
    }
    if has_source && !channel.connected {
        return Some(because(&format!("it does not receive from {}", channel.upstream), &channel.receive_error));
    }
    let plain = match () {
        () if channel.delay_s > 0 => "it is delayed on purpose",
        () if channel.filtered => "it leaves out databases or tables",
        () => return None,
    };
    Some(plain.to_owned())
}

#[cfg(test)]
mod tests;

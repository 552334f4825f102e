//! What of a batch becomes rows, what is left out, and where it has to wait. Pure.

use super::alike::{self, Wanted};
use super::listening::{HeardBatch, Identity};
use crate::drain::plan::Batch;
use crate::standby::span::{Break, Dealt, OwnSpans};
use crate::standby::verdict::{Heard, Other, Verdict, verdict, verdict_of_former};
use sensors::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// Times in which the other gateway's rows are marked, in one transaction.
const MOST_MARKED: usize = 16;

/// What becomes of each part of a batch that the other gateway may have heard too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement<'h> {
    heard: &'h HeardBatch,
    verdicts: BTreeMap<u64, Verdict>,
    /// The first number that has to wait.
    waits_at: Option<u64>,
}

/// From the least to the greatest of what a node gave: its own numbers, and its own times (microseconds since 1970) where
/// there is no number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// Numbers.
    pub seqs: Option<(i64, i64)>,
    /// Times.
    pub times_us: Option<(i64, i64)>,
}

impl Given {
    fn add(&mut self, reading: &Reading) {
        let widen = |range: Option<(i64, i64)>, it: i64| {
            Some(range.map_or((it, it), |(least, most)| (least.min(it), most.max(it))))
        };
        match (reading.node_seq, reading.node_time_us) {
            (Some(seq), _) => self.seqs = widen(self.seqs, seq),
            (None, Some(time)) => self.times_us = widen(self.times_us, time),
            (None, None) => {}
        }
    }
}

/// What the database is asked: which of these identities the other gateway has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The readings by what tells them from others, with their numbers.
    pub wanted: BTreeMap<Identity, Vec<u64>>,
    /// The nodes that said them, with the numbers and the times that each gave.
    pub nodes: BTreeMap<String, Given>,
    /// Stamped from then on, by the other gateway's clock, microseconds since 1970.
    pub from_us: i64,
    /// To then.
    pub to_us: i64,
    /// Between these times all are that the other gateway heard when this one did; that is much less after a long break.
    pub near_us: (i64, i64),
}

impl Question {
    /// Of one reading, stamped at most so long before or after it.
    pub fn of(reading: &Reading, off_us: i64) -> Self {
        let mut given = Given::default();
        given.add(reading);
        let (at_us, identity) = (reading.stamp.wall_us, Identity::of(reading));
        let times_us = (at_us.saturating_sub(off_us), at_us.saturating_add(off_us));
        let nodes = [(identity.node().to_owned(), given)].into();
        Self { wanted: [(identity, vec![0])].into(), nodes, from_us: times_us.0, to_us: times_us.1, near_us: times_us }
    }

    /// The same of what both heard at one time: nearly all.
    pub fn near(&self) -> Self {
        let (from_us, to_us) = self.near_us;
        Self { from_us: from_us.max(self.from_us), to_us: to_us.min(self.to_us), ..self.clone() }
    }

    /// What is still to be asked when these numbers are found; none when nothing is.
    pub fn rest(mut self, found: &BTreeSet<u64>) -> Option<Self> {
        let is_all = self.near_us.0 <= self.from_us && self.to_us <= self.near_us.1;
        self.wanted.retain(|_, seqs| seqs.iter().any(|seq| !found.contains(seq)));
        (!is_all && !self.wanted.is_empty()).then_some(self)
    }
}

/// The part of a batch that one transaction deals with.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What becomes rows; `last` is how far the cursor goes.
    pub batch: Batch,
    /// Spans of numbers that are left out.
    pub left_out: Vec<(u64, u64)>,
    /// The times between which the other gateway may have written what is marked here, by its clock; in order, and few.
    pub marked_us: Vec<(i64, i64)>,
    /// What was dealt with how, in order: source, time, and how.
    pub dealt: Vec<(String, i64, Dealt)>,
    /// Sources that missed something, from when on.
    pub ended: Vec<(String, i64)>,
}

impl<'h> Judgement<'h> {
    /// By what the other gateways have brought.
    pub fn of(heard: &'h HeardBatch, others: &[Other], is_holder: bool) -> Self {
        Self::by(heard, |heard, source| verdict(heard, source, others, is_holder))
    }

    /// The same for a gateway that is not one of two any more.
    pub fn of_former(heard: &'h HeardBatch, others: &[Other]) -> Self {
        Self::by(heard, |heard, source| verdict_of_former(heard, source, others))
    }

    fn by(heard: &'h HeardBatch, verdict: impl Fn(&Heard, &str) -> Verdict) -> Self {
        let mut verdicts = BTreeMap::new();
        for (seq, item) in &heard.items {
            let ends: Vec<Verdict> = item.heard.iter().map(|heard| verdict(heard, &item.source)).collect();
            let verdict = if item.is_gap { of_gap(&ends) } else { ends.first().copied().unwrap_or(Verdict::Write) };
            if verdict == Verdict::Wait {
                return Self { heard, verdicts, waits_at: Some(*seq) };
            }
            verdicts.insert(*seq, verdict);
        }
        Self { heard, verdicts, waits_at: None }
    }

    /// What has to be looked up; none when nothing has.
    pub fn question(&self, batch: &Batch) -> Option<Question> {
        let readings: BTreeMap<u64, &Reading> = batch.readings.iter().map(|(seq, reading)| (*seq, reading)).collect();
        let (from_us, to_us) = (i64::MAX, i64::MIN);
        let (wanted, nodes) = Default::default();
        let mut question = Question { wanted, nodes, from_us, to_us, near_us: (from_us, to_us) };
        for (seq, verdict) in &self.verdicts {
            let Verdict::Ask(from_us, to_us) = *verdict else { continue };
            let Some(reading) = readings.get(seq) else { continue };
            let identity = Identity::of(reading);
            question.nodes.entry(identity.node().to_owned()).or_default().add(reading);
            question.wanted.entry(identity).or_default().push(*seq);
            (question.from_us, question.to_us) = (question.from_us.min(from_us), question.to_us.max(to_us));
            for heard in self.heard.items.get(seq).into_iter().flat_map(|item| &item.heard) {
                let (from_us, to_us) = question.near_us;
                let (first_us, last_us) = heard.near_us();
                question.near_us = (from_us.min(first_us), to_us.max(last_us));
            }
        }
        (!question.wanted.is_empty()).then_some(question)
    }

    /// What has to be looked up by its value; empty when nothing has.
    pub fn alike(&self, batch: &Batch) -> alike::Question {
        let wanted = batch.readings.iter().filter_map(|(seq, reading)| match self.verdicts.get(seq) {
            Some(Verdict::AskAlike(from_us, to_us)) => {
                Some(Wanted { seq: *seq, identity: Identity::of(reading), times_us: (*from_us, *to_us) })
            }
            _ => None,
        });
        alike::Question { wanted: wanted.collect() }
    }

    /// The part that can be dealt with, once it is known which numbers the other gateway's rows were `found` for.
    pub fn part(&self, batch: &Batch, found: &BTreeSet<u64>, is_holder: bool) -> Part {
        let last = self.waits_at.map_or(batch.last, |seq| seq.saturating_sub(1));
        let is_left_out = |seq: &u64| match self.verdicts.get(seq) {
            Some(Verdict::LeaveOut) => true,
            Some(Verdict::Ask(..) | Verdict::AskAlike(..)) => found.contains(seq),
            _ => false,
        };
        let out: BTreeSet<u64> = self.verdicts.keys().copied().filter(is_left_out).collect();
        let marked = self.marked(&out);
        let keeps = |seq: &u64| *seq <= last && !out.contains(seq);
        let mut part = batch.clone();
        part.last = last;
        part.readings.retain(|(seq, _)| keeps(seq));
        part.gaps.retain(|row| keeps(&row.seq));
        part.dead_letters.retain(|row| keeps(&row.seq));
        part.marked = marked.keys().copied().collect();
        let marked_us = joined(marked.into_values().collect());
        let (dealt, ended) = self.dealt(&out, is_holder);
        Part { batch: part, left_out: runs(&out), marked_us, dealt, ended }
    }

    /// What may stand twice, with the times between which the other gateway's row of it would be.
    fn marked(&self, out: &BTreeSet<u64>) -> BTreeMap<u64, (i64, i64)> {
        let times = |verdict: &Verdict| match *verdict {
            Verdict::WriteMarked(from_us, to_us) | Verdict::AskAlike(from_us, to_us) => Some((from_us, to_us)),
            _ => None,
        };
        let written = self.verdicts.iter().filter(|(seq, _)| !out.contains(seq));
        written.filter_map(|(seq, verdict)| Some((*seq, times(verdict)?))).collect()
    }

    #[allow(clippy::type_complexity, reason = "two plain lists")]
    fn dealt(&self, out: &BTreeSet<u64>, is_holder: bool) -> (Vec<(String, i64, Dealt)>, Vec<(String, i64)>) {
        let (mut dealt, mut ended) = (Vec::new(), Vec::new());
        for seq in self.verdicts.keys() {
            let Some(item) = self.heard.items.get(seq) else { continue };
            let how = match (out.contains(seq), is_holder) {
                (true, _) => Dealt::LeftOut,
                (false, true) => Dealt::Written,
                (false, false) => Dealt::Filled,
            };
            if item.own_us == i64::MAX {
                continue;
            }
            match (item.is_gap, how) {
                (true, Dealt::LeftOut) => {}
                (true, _) => ended.push((item.source.clone(), item.own_us)),
                (false, how) => dealt.push((item.source.clone(), item.own_us, how)),
            }
        }
        (dealt, ended)
    }
}

impl Part {
    /// Takes what was dealt with into the spans of this gateway.
    pub fn extend(&self, spans: &mut OwnSpans, breaks: impl Fn(&str) -> Vec<Break>) {
        let mut known: BTreeMap<&str, Vec<Break>> = BTreeMap::new();
        for (source, at_us, how) in &self.dealt {
            let breaks = known.entry(source).or_insert_with(|| breaks(source));
            spans.extend(source, *at_us, *how, breaks);
        }
        for (source, from_us) in &self.ended {
            spans.end(source, *from_us);
        }
    }
}

/// A gap is there when the other gateway heard the node at both of its ends.
fn of_gap(ends: &[Verdict]) -> Verdict {
    if ends.contains(&Verdict::Wait) {
        return Verdict::Wait;
    }
    let is_covered = !ends.is_empty() && ends.iter().all(|verdict| *verdict == Verdict::LeaveOut);
    if is_covered { Verdict::LeaveOut } else { Verdict::Write }
}

/// Times that overlap are one; each costs a statement, so more than a few are one too.
fn joined(mut times_us: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    times_us.sort_unstable();
    let mut all: Vec<(i64, i64)> = Vec::new();
    for (from_us, to_us) in times_us {
        match all.last_mut() {
            Some((_, last)) if from_us <= *last => *last = to_us.max(*last),
            _ => all.push((from_us, to_us)),
        }
    }
    match (all.first(), all.last()) {
        (Some((first, _)), Some((_, last))) if all.len() > MOST_MARKED => vec![(*first, *last)],
        _ => all,
    }
}

/// Numbers as spans.
fn runs(numbers: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests;

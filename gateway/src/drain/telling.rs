//! What the drain says: the log hears of changes, the status always shows what is.

use super::Drain;
use super::plan::Batch;
use super::source::Wrote;
use crate::topology::Choice;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

impl Drain {
    /// Says who takes writes now and why; false if that has been said.
    pub(super) fn tell(&mut self, choice: &Choice) -> bool {
        let is_new = self.told.source != choice.source || self.told.why != choice.why;
        match choice.source {
            _ if !is_new => {}
            Some(_) => info!("{}", choice.why),
            None => warn!("{}; readings stay in the queue", choice.why),
        }
        self.tell_strays(choice);
        self.told = choice.clone();
        self.show(choice);
        is_new
    }

    /// What `status` says of the choice, kept true also where the log has nothing new to say.
    pub(super) fn show(&self, choice: &Choice) {
        self.state.send_if_modified(|state| {
            let changed = state.why != choice.why;
            if changed {
                let source = choice.source.and_then(|index| self.settings.servers.get(index));
                (state.source, state.why) = (source.map(ToString::to_string), choice.why.clone());
            }
            changed
        });
    }

    /// Names servers that take writes and must not, as soon as they are seen.
    pub(super) fn tell_strays(&mut self, choice: &Choice) {
        for stray in choice.strays.iter().filter(|stray| !self.told.strays.contains(stray)) {
            warn!("{stray}; nothing is written to it: make it read-only");
        }
        self.told.strays.clone_from(&choice.strays);
    }

    /// Counts a batch, and says so when it held gaps for what the queue had lost.
    pub(super) fn tell_written(&self, wrote: &Wrote<'_>) {
        let (batch, missing) = (&wrote.batch, wrote.batch.missing);
        if missing > 0 {
            warn!(stream = %batch.stream, "{missing} readings are no longer in the queue; rows of gaps say which and why");
        }
        self.state.send_modify(|state| {
            state.trouble = None;
            state.delivered += batch.rows();
            state.sent_again += wrote.again;
            state.left_out += wrote.left_out;
            state.missing += missing;
            state.gaps += u64::try_from(batch.gaps.len()).unwrap_or(u64::MAX);
        });
    }

    /// Refused rows are told with the server's words to the first of them, and after that once a minute with how many.
    pub(super) fn tell_set_aside(&mut self, batch: &Batch, is_set_aside: bool) {
        let words = batch.dead_letters.iter().find_map(|row| row.server_words.as_deref());
        let words = words.or_else(|| batch.gaps.first().map(|row| row.gap.reason.as_str())).unwrap_or_default();
        if let Some(rows) = self.told_refused.tell(usize::from(is_set_aside), Instant::now()) {
            warn!(
                stream = %batch.stream, rows,
                "the database refuses rows for what is in them; they are set aside and the others go on: {words} \
                 (see them with `fieldgate db deadletters list`)"
            );
        }
    }
}

/// What was said of refused rows.
#[derive(Debug, Default)]
pub struct ToldRefused {
    at: Option<Instant>,
    since: usize,
}

impl ToldRefused {
    /// How many to tell of now; none when there are none, or some have been told of within the last minute.
    fn tell(&mut self, count: usize, now: Instant) -> Option<usize> {
        self.since += count;
        if self.since == 0 || self.at.is_some_and(|at| now.duration_since(at) < Duration::from_secs(60)) {
            return None;
        }
        self.at = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refused_rows_are_told_at_once_and_the_next_a_minute_later() {
        let (mut told, start) = (ToldRefused::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(told.tell(0, start), None);
        assert_eq!(told.tell(3, start), Some(3));
        assert_eq!(told.tell(2, after(1)), None);
        assert_eq!(told.tell(0, after(59)), None);
        assert_eq!(told.tell(5, after(60)), Some(7));
        assert_eq!(told.tell(0, after(600)), None);
    }
}

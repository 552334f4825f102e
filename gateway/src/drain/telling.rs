//! What the drain says: the log hears of changes, the status always shows what is.

use super::Drain;
use super::plan::Batch;
use crate::topology::Choice;
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
    pub(super) fn tell_written(&self, batch: &Batch, again: u64) {
        let missing = batch.missing;
        if missing > 0 {
            warn!(stream = %batch.stream, "{missing} readings are no longer in the queue; rows of gaps say which and why");
        }
        self.state.send_modify(|state| {
            state.trouble = None;
            state.delivered += batch.rows();
            state.sent_again += again;
            state.missing += missing;
        });
    }
}

//! The role as the drain sees it, and what the drain sees as the role does.

use super::inputs::GroupView;
use super::role::Role;
use super::state::StandbyState;
use crate::drain::group::{Clocks, Duty, GroupRow, Turns};
use sensors::SampleClock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{mpsc, watch};
use tracing::warn;

/// A takeover from a gateway that was not heard any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// That gateway.
    pub from: String,
    /// Until when it brought what it read, by source, microseconds since 1970 by its clock.
    pub positions: BTreeMap<String, i64>,
}

/// Between the loop of the role and the drain.
pub struct RoleTurns {
    /// From the loop.
    pub shown: watch::Receiver<StandbyState>,
    /// To the loop.
    pub database: watch::Sender<GroupView>,
    /// To the beats: what was heard until then is dealt with, microseconds since 1970.
    pub reached: Arc<AtomicI64>,
    /// When the holder last wrote, by its own clock, as it was last seen.
    pub moved_us: AtomicI64,
    /// To whoever names what is missing.
    pub takeovers: mpsc::Sender<Takeover>,
    /// For how long the other one may be silent, in milliseconds.
    pub silence_ms: u64,
    /// The gateway's clock.
    pub clock: Arc<dyn SampleClock>,
}

impl Turns for RoleTurns {
    fn duty(&self) -> Duty {
        let shown = self.shown.borrow();
        let clocks = Clocks::told(shown.other.as_ref().and_then(|other| other.clock_offset_ms));
        Duty { is_active: shown.role == Role::Active, term: u64::from(shown.term), clocks }
    }

    fn tell(&self, row: &GroupRow) {
        let now_us = self.clock.stamp().boottime_us;
        self.database.send_if_modified(|view| {
            let moved_us = row.moved_us.unwrap_or(0);
            let has_moved = self.moved_us.swap(moved_us, Ordering::Relaxed) != moved_us;
            let moved_boottime_us = if has_moved { Some(now_us) } else { view.moved_boottime_us };
            let (holder, term) = row.holder.as_ref().map_or((None, 0), |row| (Some(row.gateway.clone()), row.term));
            let now = GroupView { holder, term, moved_boottime_us, answers: true };
            std::mem::replace(view, now.clone()) != now
        });
    }

    fn lost(&self) {
        self.database.send_if_modified(|view| std::mem::replace(&mut view.answers, false));
    }

    fn reached(&self, through_us: i64) {
        self.reached.store(through_us, Ordering::Relaxed);
    }

    fn took_over(&self, from: &str, positions: BTreeMap<String, i64>) {
        let is_heard =
            |shown: &StandbyState| shown.other.as_ref().is_some_and(|other| other.last_beat_ms_ago < self.silence_ms);
        // What it has it brings itself.
        if is_heard(&self.shown.borrow()) {
            return;
        }
        if self.takeovers.try_send(Takeover { from: from.to_owned(), positions }).is_err() {
            warn!("there is no room to name what {from} has read and not brought");
        }
    }
}

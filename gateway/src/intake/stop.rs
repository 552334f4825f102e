//! The end of the intake: everything is durable, held by its source, or named by a gap.

use super::group::Group;
use super::step::Outcome;
use super::units::{OwnGap, gap_units};
use super::{Intake, IntakeError, WritingEnd};
use config::WhenFull;
use sensors::{Content, Gap};
use tracing::warn;

impl<W: WritingEnd> Intake<W> {
    /// There is no room and the gateway stops. What waits was not acknowledged, so a broker keeps it; what came over a
    /// wire is lost and becomes a gap.
    pub(super) fn refuse_rest(&mut self, held: Option<Group>) {
        let mut rest = Vec::new();
        while let Ok(arrival) = self.arrivals.try_recv() {
            rest.push(arrival);
        }
        let rest = Group::admit(rest, &mut self.quotas);
        let now = self.clock.stamp();
        let mut lost: u64 = 0;
        let mut shared = true;
        for arrival in held.iter().chain([&rest]).flat_map(Group::not_held_elsewhere) {
            match &arrival.content {
                Content::Readings(readings) => {
                    lost = lost.saturating_add(u64::try_from(readings.len()).unwrap_or(u64::MAX));
                }
                Content::DeadLetter(_) => lost = lost.saturating_add(1),
                Content::Gap(gap) => {
                    let gap = OwnGap { gap: gap.clone(), shared: arrival.shared };
                    self.untold.owe([gap], self.room.cause(), now);
                    continue;
                }
                Content::AlreadyQueued => continue,
            }
            shared &= arrival.shared;
        }
        if lost > 0 {
            let reason = "the queue was full when the gateway stopped".to_owned();
            let (to_us, count) = (Some(now.wall_us), Some(lost));
            let gap = Gap { node: None, channel: None, reason, from_us: None, to_us, count };
            self.untold.owe([OwnGap { gap, shared }], self.room.cause(), now);
        }
    }

    /// Writes all gaps that no one has been told of, as far as there is room, and closes the queue.
    pub(super) fn finish(mut self) -> Result<(), IntakeError> {
        let now = self.clock.stamp();
        self.untold.owe(self.quotas.rest(), self.room.cause(), now);
        let gaps = self.untold.due(now, false);
        let units = gap_units(gaps.clone());
        while !self.append_gaps(&units)? {
            if self.room.when_full() != WhenFull::DropOldest || self.drop_oldest()? == Outcome::NothingOlder {
                let lost: u64 = gaps.iter().filter_map(|own| own.gap.count).sum();
                warn!("the disk has no room for {} gaps, which name {lost} readings: no row will", gaps.len());
                break;
            }
        }
        self.tell();
        match self.writer.close() {
            Err(error) if error.is_full_disk() => {
                warn!("{error}; every reading that was acknowledged is in the queue all the same");
                Ok(())
            }
            closed => Ok(closed?),
        }
    }
}

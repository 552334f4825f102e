//! Makes a group durable; where there is no room for it, does what the policy says.

use super::group::Group;
use super::heard::heard_through;
use super::step::{Outcome, Step};
use super::units::gap_units;
use super::{Intake, WritingEnd};
use queue::{Appended, QueueError, Unit};

impl<W: WritingEnd> Intake<W> {
    /// Makes a group durable, or does with it what the policy says; gives it back when it has to wait.
    pub(super) fn commit(&mut self, group: Group) -> Result<Option<Group>, QueueError> {
        let mut outcome = Outcome::Untried;
        loop {
            self.pulse.beat();
            let next = if group.units.is_empty() { Step::Append } else { self.next_step(outcome) };
            if next != Step::Append && self.trim()? {
                // What has been delivered goes first, whatever the policy.
                outcome = Outcome::Untried;
                continue;
            }
            match next {
                Step::Append => {
                    self.write_gaps()?;
                    if self.append(&group.units)? {
                        self.release(&group);
                        self.note_heard(&group);
                        return Ok(None);
                    }
                    outcome = Outcome::Refused;
                }
                Step::DropOldest => outcome = self.drop_oldest()?,
                Step::DropNewest => {
                    self.drop_newest(&group)?;
                    return Ok(None);
                }
                Step::Wait => return Ok(Some(group)),
            }
        }
    }

    /// Makes units durable; false when there is no room for them, and nothing was written.
    fn append(&mut self, units: &[Unit]) -> Result<bool, QueueError> {
        self.append_by(units, W::append)
    }

    /// The same for gaps, which may use what is to stay free on the disk.
    pub(super) fn append_gaps(&mut self, units: &[Unit]) -> Result<bool, QueueError> {
        self.append_by(units, W::append_from_reserve)
    }

    fn append_by(
        &mut self,
        units: &[Unit],
        append: fn(&mut W, &[Unit], u64) -> Result<Appended, QueueError>,
    ) -> Result<bool, QueueError> {
        if units.is_empty() {
            return Ok(true);
        }
        let now = self.clock.stamp();
        match append(&mut self.writer, units, u64::try_from(now.wall_us / 1000).unwrap_or(0)) {
            Ok(appended) => {
                self.room.note_written();
                let given = appended.last.saturating_add(1).saturating_sub(appended.first);
                self.state.send_modify(|state| state.durable = state.durable.saturating_add(given));
                Ok(true)
            }
            Err(QueueError::Full { .. }) => {
                self.room.note_refused(self.writer.live_bytes(), now);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Durable, or dropped and counted: now, and only now, the nodes may hear of it.
    fn release(&self, group: &Group) {
        for ticket in group.tickets() {
            if let Some(source) = self.acknowledged.get(ticket.source) {
                // An acknowledgement that does not fit is sent when the broker sends its message again.
                let _ = source.try_send(ticket);
            }
        }
    }

    /// Notes up to when everything is durable; nothing moves on while something was dropped that no gap tells yet.
    fn note_heard(&self, group: &Group) {
        if self.untold.is_empty() {
            let (found, now_us) = (group.found(), self.clock.stamp().wall_us);
            self.state.send_if_modified(|state| {
                state.heard_through_us = heard_through(state.heard_through_us, found, now_us);
                false
            });
        }
    }

    fn drop_newest(&mut self, group: &Group) -> Result<(), QueueError> {
        let (cause, now) = (self.room.cause(), self.clock.stamp());
        let dropped = group.admitted().map(|arrival| self.untold.drop_arrived(arrival, cause, now)).sum();
        self.room.note_dropped(dropped);
        self.release(group);
        self.write_gaps()
    }

    pub(super) fn drop_oldest(&mut self) -> Result<Outcome, QueueError> {
        let dropped = match self.writer.drop_oldest() {
            Ok(Some(dropped)) => dropped,
            Ok(None) => return Ok(Outcome::NothingOlder),
            // It may need a few bytes itself.
            Err(error) if error.is_full_disk() => return Ok(Outcome::NothingOlder),
            Err(error) => return Err(error),
        };
        self.room.note_dropped(dropped.readings);
        Ok(Outcome::Untried)
    }

    /// Writes the gaps that are due, as far as there is any room left.
    fn write_gaps(&mut self) -> Result<(), QueueError> {
        let (now, full) = (self.clock.stamp(), self.room.is_full());
        let units = gap_units(self.untold.due(now, full));
        if units.is_empty() || !self.room.has_last_room(self.writer.live_bytes()) {
            return Ok(());
        }
        if self.append_gaps(&units)? {
            self.untold.told(now, full);
        } else {
            self.untold.refused(now);
        }
        Ok(())
    }
}

//! What can happen, one thing at a time.

use super::defect::Defect;
use super::world::World;
use gateway::standby::role::Event;

/// What happens between two states, to the gateway of that number. A step that is not possible changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Publishes,
    /// Time passes, milliseconds.
    Waits(u32),
    /// It begins a transaction, and ends it.
    Drains(usize),
    Begins(usize),
    Commits(usize),
    /// It commits and is not told.
    CommitsUnheard(usize),
    /// The server gives its transaction up.
    IsRolledBack(usize),
    Replicates,
    FailsOver,
    DatabaseAway,
    DatabaseBack,
    Sends(usize),
    Hears(usize),
    /// Both send, and hear.
    Talk,
    IsSilent(usize),
    IsCut(usize),
    IsMended(usize),
    EndBreaks(usize),
    EndWorks(usize),
    SeesItStoodStill(usize),
    IsUnheardOf(usize),
    HandsOver(usize),
    IsForced(usize),
    GoesDeaf(usize),
    HearsAgain(usize),
    Dies(usize),
    LosesCard(usize),
    Starts(usize),
    Freezes(usize),
    Thaws(usize),
}

impl Step {
    /// Something that goes wrong.
    pub fn is_fault(self) -> bool {
        use Step::*;
        matches!(
            self,
            CommitsUnheard(_)
                | FailsOver
                | DatabaseAway
                | IsCut(_)
                | EndBreaks(_)
                | GoesDeaf(_)
                | Dies(_)
                | LosesCard(_)
                | Freezes(_)
                | IsForced(_)
        )
    }
}

impl World {
    /// Does the step; false where that is not possible.
    pub fn step(&mut self, step: Step, defect: Option<Defect>) -> bool {
        let done = self.step_of_gateway(step, defect);
        if done {
            self.faults += u8::from(step.is_fault());
            self.forget(defect);
        }
        done
    }

    fn step_of_gateway(&mut self, step: Step, defect: Option<Defect>) -> bool {
        use Step::*;
        match step {
            Drains(by) => self.begin(by, defect) && self.commit(by, true),
            Begins(by) => self.begin(by, defect),
            Commits(by) => self.commit(by, true),
            CommitsUnheard(by) => self.commit(by, false),
            Sends(by) => self.send(by),
            Hears(by) => self.hear(by, defect),
            IsSilent(by) => self.is_silent(by, defect),
            EndBreaks(by) => self.end_breaks(by),
            EndWorks(by) => self.end_works(by),
            SeesItStoodStill(by) => self.sees_that_it_stood_still(by, defect),
            IsUnheardOf(by) => self.is_unheard_of(by),
            HandsOver(by) => self.is_told(by, Event::HandOver),
            IsForced(by) => self.is_told(by, Event::Forced),
            GoesDeaf(by) => self.go_deaf(by),
            HearsAgain(by) => self.hear_again(by),
            Dies(by) => self.die(by),
            LosesCard(by) => self.lose_card(by),
            Starts(by) => self.start(by),
            Freezes(by) => self.freeze(by),
            Thaws(by) => self.thaw(by),
            _ => self.step_of_world(step, defect),
        }
    }

    fn step_of_world(&mut self, step: Step, defect: Option<Defect>) -> bool {
        let set = |what: &mut bool, to: bool| std::mem::replace(what, to) != to;
        match step {
            Step::Publishes => self.publish(),
            Step::Waits(ms) => {
                self.now_us += i64::from(ms) * 1000;
                self.waits += 1;
                true
            }
            Step::IsRolledBack(by) => self.database.open[by].take().is_some(),
            Step::Replicates => self.database.replicate(),
            Step::FailsOver => {
                self.database.fail_over();
                true
            }
            Step::DatabaseAway => set(&mut self.database.is_away, true),
            Step::DatabaseBack => set(&mut self.database.is_away, false),
            Step::IsCut(from) => set(&mut self.is_cut[from], true),
            Step::IsMended(from) => set(&mut self.is_cut[from], false),
            Step::Talk => {
                let sent = [self.send(0), self.send(1)];
                let heard = [self.hear(0, defect), self.hear(1, defect)];
                sent.contains(&true) || heard.contains(&true)
            }
            _ => false,
        }
    }
}

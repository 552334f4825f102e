//! Everything from which a gateway of two decides what it is: what it heard, what works, what the database says, and the time.
//! No I/O but the log. Times are microseconds of CLOCK_BOOTTIME.

mod hear;
mod time;

use super::beat::{Beat, Frame, Identity};
use super::ends::{Ends, LinkName};
use super::inputs::{GroupView, Marks};
use super::life::Life;
use super::rank::Rank;
use super::role::{Action, Event, Role, Row, step};
use super::state::StandbyState;
use super::strange::Warnings;
use sensors::Stamp;
use std::time::Duration;

/// What does not change while the process lives.
#[derive(Debug, Clone)]
pub struct Setup {
    /// This gateway as its beats name it.
    pub me: Identity,
    /// Its id as the database names it.
    pub gateway: String,
    /// Its priority.
    pub priority: u8,
    /// From one beat to the next.
    pub beat_us: u64,
    /// Without a beat for so long the other one is given up.
    pub silence_us: u64,
    /// It asks for its turn when it goes first by configuration.
    pub preempt: bool,
    /// The newest term that it knew when it last ran.
    pub first_term: u64,
}

/// What is known at one time.
#[derive(Debug)]
pub struct Situation {
    setup: Setup,
    role: Role,
    reason: &'static str,
    since_wall_us: i64,
    /// Since when it has been what it is, and on time.
    since_us: u64,
    /// The term of its last claim, and the newest one it knows.
    term: u32,
    highest: u32,
    counter: u32,
    life: Life,
    ends: Ends,
    warnings: Warnings,
    /// For how long nothing was heard although something could have been.
    quiet_us: u64,
    looked_us: u64,
    /// When it wanted to look again.
    planned_us: u64,
    /// What comes until then may have lain about while it stood still.
    deaf_until_us: u64,
    beat_due_us: u64,
    shift_due_us: u64,
    /// Until when it may ask the buses that only one may ask.
    lease_us: Option<u64>,
    /// Until when it asks for the turn.
    wants_until_us: Option<u64>,
    /// When the database last named the other one although nothing was heard of it; none once it was heard.
    deposed_us: Option<u64>,
    /// When the other one was last found to have been active although this one was: the links had carried nothing.
    deceived_us: Option<u64>,
    answers_since_us: Option<u64>,
    /// When the database answered last, as long as it does not.
    answered_us: u64,
    database: GroupView,
    marks: Marks,
    stopping: bool,
    changes: Vec<&'static Row>,
}

impl Situation {
    /// Nothing is known yet.
    pub fn new(setup: Setup, links: Vec<LinkName>, now: Stamp) -> Self {
        let now_us = now.boottime_us;
        Self {
            role: Role::Starting,
            reason: "it listens for the other gateway",
            since_wall_us: now.wall_us,
            since_us: now_us,
            term: 0,
            highest: u32::try_from(setup.first_term).unwrap_or(u32::MAX),
            counter: 0,
            life: Life::default(),
            ends: Ends::new(links, now_us),
            warnings: Warnings::default(),
            quiet_us: 0,
            looked_us: now_us,
            planned_us: now_us,
            deaf_until_us: now_us,
            beat_due_us: now_us,
            shift_due_us: now_us.saturating_add(setup.beat_us),
            lease_us: None,
            wants_until_us: None,
            deposed_us: None,
            deceived_us: None,
            answers_since_us: None,
            answered_us: now_us,
            database: GroupView::default(),
            marks: Marks::default(),
            stopping: false,
            changes: Vec::new(),
            setup,
        }
    }

    /// What it is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The term that it acts in while it is active, else the newest that it knows.
    pub fn term(&self) -> u32 {
        if self.role == Role::Active { self.term } else { self.highest }
    }

    /// What never changes.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// How far this gateway's readings have come.
    pub fn set_marks(&mut self, marks: Marks) {
        self.marks = marks;
    }

    /// The service manager stops this gateway.
    pub fn stop(&mut self, now: Stamp) {
        self.stopping = true;
        self.apply(Event::Stop, now);
    }

    /// The other one can take the turn: it was heard lately, and its queue takes readings.
    ///
    /// # Errors
    /// Why it cannot, and what to do.
    pub fn successor(&self, now: Stamp) -> Result<(), &'static str> {
        let heard = self.life.last_us();
        if heard.is_none_or(|at_us| now.boottime_us.saturating_sub(at_us) >= self.setup.silence_us) {
            return Err(
                "the other gateway has not been heard lately, so nobody would take the turn; look at `fieldgate status` there",
            );
        }
        match self.life.shown(now.boottime_us) {
            Some(other) if other.unwell => Err(
                "the other gateway's queue takes nothing, so it is not given the turn; look at `fieldgate status` there",
            ),
            _ => Ok(()),
        }
    }

    /// Something happened: the row of the table applies that there is for it, if any.
    pub fn apply(&mut self, event: Event, now: Stamp) {
        let Some(row) = step(self.role, event) else { return };
        match row.action {
            Action::Claim => {
                self.highest = self.highest.saturating_add(1);
                self.term = self.highest;
            }
            Action::Rest => self.lease_us = None,
            Action::Ask => self.wants_until_us = Some(now.boottime_us.saturating_add(self.setup.silence_us)),
            Action::Nothing => {}
        }
        if row.from == Role::Active && matches!(event, Event::OtherActiveFirst | Event::Deposed) {
            self.deceived_us = Some(now.boottime_us);
        }
        if row.to != row.from {
            (self.role, self.reason) = (row.to, row.reason);
            (self.since_us, self.since_wall_us) = (now.boottime_us, now.wall_us);
            self.wants_until_us = None;
        }
        if matches!(event, Event::Cut | Event::Deposed) {
            self.quiet_us = 0;
        }
        self.changes.push(row);
    }

    /// What has changed since this was asked last.
    pub fn take_changes(&mut self) -> Vec<&'static Row> {
        std::mem::take(&mut self.changes)
    }

    /// The next beat; it is sent now. While this gateway is active its lease goes on from here: it ends before the other one
    /// can have given up.
    pub fn speak(&mut self, now: Stamp) -> Frame {
        self.counter = self.counter.saturating_add(1);
        self.beat_due_us = now.boottime_us.saturating_add(self.setup.beat_us);
        let lease_us = now.boottime_us.saturating_add(self.setup.silence_us / 4 * 3);
        self.lease_us = (self.role == Role::Active).then_some(lease_us);
        let Marks { durable_through_ms, drained_through_ms, unwell } = self.marks;
        let Rank { role, term, priority, .. } = self.rank();
        let (counter, reaches_database) = (self.counter, self.database.answers);
        let (wants_turn, whole) = (self.wants_until_us.is_some(), Beat::first(self.setup.me, role));
        let beat = Beat { priority, term, counter, wants_turn, reaches_database, ..whole };
        Beat { durable_through_ms, drained_through_ms, unwell, ..beat }.encode()
    }

    /// Until when this gateway may ask the buses that only one may ask.
    pub fn lease_us(&self) -> Option<u64> {
        self.lease_us
    }

    /// What people see.
    pub fn shown(&mut self, now: Stamp) -> StandbyState {
        StandbyState {
            role: self.role,
            reason: self.reason.to_owned(),
            since_us: self.since_wall_us,
            term: self.term(),
            other: self.life.shown(now.boottime_us),
            links: self.ends.shown(),
            warnings: self.warnings.shown(now.boottime_us),
        }
    }

    fn rank(&self) -> Rank {
        let term = if self.role == Role::Active { self.term } else { 0 };
        Rank { role: self.role, term, priority: self.setup.priority, gateway: self.setup.me.gateway }
    }

    fn is_other(&self, holder: Option<&String>) -> bool {
        holder.is_some_and(|holder| *holder != self.setup.gateway)
    }
}

/// Microseconds, as the clock counts them.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

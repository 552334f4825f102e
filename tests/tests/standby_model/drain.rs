//! A transaction of a gateway: the decisions are the product's own, under the lock of the group's row.

use super::database::Transaction;
use super::defect::Defect;
use super::sentence;
use super::world::{Gateway, NAMES, World};
use gateway::standby::claim::{ClaimStep, Claimant, Holder, claim_step};
use gateway::standby::role::{Event, Role};
use gateway::standby::verdict::EDGE_US;

impl World {
    /// It locks the group's row, reads, and decides.
    pub fn begin(&mut self, gateway: usize, defect: Option<Defect>) -> bool {
        let database = &self.database;
        let waits_for_lock = defect != Some(Defect::ReadsBeforeTheLock) && database.open[1 - gateway].is_some();
        if !self.gateways[gateway].runs() || database.is_away || database.open[gateway].is_some() || waits_for_lock {
            return false;
        }
        let (_, row_term) = self.row();
        self.gateways[gateway].seen_term = self.gateways[gateway].seen_term.max(row_term);
        let (as_holder, claims) = match self.claims(gateway, defect) {
            ClaimStep::Deposed => return self.happens(gateway, Event::Deposed),
            ClaimStep::Holds => (true, None),
            ClaimStep::Claim(term) => (true, Some(term)),
            ClaimStep::StandsBy => (false, None),
        };
        self.database.open[gateway] = Some(self.transaction(gateway, as_holder, claims, defect));
        true
    }

    /// Who holds the group's row, and its term.
    pub fn row(&self) -> (Option<usize>, u32) {
        let row = self.database.source.holder;
        (row.map(|(_, holder)| holder), row.map_or(0, |(term, _)| u32::try_from(term).unwrap()))
    }

    fn claims(&self, gateway: usize, defect: Option<Defect>) -> ClaimStep {
        let own = &self.gateways[gateway];
        let row = self.database.source.holder.map(|(term, by)| Holder { term, gateway: NAMES[by].to_owned() });
        let claimant = Claimant {
            gateway: NAMES[gateway],
            is_active: own.role == Role::Active,
            term: own.term.into(),
            has_claimed: own.has_claimed,
        };
        match claim_step(row.as_ref(), &claimant) {
            ClaimStep::Claim(_) if defect == Some(Defect::ClaimsOnlyOnce) && own.has_claimed => ClaimStep::Holds,
            step => step,
        }
    }

    /// Its transaction is there, whether it hears of that or not.
    pub fn commit(&mut self, gateway: usize, is_answered: bool) -> bool {
        if !self.gateways[gateway].runs() || self.database.is_away {
            return false;
        }
        let Some(done) = self.database.open[gateway].take() else { return false };
        self.look_at(&done);
        if is_answered {
            self.gateways[gateway].is_told_of(&done);
        }
        self.database.commit(done, self.now_us);
        true
    }

    /// What must hold for each transaction, by the database alone.
    fn look_at(&mut self, done: &Transaction) {
        let other = 1 - done.gateway;
        let holder = if done.claims.is_some() { Some(done.gateway) } else { self.row().0 };
        let is_own = holder == Some(done.gateway);
        self.breaks_unless(!done.as_holder || is_own, sentence::HOLDER_WRITES);
        let passed = self.database.source.spans[other].iter().map(|(_, span)| span.to_us).max().unwrap_or(i64::MIN);
        let is_passed = done.rows.iter().all(|row| row.at_us.saturating_add(EDGE_US) <= passed);
        self.breaks_unless(done.as_holder || is_passed, sentence::HOLDER_PASSED);
    }

    /// What both servers know leaves the queues.
    pub fn forget(&mut self, defect: Option<Defect>) {
        for (gateway, own) in self.gateways.iter_mut().enumerate().filter(|(_, own)| own.runs()) {
            let source = self.database.source.cursors[gateway];
            let is_alone = defect == Some(Defect::LeavesWithoutTheReplica);
            let through = if is_alone { source } else { source.min(self.database.replica.cursors[gateway]) };
            own.queue.retain(|queued| queued.number > through);
        }
    }
}

impl Gateway {
    /// What it knows when its transaction was answered.
    fn is_told_of(&mut self, done: &Transaction) {
        self.drained_us = done.drained_us.unwrap_or(self.drained_us);
        self.taken.extend(&done.taken);
        if self.role == Role::Active && done.as_holder {
            self.has_claimed = true;
            self.term = self.term.max(done.claims.map_or(0, |term| u32::try_from(term).unwrap()));
            self.seen_term = self.seen_term.max(self.term);
        }
    }
}

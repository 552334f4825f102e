//! What the probes of a gateway say.

use super::server::{Server, Transaction};
use super::world::{World, name};
use gateway::topology::{Closed, Facts, Replication, Term, View};

/// What clocks show, in microseconds: a term is raised, then written in, then a server starts again, and then it is now.
const TERM_US: i64 = 1_000_000;
const WRITTEN_US: i64 = 2_000_000;
const STARTED_US: i64 = 3_000_000;
pub const NOW_US: i64 = 4_000_000;

impl World {
    /// What each server says to a gateway; of one that does not answer, what it said last.
    pub fn views(&self, gateway: usize) -> Vec<View> {
        (0..).zip(&self.servers).map(|(index, server)| self.view(gateway, index, server)).collect()
    }

    fn view(&self, gateway: usize, index: u8, server: &Server) -> View {
        let cut = self.cuts[gateway].as_ref().filter(|cut| cut.server == index);
        let mut view = View::unasked(name(index));
        view.answered(self.facts(index, cut.map_or(server, |cut| &cut.last)));
        if !server.up || cut.is_some() {
            view.failed("no answer".to_owned());
        }
        view
    }

    fn facts(&self, index: u8, server: &Server) -> Facts {
        let mut facts = Facts {
            identity: name(index),
            server_id: u64::from(index) + 1,
            read_only: !server.writable,
            replication: self.channel(server).into_iter().collect(),
            crash_safe: true,
            term: server.term().map(|(number, server)| Term { number: number.into(), server: name(server) }),
            cursors: (0..).zip(&self.streams).map(|(of, _)| (u64::from(of), server.cursor(of).into())).collect(),
            ..Facts::default()
        };
        if self.promoters > 0 {
            facts.gtid_origin = self.gtids.origin(index);
            facts.executed = self.gtids.executed(server);
            facts.term_since_us = Some(TERM_US);
            if facts.is_closed_source() {
                let (closed, written_us) = closed(index, server);
                (facts.closed, facts.last_written_us) = (Some(closed), Some(written_us));
            }
        }
        facts
    }

    fn channel(&self, server: &Server) -> Option<Replication> {
        let upstream = server.follows?;
        Some(Replication {
            upstream: name(upstream),
            upstream_id: u64::from(upstream) + 1,
            receiving: !server.stopped,
            connected: !server.stopped && self.servers[usize::from(upstream)].up,
            by_gtid: true,
            applying: true,
            applied_all: server.applied == server.log.len(),
            received: self.gtids.received(server),
            ..Replication::default()
        })
    }
}

/// When it was last written to, too: the first source was before all this begins.
fn closed(index: u8, server: &Server) -> (Closed, i64) {
    let is_own_promotion =
        |done: &&Transaction| matches!(done, Transaction::Term { number: 2.., server } if *server == index);
    let is_written = !server.done().last().is_some_and(|last| is_own_promotion(&last));
    let up_us = if server.restarted { NOW_US - STARTED_US } else { NOW_US };
    let closed = Closed { up_s: u64::try_from(up_us / 1_000_000).unwrap(), by_statement: None };
    (closed, if is_written { WRITTEN_US } else { 0 })
}

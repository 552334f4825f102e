//! A site with its servers, and the faults done to it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use fieldgate_tests::mariadb::{RelayLog, Server, WRITABLE};
use fieldgate_tests::scenario::Scene;
use fieldgate_tests::site::Site;
use fieldgate_tests::storage::seed::Chance;
use rand::Rng;
use rand::rngs::StdRng;

use crate::fault::{Fault, Stands};

/// Messages that the nodes publish while something is broken.
const MEANWHILE: usize = 5;
/// Readings that must arrive after a fault.
const AFTER: usize = 40;

/// A site, and how its servers stand.
pub struct Field {
    site: Site,
    stand: Vec<Stands>,
}

impl Field {
    /// A source and two replicas.
    pub fn start() -> Self {
        let quick = |settings: fieldgate_tests::gateway::GatewayBuilder| {
            settings.set("mysql", "connect_timeout", "500 ms").set("mysql", "query_timeout", "2 s")
        };
        let scene = Scene::start_with(2, quick);
        // Copying the servers' folders leaves much to be written, and every sync of a server would wait for that.
        rustix::fs::sync();
        let site = Site::of(scene);
        Self { site, stand: vec![Stands::Source, Stands::Follows, Stands::Follows] }
    }

    /// Four to six faults, then everything is healed and looked at. A failure shows the steps.
    pub fn sequence(&mut self, case: u64, mut chance: Chance) {
        let (start, mut steps) = (Instant::now(), Vec::new());
        let done = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..chance.numbers().random_range(4..=6) {
                let fault = Fault::draw(&self.stand, chance.numbers());
                steps.push(fault);
                self.strike(fault, chance.numbers());
                self.site.wait_more(self.source(), AFTER);
            }
            self.heal(case);
        }));
        println!("sequence {case} in {:.1} s: {steps:?}", start.elapsed().as_secs_f64());
        if let Err(panic) = done {
            eprintln!("sequence {case} failed after {steps:?}; servers: {:?}; {}", self.stand, self.site.nodes_say());
            resume_unwind(panic);
        }
    }

    fn source(&self) -> usize {
        self.stand
            .iter()
            .position(|stands| *stands == Stands::Source)
            .expect("there is always one at the end of a fault")
    }

    fn strike(&mut self, fault: Fault, numbers: &mut StdRng) {
        let (source, messages) = (self.source(), numbers.random_range(1..=MEANWHILE));
        match fault {
            Fault::SourceRestarts => {
                self.site.server(source).kill9();
                self.site.wait_published(messages);
                self.site.server(source).restart(WRITABLE);
            }
            Fault::SourceFreezes => {
                self.site.server(source).freeze();
                self.site.wait_published(messages);
                self.site.server(source).thaw();
            }
            Fault::SourceReadOnly => {
                self.site.server(source).set_read_only(true);
                self.site.wait_published(messages);
                self.site.server(source).set_read_only(false);
            }
            Fault::ConnectionsCut => self.site.server(source).execute("KILL HARD USER fieldgate"),
            Fault::GatewayKilled => self.restart_gateway(),
            Fault::BothKilled => {
                self.site.server(source).kill9();
                self.restart_gateway();
                self.site.server(source).restart(WRITABLE);
            }
            Fault::LaggingPromoted(replica) => self.promote_lagging(source, replica, messages),
            Fault::Swapped(replica) => self.swap(source, replica),
            Fault::ReplicaKilled(replica) => {
                self.site.server(replica).kill9();
                self.stand[replica] = Stands::Away;
            }
            Fault::ComesBackWritable(server) => {
                self.site.server(server).restart(WRITABLE);
                self.stand[server] = Stands::Zombie;
            }
            Fault::Rejoins(server) => self.rejoin(server),
        }
    }

    fn restart_gateway(&mut self) {
        self.site.scene.gateway.kill9();
        self.site.scene.gateway.start();
    }

    fn promote_lagging(&mut self, source: usize, replica: usize, messages: usize) {
        self.site.server(replica).stop_sql_thread();
        self.site.wait_published(messages);
        self.site.server(source).kill9();
        self.site.server(replica).promote(RelayLog::Discard);
        self.take_over(source, Stands::Down, replica);
    }

    fn swap(&mut self, source: usize, replica: usize) {
        self.site.server(source).set_read_only(true);
        let written = self.site.server(source).gtid_position();
        self.site.server(replica).wait_for_gtid(&written);
        self.site.server(replica).promote(RelayLog::Apply);
        self.take_over(source, Stands::LeftAlone, replica);
    }

    /// Whoever followed the old source still does: an operator has not come by yet.
    fn take_over(&mut self, source: usize, becomes: Stands, replica: usize) {
        self.stand
            .iter_mut()
            .filter(|stands| **stands == Stands::Follows)
            .for_each(|stands| *stands = Stands::LeftAlone);
        (self.stand[source], self.stand[replica]) = (becomes, Stands::Source);
    }

    fn rejoin(&mut self, server: usize) {
        if matches!(self.stand[server], Stands::Down | Stands::Away) {
            self.site.server(server).restart(&[]);
        }
        let source = self.source();
        let servers: &[Server] = &self.site.scene.cluster.servers;
        servers[server].rebuild_from(&servers[source]);
        self.stand[server] = Stands::Follows;
    }

    /// Every server follows the source again, and nothing is lost, doubled or changed on any.
    fn heal(&mut self, case: u64) {
        let source = self.source();
        for server in 0..self.stand.len() {
            if !matches!(self.stand[server], Stands::Source | Stands::Follows) {
                self.rejoin(server);
            }
        }
        self.site.wait_more(source, AFTER);
        self.site.finish(source);
        self.site.assert_replicas_once(source);
        // The nodes of the next sequence.
        self.site.add_node(&format!("shed-{case}"));
        self.site.add_node(&format!("silo-{case}"));
    }
}

//! A site with its servers and two gateways, and what happens to them.

use super::step::{Command, Stands, Step};
use crate::rig::{GRACE, is_open};
use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::gateway::{Gateway, GatewayBuilder};
use fieldgate_tests::mariadb::{Cluster, WRITABLE};
use fieldgate_tests::process::Process;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use fieldgate_tests::storage::seed::Chance;
use rand::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A site, and how its parts stand.
pub struct Field {
    pub(super) site: Site,
    /// Promotes like the first, and hears nobody.
    pub(super) second: Gateway,
    pub(super) stand: Vec<Stands>,
    /// Whether a killed server took writes.
    was_open: Vec<bool>,
    pub(super) is_frozen: [bool; 2],
    /// A switchover to this server was killed.
    pub(super) unfinished: Option<usize>,
    /// What the commands said.
    pub(super) folder: TempDir,
}

impl Field {
    /// A source and two replicas, and two gateways.
    pub fn start() -> Self {
        let quick = |settings: GatewayBuilder| {
            settings.set("mysql", "connect_timeout", "500 ms").set("mysql", "query_timeout", "2 s").promote(GRACE)
        };
        let scene = Scene::start_at(Cluster::start(2), quick);
        // Copying the servers' folders leaves much to be written, and every sync of a server would wait for that.
        rustix::fs::sync();
        let second = Gateway::named("g2").servers(scene.cluster.addresses()).broker(scene.broker.address());
        let mut second = quick(second.set("mysql", "probe_period", "200 ms").topics(&["other/{node}"])).build();
        second.start();
        second.wait_log("connected to the source", DEADLINE);
        let folder = tempfile::tempdir().expect("a folder for what commands say");
        let (stand, was_open) = (vec![Stands::Up; 3], vec![false; 3]);
        Self { site: Site::of(scene), second, stand, was_open, is_frozen: [false; 2], unfinished: None, folder }
    }

    /// Three to six steps, then everything is healed and looked at. A failure shows the steps.
    pub fn sequence(&mut self, case: u64, mut chance: Chance) {
        let (start, mut steps) = (Instant::now(), Vec::new());
        let done = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..chance.numbers().random_range(3..=6) {
                let (step, messages) = Step::draw(&self.stand, &self.was_open, &self.is_frozen, chance.numbers());
                steps.push((step, messages));
                self.happens(step);
                self.site.wait_published(messages);
            }
            self.heal(case);
        }));
        println!("sequence {case} in {:.1} s: {steps:?}", start.elapsed().as_secs_f64());
        if let Err(panic) = done {
            eprintln!("sequence {case} failed after {steps:?}; servers: {:?}", self.stand);
            self.show();
            resume_unwind(panic);
        }
    }

    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.stand.len()).filter(|index| self.stand[*index] == Stands::Up && is_open(&self.site, *index)).collect()
    }

    fn happens(&mut self, step: Step) {
        match step {
            Step::SourceKilled => self.open().first().copied().into_iter().for_each(|source| self.kill(source)),
            Step::SourceFrozen => self.open().first().copied().into_iter().for_each(|source| self.freeze(source)),
            Step::Killed(server) => self.kill(server),
            Step::Frozen(server) => self.freeze(server),
            Step::Thawed(server) => self.thaw(server),
            Step::Restarted(server) => self.restart(server, &[]),
            Step::RestartedOpen(server) => self.restart(server, WRITABLE),
            // A server that follows nobody refuses it.
            Step::ApplierStopped(server) => drop(self.site.server(server).try_query("STOP SLAVE SQL_THREAD")),
            Step::ReceiverStopped(server) => drop(self.site.server(server).try_query("STOP SLAVE IO_THREAD")),
            Step::GatewayKilled(which) => {
                self.gateway(which).kill9();
                self.gateway(which).start();
            }
            Step::GatewayFrozen(which) => {
                self.gateway(which).freeze();
                self.is_frozen[which] = true;
            }
            Step::GatewayThawed(which) => self.thaw_gateway(which),
            Step::Ordered(command, killed_after) => {
                let is_done = self.order(command, killed_after);
                if let (Command::Switchover(to), false) = (command, is_done) {
                    self.unfinished = killed_after.map(|_| to);
                }
            }
        }
    }

    pub(super) fn gateway(&mut self, which: usize) -> &mut Gateway {
        if which == 0 { &mut self.site.scene.gateway } else { &mut self.second }
    }

    pub(super) fn thaw_gateway(&mut self, which: usize) {
        self.gateway(which).thaw();
        self.is_frozen[which] = false;
    }

    fn kill(&mut self, server: usize) {
        self.was_open[server] = self.open().contains(&server);
        self.site.server(server).kill9();
        self.stand[server] = Stands::Down;
    }

    fn freeze(&mut self, server: usize) {
        self.site.server(server).freeze();
        self.stand[server] = Stands::Frozen;
    }

    pub(super) fn thaw(&mut self, server: usize) {
        self.site.server(server).thaw();
        self.stand[server] = Stands::Up;
    }

    pub(super) fn restart(&mut self, server: usize, arguments: &[&str]) {
        self.site.server(server).restart(arguments);
        self.stand[server] = Stands::Up;
    }

    /// Whether the command was well; what it said is in a file.
    pub(super) fn order(&mut self, command: Command, killed_after: Option<u64>) -> bool {
        let name = |server: usize| self.site.scene.cluster.servers[server].address().to_string();
        let arguments = match command {
            Command::Switchover(to) => vec!["db".to_owned(), "switchover".to_owned(), "--to".to_owned(), name(to)],
            Command::Rejoin(server) => vec!["db".to_owned(), "rejoin".to_owned(), name(server)],
            Command::Failover => vec!["db".to_owned(), "failover".to_owned()],
        };
        let mut program = std::process::Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
        program.args(&arguments).arg("--config").arg(self.site.scene.gateway.config_file());
        let log = self.folder.path().join("commands");
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        std::fs::write(&log, format!("{said}{arguments:?}, killed after {killed_after:?} ms\n")).expect("the log");
        let mut process = Process::spawn("a command", &program, &log);
        let patience = killed_after.map_or(DEADLINE, Duration::from_millis);
        process.ended_within(patience).is_some_and(|status| status.success())
    }

    fn show(&self) {
        let commands = std::fs::read_to_string(self.folder.path().join("commands")).unwrap_or_default();
        eprintln!("the commands said:\n{commands}\nthe second gateway says:\n{}", self.second.log());
        for (server, stands) in self.site.scene.cluster.servers.iter().zip(&self.stand) {
            if *stands == Stands::Up {
                let state = server.try_query("SELECT @@read_only, @@gtid_binlog_state; SHOW ALL SLAVES STATUS");
                let term = server.try_query("SELECT term, server FROM field.server_term");
                eprintln!("{}: {state:?} {term:?}", server.address());
            }
        }
    }
}

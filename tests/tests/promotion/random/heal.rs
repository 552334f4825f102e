//! What is so after each sequence, once all servers and gateways are there again.

use super::field::Field;
use super::step::{Command, Stands};
use crate::rig::{is_open, others, wait_follows};
use fieldgate_tests::process::wait_for;
use std::time::{Duration, Instant};

/// For a promotion that has to wait for a frozen gateway's lock.
const LONG: Duration = Duration::from_secs(90);

/// A gateway that promotes finishes a switchover sooner, where it can know of one.
const FINISHED_BY_A_GATEWAY: Duration = Duration::from_secs(20);

impl Field {
    /// Everything is there again, what must be so by itself is waited for, and operators do what is theirs.
    pub(super) fn heal(&mut self, case: u64) {
        for which in 0..2 {
            if self.is_frozen[which] {
                self.thaw_gateway(which);
            }
        }
        for server in 0..self.stand.len() {
            match self.stand[server] {
                Stands::Up => {}
                Stands::Frozen => self.thaw(server),
                Stands::Down => self.restart(server, &[]),
            }
        }
        for server in 0..self.stand.len() {
            // Somebody had stopped it by hand. It is refused where it follows nobody, or while a gateway lets it follow another.
            drop(self.site.server(server).try_query("START SLAVE"));
        }
        self.finish_switchover();
        let source = self.wait_one_source();
        self.site.wait_more(source, 40);
        self.let_all_follow(source);
        self.site.wait_more(source, 40);
        assert_eq!(self.open(), [source]);
        self.site.finish(source);
        self.site.assert_replicas_once(source);
        self.wait_nothing_left();
        self.site.add_node(&format!("shed-{case}"));
        self.site.add_node(&format!("silo-{case}"));
    }

    /// A switchover that is killed when it has closed the source and not said so yet looks as if somebody had closed it: the
    /// operator gives the command again.
    fn finish_switchover(&mut self) {
        let Some(to) = self.unfinished.take() else { return };
        let begun = Instant::now();
        while self.open().is_empty() {
            if begun.elapsed() > FINISHED_BY_A_GATEWAY {
                self.order(Command::Switchover(to), None);
                return;
            }
        }
    }

    fn wait_one_source(&mut self) -> usize {
        let mut found = Vec::new();
        wait_for("one server that takes writes", LONG, || {
            found = self.open();
            found.len() == 1 && self.is_connected()
        });
        found[0]
    }

    fn is_connected(&self) -> bool {
        let status = self.site.scene.gateway.ask("Status").unwrap_or_default();
        status["drain"]["source"].is_string() && status["drain"]["promotion"].is_null()
    }

    /// Replicas follow by themselves; old sources by command, or as new copies where they have what the source lacks.
    fn let_all_follow(&mut self, source: usize) {
        for server in others(&self.site, &[source]) {
            if !self.follows_soon(server, source) && !self.order(Command::Rejoin(server), None) {
                // It has what the source lacks, or so the command says.
                self.assert_refused_for_what_it_has();
                let servers = &self.site.scene.cluster.servers;
                servers[server].rebuild_from(&servers[source]);
            }
            wait_follows(&self.site, server, source);
            assert!(!is_open(&self.site, server), "server {server} is open");
        }
    }

    fn assert_refused_for_what_it_has(&self) {
        let said = std::fs::read_to_string(self.folder.path().join("commands")).unwrap_or_default();
        let last = said.lines().last().unwrap_or_default();
        assert!(last.contains(" has transactions that "), "{last}");
    }

    /// One that follows nobody never does by itself.
    fn follows_soon(&self, server: usize, source: usize) -> bool {
        let servers = &self.site.scene.cluster.servers;
        let (begun, upstream) = (Instant::now(), servers[source].address().ip().to_string());
        loop {
            let status = |column: &str| servers[server].replication_status(column);
            let Some(host) = status("Master_Host") else { return false };
            if host == upstream
                && ["Slave_IO_Running", "Slave_SQL_Running"].iter().all(|it| status(it).as_deref() == Some("Yes"))
            {
                return true;
            }
            if begun.elapsed() > Duration::from_secs(10) {
                return false;
            }
        }
    }

    fn wait_nothing_left(&self) {
        for gateway in [&self.site.scene.gateway, &self.second] {
            wait_for("nothing left to do in promotion.json", Duration::from_secs(20), || {
                let text = std::fs::read(gateway.state_folder().join("promotion.json")).unwrap_or_default();
                let record: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
                record["stopped"].as_array().is_none_or(Vec::is_empty)
            });
        }
    }
}

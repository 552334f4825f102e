//! A site whose nodes publish all the time, and what must hold at the end of every story.

use std::time::{Duration, Instant};

use crate::audit::{Audit, NodeLog};
use crate::mariadb::{RelayLog, Server};
use crate::node::Node;
use crate::process::wait_for;
use crate::scenario::{DEADLINE, Scene, count, number};
use serde_json::Value;

/// What the gateway promises for a clean stop.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The cursors of all streams.
const CURSORS: &str = "SELECT COALESCE(SUM(last_seq), 0) FROM field.streams";

/// Servers, broker, gateway and two nodes that publish until `end_nodes`.
#[derive(Debug)]
pub struct Site {
    // Before the broker that they publish to.
    nodes: Vec<Node>,
    logs: Vec<NodeLog>,
    /// What they are nodes of.
    pub scene: Scene,
}

impl Site {
    /// A source, two replicas, a gateway that commits in this way, and the nodes.
    pub fn start(commit: &str) -> Self {
        Self::of(Scene::start_with(2, |settings| settings.commit(commit)))
    }

    /// The nodes, added to a scene: 400 readings a second in all.
    pub fn of(scene: Scene) -> Self {
        let nodes = ["shed", "silo"].map(|name| Node::named(name).rate(50.0).start(scene.broker.address()));
        Self { nodes: nodes.into(), logs: Vec::new(), scene }
    }

    /// One more node, which publishes like the others from now on.
    pub fn add_node(&mut self, name: &str) {
        self.nodes.push(Node::named(name).rate(50.0).start(self.scene.broker.address()));
    }

    /// One of the servers; the first is the source at the beginning.
    pub fn server(&mut self, index: usize) -> &mut Server {
        &mut self.scene.cluster.servers[index]
    }

    /// Readings on a server.
    pub fn readings(&self, server: usize) -> usize {
        count(&self.scene.cluster.servers[server], "readings")
    }

    /// The sum of the cursors on a server: it grows with everything that the gateway writes there.
    pub fn cursors(&self, server: usize) -> usize {
        number(&self.scene.cluster.servers[server], CURSORS)
    }

    /// The term of a server, and whom it names.
    pub fn term(&self, server: usize) -> (String, String) {
        let rows = self.scene.cluster.servers[server].query("SELECT term, server FROM field.server_term");
        let [term, name] = <[String; 2]>::try_from(rows.concat()).expect("one row of two columns");
        (term, name)
    }

    /// Events of a kind on a server.
    pub fn events(&self, server: usize, kind: &str) -> usize {
        count(&self.scene.cluster.servers[server], &format!("events WHERE kind = '{kind}'"))
    }

    /// Returns when a server has at least so many more readings than now.
    pub fn wait_more(&self, server: usize, readings: usize) {
        let enough = self.readings(server) + readings;
        let what = format!("{enough} readings on server {server}");
        wait_for(&what, DEADLINE, || self.readings(server) >= enough);
    }

    /// Returns when the broker has acknowledged at least so many more messages to each node.
    pub fn wait_published(&mut self, messages: usize) {
        for node in &mut self.nodes {
            let before = node.log().acknowledged.len();
            node.wait_acknowledged(before + messages, DEADLINE);
        }
    }

    /// What the running nodes have published, and what they complain about.
    pub fn nodes_say(&self) -> String {
        let say = |node: &Node| {
            format!("{}: {} acknowledged {}", node.topic(), node.log().acknowledged.len(), node.complaints())
        };
        self.nodes.iter().map(say).collect::<Vec<_>>().join("; ")
    }

    /// Returns when the gateway's log since its last start says this.
    pub fn wait_said(&mut self, words: &str) {
        self.scene.gateway.wait_log(words, DEADLINE);
    }

    /// Promotes a replica with all that it has received; how long after it took writes it has its first new row.
    pub fn promote(&mut self, server: usize) -> Duration {
        let before = self.readings(server);
        self.server(server).promote(RelayLog::Apply);
        let writable = Instant::now();
        let applied = self.readings(server).max(before);
        wait_for("a row in the promoted server", DEADLINE, || self.readings(server) > applied);
        writable.elapsed()
    }

    /// The source is killed and replica 1, which has stopped, is promoted and gets again just what it lacked; ends the nodes.
    ///
    /// # Panics
    /// When anything is lost, doubled or changed, or another number is told than was lacking.
    pub fn lose_the_source_to_the_lagging_replica(&mut self) {
        let had = self.readings(1);
        self.wait_more(0, 400);
        let at_least = self.readings(0) - had;
        self.server(0).kill9();
        let first_row = self.promote(1);
        println!("first row {:.2} s after the promoted server took writes", first_row.as_secs_f64());
        self.wait_more(1, 200);

        // Closed for writes, only to be compared.
        self.server(0).restart(&[]);
        let at_most = self.readings(0) - had;
        self.finish(1);
        let again = number(self.server(1), "SELECT SUM(count) FROM field.events WHERE kind = 'sent again'");
        assert!((at_least..=at_most).contains(&again), "{again} sent again, {at_least} to {at_most} were lacking");
        assert_eq!((self.events(1, "failover"), self.events(1, "sent again")), (1, 1));
    }

    /// Ends the nodes; each waits for the broker's last acknowledgements.
    pub fn end_nodes(&mut self) -> &[NodeLog] {
        self.logs.extend(self.nodes.drain(..).map(|mut node| node.terminate()));
        &self.logs
    }

    /// Ends the nodes, and returns when everything they published is on the source, once; panics if anything is lost,
    /// doubled or changed there, or on a server that follows it.
    pub fn finish(&mut self, source: usize) {
        self.end_nodes();
        let server = &self.scene.cluster.servers[source];
        wait_for("every reading on the source", DEADLINE, || Audit::take(server, &self.logs).lost.is_empty());
        wait_for("an empty queue", DEADLINE, || self.reconciled()["waiting"] == 0);
        self.assert_once(source);
    }

    /// The auditor's report after `end_nodes`. Panics if it finds anything but messages that nodes sent twice, as they must
    /// when the broker goes away before its acknowledgement: it sees two messages and cannot know.
    pub fn reconciled(&self) -> Value {
        let resent = |log: &NodeLog| log.resent.values().sum::<usize>() * log.channels;
        let sent_twice: usize = self.logs.iter().map(resent).sum();
        if sent_twice == 0 {
            return self.scene.assert_reconciled();
        }
        let answer = self.scene.reconcile();
        let report: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
        let doubled = report["doubled"].as_u64().and_then(|doubled| usize::try_from(doubled).ok());
        let is_clean =
            report["lost"] == 0 && report["changed"] == 0 && doubled.is_some_and(|doubled| doubled <= sent_twice);
        let complaint = String::from_utf8_lossy(&answer.stderr);
        assert!(is_clean, "reconcile found more than {sent_twice} readings sent twice:\n{report:#}{complaint}");
        report
    }

    /// Ends the nodes, and returns when the queue is empty; panics if anything is lost, doubled or changed on the source. The
    /// readings that the nodes published and that are not there: gaps must say so.
    pub fn finish_with_gaps(&mut self, source: usize) -> usize {
        self.end_nodes();
        wait_for("an empty queue", DEADLINE, || self.reconciled()["waiting"] == 0);
        let audit = Audit::take(&self.scene.cluster.servers[source], &self.logs);
        assert!(audit.doubled.is_empty() && audit.wrong.is_empty(), "{audit}");
        audit.lost.len()
    }

    /// Panics unless the server has every reading once.
    pub fn assert_once(&self, server: usize) {
        Audit::take(&self.scene.cluster.servers[server], &self.logs).assert_clean();
    }

    /// Returns when both other servers have everything that the source has, once.
    pub fn assert_replicas_once(&self, source: usize) {
        let servers = &self.scene.cluster.servers;
        let written = servers[source].gtid_position();
        for replica in (0..servers.len()).filter(|index| *index != source) {
            servers[replica].wait_for_gtid(&written);
            self.assert_once(replica);
        }
    }
}

//! A drained site, and what the auditor must say of a fault that was planted in it.

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::node::Node;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

/// Readings of the node in `drained`.
pub const READINGS: usize = 200;

/// A drained site whose queue still keeps every reading, with a copy of the table for repairs on each server.
pub fn drained() -> Scene {
    let scene = Scene::start();
    Node::named("shed").rate(0.0).count(READINGS as u64 / 4).start(scene.broker.address()).finish(DEADLINE);
    scene.wait_rows(0, READINGS);
    scene.cluster.source().execute("CREATE TABLE field.copy AS SELECT * FROM field.readings");
    let report = scene.wait_drained();
    assert_eq!((&report["readings"], &report["compared"]), (&READINGS.into(), &READINGS.into()));
    scene
}

/// Kind, place and words of a finding.
pub type Expected<'a> = (&'a str, &'a Server, &'a str);

/// The number of a stream with which something is wrong.
pub struct Fault {
    pub stream: String,
    pub seq: u64,
}

impl Fault {
    /// The auditor must say `totals` (lost, doubled, changed) and exactly these findings, each at this number, in both
    /// of its forms.
    pub fn assert_found(&self, scene: &Scene, totals: [u64; 3], findings: &[Expected]) {
        let answer = scene.reconcile();
        let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
        assert_eq!(answer.status.code(), Some(1), "{report:#}");
        let told = [&report["lost"], &report["doubled"], &report["changed"]].map(|total| total.as_u64().unwrap());
        assert_eq!(told, totals, "{report:#}");
        let found = report["findings"].as_array().unwrap();
        assert_eq!(found.len(), findings.len(), "{report:#}");
        for expected in findings {
            assert!(found.iter().any(|finding| self.is(finding, expected)), "{expected:?}: {report:#}");
        }
        self.assert_in_text(scene, totals, findings);
    }

    fn is(&self, finding: &Value, (kind, place, words): &Expected) -> bool {
        finding["wrong"] == *kind
            && finding["place"] == place.address().to_string()
            && finding["stream"] == self.stream
            && finding["first_seq"] == self.seq
            && finding["last_seq"] == self.seq
            && finding["count"] == 1
            && finding["text"].as_str().unwrap().contains(words)
    }

    fn assert_in_text(&self, scene: &Scene, [lost, doubled, changed]: [u64; 3], findings: &[Expected]) {
        let answer = scene.gateway.command(&["db", "reconcile"]);
        let text = String::from_utf8_lossy(&answer.stdout);
        assert_eq!(answer.status.code(), Some(1), "{text}");
        assert!(text.ends_with(&format!("lost {lost}, doubled {doubled}, changed {changed}\n")), "{text}");
        for (kind, place, words) in findings {
            let at = format!("{} stream {} numbers {} to {}: ", place.address(), self.stream, self.seq, self.seq);
            let says = |line: &str| line.starts_with(kind) && line.contains(&at) && line.contains(words);
            assert!(text.lines().any(says), "{kind} {at}{words}:\n{text}");
        }
    }
}

/// A stream as people read it.
pub fn shown(stream: &str) -> String {
    format!("{:016x}", stream.parse::<u64>().unwrap())
}

/// On this server only: nothing is replicated.
pub fn alone(server: &Server, sql: &str) {
    server.execute(&format!("SET sql_log_bin = 0; USE field; {sql}"));
}

pub fn wait_replicated(scene: &Scene) {
    let position = scene.cluster.source().gtid_position();
    scene.cluster.replicas().iter().for_each(|replica| replica.wait_for_gtid(&position));
}

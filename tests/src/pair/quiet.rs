//! What must hold of two gateways once nothing is said any more.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::audit::{Audit, NodeLog};
use crate::plain_node::PlainAudit;

use super::{NAMES, Pair};

/// Both gateways have dealt with all they hold within this. One that was killed in a transaction keeps its locks until the
/// server notices.
const DEADLINE: Duration = Duration::from_secs(40);

impl Pair {
    /// Returns when the source has every reading of these nodes, once.
    ///
    /// # Panics
    /// When it has not in time.
    pub fn wait_clean(&self, server: usize, nodes: &[NodeLog]) -> Audit {
        let begun = Instant::now();
        loop {
            let audit = Audit::take(&self.cluster.servers[server], nodes);
            if audit.is_clean() || begun.elapsed() > DEADLINE {
                audit.assert_clean();
                return audit;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns when both gateways have dealt with all they hold and the source has every reading of these nodes, once.
    ///
    /// # Panics
    /// When anything is lost, doubled or changed, to the auditor of the tests or to that of either gateway.
    pub fn finish(&self, server: usize, nodes: &[NodeLog]) -> Audit {
        self.wait_clean(server, nodes);
        (0..2).for_each(|index| self.wait_drained(index));
        let audit = self.wait_clean(server, nodes);
        println!("{audit}");
        audit
    }

    /// Returns when a gateway's auditor finds that nothing waits; panics unless it finds nothing wrong by then.
    pub fn wait_drained(&self, index: usize) {
        let mut said = String::new();
        let mut is_drained = || {
            let answer = self.gateways[index].command(&["db", "reconcile", "--json"]);
            let report: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
            said = format!("{report:#}\n{}", String::from_utf8_lossy(&answer.stderr));
            answer.status.code() == Some(0) && report["waiting"] == 0
        };
        let begun = Instant::now();
        while !is_drained() {
            assert!(begun.elapsed() < DEADLINE, "{} does not come to rest:\n{said}", NAMES[index]);
        }
    }

    /// Returns when the source has every message of a node without identity; panics when one stands twice without the mark.
    pub fn wait_plain(&self, server: usize, node: &str, sent: u64) -> PlainAudit {
        let begun = Instant::now();
        let mut audit = PlainAudit::take(&self.cluster.servers[server], node, sent);
        while !audit.missing.is_empty() && begun.elapsed() < DEADLINE {
            thread::sleep(Duration::from_millis(100));
            audit = PlainAudit::take(&self.cluster.servers[server], node, sent);
        }
        println!("{node}, without identity: {audit}");
        assert!(audit.missing.is_empty(), "are missing: {:?}", audit.missing);
        assert!(audit.unmarked.is_empty(), "stand twice without the mark: {:?}", audit.unmarked);
        audit
    }
}

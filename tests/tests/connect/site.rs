//! A source with a replica, our tables on them, and what `check --connect` says of them.

use std::process::Command;

use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::gateway::{Gateway, GatewayBuilder};
use fieldgate_tests::mariadb::Cluster;
use serde_json::Value;

pub const SERIAL: &str = "[[serial]]\nport = \"/dev/null\"\nnode = \"n\"\n";

pub struct Site {
    pub cluster: Cluster,
    pub gateway: Gateway,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub weight: String,
    pub server: String,
    pub what: String,
    pub mend: String,
}

impl Finding {
    /// The statement without what is to be done beside it.
    pub fn sql(&self) -> &str {
        self.mend.split("; and the same").next().unwrap()
    }
}

impl Site {
    pub fn start(settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        Self::start_at(Cluster::start(1), settings)
    }

    /// The same with these servers.
    pub fn start_at(cluster: Cluster, settings: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let builder = Gateway::named("g1").servers(cluster.addresses()).toml(SERIAL);
        let gateway = settings(builder).build();
        gateway.apply_schema();
        let site = Self { cluster, gateway };
        site.wait_replicas();
        site
    }

    pub fn wait_replicas(&self) {
        let written = self.cluster.source().gtid_position();
        for replica in self.cluster.replicas() {
            replica.wait_for_gtid(&written);
        }
    }

    /// Exit code and findings.
    pub fn check(&self) -> (Option<i32>, Vec<Finding>) {
        let (code, report) = check(&self.gateway);
        (code, findings(&report))
    }

    /// The only finding of this weight.
    pub fn only(&self, weight: &str) -> Finding {
        let (_, mut found) = self.check();
        found.retain(|finding| finding.weight == weight);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

/// Exit code and the whole answer.
pub fn check(gateway: &Gateway) -> (Option<i32>, Value) {
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    let output = command.args(["check", "--connect", "--json"]).arg(gateway.config_file()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code(), report)
}

/// The list of what is to be mended.
pub fn findings(report: &Value) -> Vec<Finding> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let read = |finding: &Value| Finding {
        weight: text(finding, "weight"),
        server: text(finding, "server"),
        what: text(finding, "what"),
        mend: text(finding, "mend"),
    };
    report["findings"].as_array().unwrap().iter().map(read).collect()
}

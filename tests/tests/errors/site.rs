//! One server, a gateway, and a node that publishes all the time.

use std::time::Instant;

use fieldgate_tests::audit::Audit;
use fieldgate_tests::mariadb::{Cluster, Server};
use fieldgate_tests::node::Node;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

pub struct Site {
    node: Node,
    pub scene: Scene,
}

impl Site {
    /// A gateway that waits a second for answers, and its node: 100 readings a second.
    pub fn start() -> Self {
        Self::of(Scene::prepare(0, |settings| settings.set("mysql", "query_timeout", "1 s")))
    }

    /// The same, with this server.
    pub fn with(cluster: Cluster) -> Self {
        Self::of(Scene::prepare_with(cluster, |settings| settings.set("mysql", "query_timeout", "1 s")))
    }

    fn of(mut scene: Scene) -> Self {
        let start = Instant::now();
        scene.gateway.apply_schema();
        scene.start_gateway();
        let node = Node::named("shed").rate(25.0).start(scene.broker.address());
        let site = Self { node, scene };
        site.wait_more(20);
        println!("a site that delivers after {:.1?}", start.elapsed());
        site
    }

    pub fn server(&self) -> &Server {
        self.scene.cluster.source()
    }

    /// The server shows its clients the door; what they come back to is what a test has made of it.
    pub fn disconnect(&self) {
        self.server().execute("KILL USER fieldgate");
    }

    /// Returns when `status` says all these words at once.
    pub fn wait_status(&self, words: &[&str]) {
        let what = format!("{words:?} in the status");
        wait_for(&what, DEADLINE, || words.iter().all(|word| self.status().to_string().contains(word)));
    }

    pub fn status(&self) -> Value {
        self.scene.gateway.ask("Status").unwrap_or_default()
    }

    /// Returns when so many more readings are in the database than now.
    pub fn wait_more(&self, readings: u64) {
        let enough = self.scene.gateway.delivered() + readings;
        wait_for(&format!("{readings} more readings"), DEADLINE, || self.scene.gateway.delivered() >= enough);
    }

    /// Breaks something, waits for the words about it, mends it, and waits for readings.
    pub fn endure(&self, name: &str, words: &[&str], breaking: impl FnOnce(), mending: impl FnOnce()) {
        let start = Instant::now();
        breaking();
        self.wait_status(words);
        let told = start.elapsed();
        mending();
        let mended = Instant::now();
        self.wait_more(4);
        println!("{name:<34} told after {told:>8.1?}, readings {:>8.1?} after it was mended", mended.elapsed());
    }

    /// Ends the node; returns when everything that it published is in the database, once.
    pub fn finish(mut self) -> Value {
        let logs = [self.node.terminate()];
        wait_for("every reading", DEADLINE, || Audit::take(self.server(), &logs).lost.is_empty());
        Audit::take(self.server(), &logs).assert_clean();
        let report = self.scene.wait_drained();
        assert_eq!((&report["gaps"], &report["dead_letters"]), (&0.into(), &0.into()), "{report:#}");
        report
    }
}

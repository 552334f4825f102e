//! A source and two replicas, and what the two commands say of them.

use std::process::Output;

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

pub struct Story {
    pub scene: Scene,
    /// As configured: the source, and the replicas.
    pub names: Vec<String>,
}

impl Story {
    /// A source, two replicas and a gateway that has delivered a reading to all of them.
    pub fn begin() -> Self {
        let scene = Scene::start();
        let names = scene.cluster.addresses();
        let story = Self { scene, names };
        story.publish(0);
        story.scene.wait_drained();
        story
    }

    /// Has the gateway write a row.
    pub fn publish(&self, seq: usize) {
        self.scene.publish("plants/shed", format!("{{\"seq\": {seq}, \"t\": 20.5}}"));
    }

    /// `db reader --json`.
    pub fn reader(&self) -> Value {
        let answer = self.scene.gateway.command(&["db", "reader", "--json"]);
        assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
        serde_json::from_slice(&answer.stdout).expect("the reader as JSON")
    }

    /// Who are named by four commands, one after the other, as places in the configuration.
    pub fn four(&self) -> Vec<usize> {
        let named = || String::from_utf8(self.scene.gateway.command(&["db", "reader"]).stdout).expect("a name");
        let place = |named: String| self.names.iter().position(|name| *name == named.trim_end()).expect("a server");
        (0..4).map(|_| place(named())).collect()
    }

    /// Returns when four commands in a row name these, each as often.
    pub fn wait_turns(&self, between: &[usize]) {
        wait_for(&format!("turns of {between:?}"), DEADLINE, || {
            let four = self.four();
            let alternates = four.windows(between.len()).all(|turn| between.iter().all(|one| turn.contains(one)));
            alternates && four.iter().all(|one| between.contains(one))
        });
    }

    /// Returns when `db reader` answers so.
    pub fn wait_reader(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        wait_for(what, DEADLINE, || is_so(&self.reader()));
    }

    /// Returns when `db reader` says this of a server.
    pub fn wait_not(&self, server: usize, words: &str) {
        let why_not = |answer: &Value| {
            let others = answer["others"].as_array().cloned().unwrap_or_default();
            let other = others.into_iter().find(|other| other["server"] == self.names[server].as_str());
            other.map(|other| other["why_not"].to_string()).unwrap_or_default()
        };
        self.wait_reader(&format!("{words:?} of server {server}"), |answer| why_not(answer).contains(words));
    }

    /// `status --servers --json`.
    pub fn servers(&self) -> Value {
        serde_json::from_slice(&self.status(&["--json"]).stdout).expect("the servers as JSON")
    }

    /// `status --servers`.
    pub fn table(&self) -> String {
        String::from_utf8(self.status(&[]).stdout).expect("text")
    }

    fn status(&self, more: &[&str]) -> Output {
        let answer = self.scene.gateway.command(&[&["status", "--servers"], more].concat());
        assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
        answer
    }

    /// Returns when the states of the servers are these.
    pub fn wait_states(&self, expected: [&str; 3]) -> Value {
        let mut shown = Value::Null;
        wait_for(&format!("the states {expected:?}"), DEADLINE, || {
            shown = self.servers();
            let states = shown["servers"].as_array().into_iter().flatten().map(|server| server["state"].as_str());
            states.eq(expected.map(Some))
        });
        shown
    }

    /// One of the servers; the first is the source.
    pub fn server(&self, index: usize) -> &Server {
        &self.scene.cluster.servers[index]
    }
}

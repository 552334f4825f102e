//! A node whose messages say neither a number nor a time of their own: whoever hears two of them cannot tell them apart. Only
//! the value counts up, which the gateways know nothing of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::net::SocketAddrV4;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::artifacts::installed_program;
use crate::mariadb::Server;

/// A running node. Dropping it ends it.
#[derive(Debug)]
pub struct PlainNode {
    publisher: Child,
    is_over: Arc<AtomicBool>,
    talk: Option<JoinHandle<u64>>,
}

impl PlainNode {
    /// Publishes `{"n": 1}`, `{"n": 2}` and so on with QoS 1, so many a second.
    pub fn start(name: &str, per_second: u32, broker: SocketAddrV4) -> Self {
        Self::each(name, Duration::from_secs(1) / per_second, broker)
    }

    /// The same with so long from one message to the next.
    pub fn each(name: &str, pause: Duration, broker: SocketAddrV4) -> Self {
        let mut command = Command::new(installed_program("mosquitto_pub", "mosquitto-clients"));
        command.args([
            "-V",
            "mqttv5",
            "-q",
            "1",
            "-l",
            "-h",
            &broker.ip().to_string(),
            "-t",
            &format!("plants/{name}"),
        ]);
        let mut publisher = command.stdin(Stdio::piped()).spawn().expect("mosquitto_pub can be run");
        let input = publisher.stdin.take().expect("its input");
        let is_over = Arc::new(AtomicBool::new(false));
        let talk = thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || talk(input, pause, &is_over)
        });
        Self { publisher, is_over, talk: Some(talk) }
    }

    /// Returns when the broker has acknowledged everything, with how many messages that were.
    pub fn finish(mut self) -> u64 {
        let sent = self.end().expect("a node ends once").expect("the node has not panicked");
        let status = self.publisher.wait().expect("mosquitto_pub ends");
        assert!(status.success(), "mosquitto_pub: {status}");
        sent
    }

    fn end(&mut self) -> Option<thread::Result<u64>> {
        self.is_over.store(true, Ordering::SeqCst);
        self.talk.take().map(JoinHandle::join)
    }
}

impl Drop for PlainNode {
    fn drop(&mut self) {
        let _ = self.end();
        let _ = self.publisher.kill();
        let _ = self.publisher.wait();
    }
}

/// The input is closed at the end: then mosquitto_pub waits for what is on its way, and ends.
fn talk(mut input: ChildStdin, pause: Duration, is_over: &AtomicBool) -> u64 {
    let mut sent = 0;
    while !is_over.load(Ordering::SeqCst) {
        sent += 1;
        input.write_all(format!("{{\"n\": {sent}}}\n").as_bytes()).expect("mosquitto_pub reads its input");
        thread::sleep(pause);
    }
    sent
}

/// What the rows of such a node are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainAudit {
    /// Messages.
    pub sent: u64,
    /// Messages without a row.
    pub missing: Vec<u64>,
    /// Messages with more than one.
    pub doubled: Vec<u64>,
    /// Of these, the ones with a row that does not say so.
    pub unmarked: Vec<u64>,
    /// Rows that say that they may stand twice.
    pub marked: usize,
}

impl PlainAudit {
    /// Compares what a node sent with the rows of a server.
    pub fn take(server: &Server, node: &str, sent: u64) -> Self {
        let sql = format!(
            "SELECT r.value_int, COALESCE(r.maybe_twice, 0) FROM field.readings r JOIN field.channels c USING (channel_id) \
             WHERE c.node = '{node}' AND r.value_int IS NOT NULL"
        );
        let rows = server.query(&sql);
        let number = |text: &str| text.parse::<u64>().unwrap_or_else(|e| panic!("{text:?} of node {node}: {e}"));
        Self::compare(sent, rows.iter().map(|row| (number(&row[0]), row[1] == "1")))
    }

    fn compare(sent: u64, rows: impl Iterator<Item = (u64, bool)>) -> Self {
        let mut found: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
        rows.for_each(|(message, is_marked)| found.entry(message).or_default().push(is_marked));
        let missing: BTreeSet<u64> = (1..=sent).filter(|message| !found.contains_key(message)).collect();
        let twice = || found.iter().filter(|(_, marks)| marks.len() > 1);
        Self {
            sent,
            missing: missing.into_iter().collect(),
            doubled: twice().map(|(message, _)| *message).collect(),
            unmarked: twice().filter(|(_, marks)| marks.contains(&false)).map(|(message, _)| *message).collect(),
            marked: found.values().flatten().filter(|is_marked| **is_marked).count(),
        }
    }
}

impl fmt::Display for PlainAudit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, missing, doubled, marked, .. } = self;
        write!(formatter, "sent {sent}, missing {}, doubled {}, marked {marked}", missing.len(), doubled.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_stands_twice_is_named() {
        let rows = [(1, false), (2, true), (2, true), (4, true), (4, false), (5, true)];
        let audit = PlainAudit::compare(5, rows.into_iter());
        assert_eq!((audit.missing, audit.doubled, audit.unmarked, audit.marked), (vec![3], vec![2, 4], vec![4], 4));
    }
}

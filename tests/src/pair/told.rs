//! What can be seen of two gateways from outside: the rows of each, and who asked the sensor when.

use std::thread;
use std::time::{Duration, Instant};

use crate::mailbox::Side;
use crate::mariadb::Server;
use crate::process::wait_for;
use crate::scenario::{DEADLINE, number};

use super::{NAMES, Pair, SENSOR};

/// What is shown of a server when a test fails: spans, and where nodes without identity stand twice.
const SHOWN: [&str; 3] = [
    "SELECT site, term, holder, claimed_at, updated_at FROM field.standby_groups",
    "SELECT s.gateway, s.stream, s.last_seq, p.source, p.from_time, p.to_time, p.written_from, p.written_to, \
     p.filled_to, p.is_open, p.is_resumed FROM field.standby_spans p RIGHT JOIN field.streams s USING (stream) \
     ORDER BY s.started_at, p.from_time",
    "SELECT c.node, r.value_int, GROUP_CONCAT(CONCAT(s.gateway, ' at ', r.sampled_at, ', mark ', COALESCE(r.maybe_twice, 0)) \
     SEPARATOR '; ') FROM field.readings r JOIN field.channels c USING (channel_id) JOIN field.streams s ON s.stream = r.stream \
     WHERE r.node_seq IS NULL AND r.value_int IS NOT NULL AND r.no_data IS NULL AND c.node <> 'window' \
     GROUP BY c.node, r.value_int HAVING COUNT(*) > 1 ORDER BY r.value_int",
];

impl Pair {
    /// Readings of a gateway's on a server.
    pub fn rows_of(&self, server: usize, index: usize) -> usize {
        let streams = "field.readings r JOIN field.streams s USING (stream)";
        let sql = format!("SELECT COUNT(*) FROM {streams} WHERE s.gateway = '{}'", NAMES[index]);
        number(&self.cluster.servers[server], &sql)
    }

    /// Returns when a gateway has brought at least so many more readings than now.
    pub fn wait_more_of(&self, server: usize, index: usize, readings: usize) {
        let enough = self.rows_of(server, index) + readings;
        let what = format!("{enough} readings of {} on server {server}", NAMES[index]);
        wait_for(&what, DEADLINE, || self.rows_of(server, index) >= enough);
    }

    /// Who holds the newest term, and which.
    pub fn holder(&self, server: usize) -> (String, u64) {
        let rows = self.cluster.servers[server].query("SELECT holder, term FROM field.standby_groups").concat();
        let [holder, term] = <[String; 2]>::try_from(rows).expect("one row of two columns");
        (holder, term.parse().expect("a term"))
    }

    /// When each of the two asked the sensor.
    pub fn asked(&self) -> Vec<(usize, Instant)> {
        let mailbox = self.mailbox.as_ref().expect("a pair with a sensor");
        mailbox.asked(SENSOR).into_iter().map(|(side, at)| (usize::from(side == Side::B), at)).collect()
    }

    /// Returns when a gateway has asked the sensor after this time, with when it first did.
    pub fn wait_asked(&self, index: usize, after: Instant) -> Instant {
        let first = || first_after(&self.asked(), index, after);
        wait_for(&format!("{} to ask the sensor", NAMES[index]), DEADLINE, || first().is_some());
        first().expect("what was waited for")
    }

    /// How the roles were for so long: true as long as both were these at each look.
    pub fn keeps_roles(&self, roles: [&str; 2], span: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < span {
            let now = [self.role(0), self.role(1)];
            if now != roles {
                println!("after {:.1} s the roles are {now:?}", begun.elapsed().as_secs_f64());
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

fn show(server: &Server, sql: &str) {
    let rows = server.try_query(sql).unwrap_or_else(|why| vec![vec![why]]);
    rows.iter().for_each(|row| eprintln!("{}", row.join("  ")));
}

/// When one of the two first asked after this time.
pub fn first_after(asked: &[(usize, Instant)], index: usize, after: Instant) -> Option<Instant> {
    asked.iter().filter(|(who, at)| *who == index && *at >= after).map(|(_, at)| *at).next()
}

impl Drop for Pair {
    fn drop(&mut self) {
        if thread::panicking() {
            for (name, gateway) in NAMES.iter().zip(&self.gateways) {
                let log = gateway.log();
                let lines: Vec<&str> = log.lines().collect();
                eprintln!("--- log of {name} ---\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
            }
            for server in &self.cluster.servers {
                eprintln!("--- what {} has of the two ---", server.address());
                SHOWN.iter().for_each(|sql| show(server, sql));
            }
        }
    }
}

//! A source and its replicas.

use std::thread;
use std::time::{Duration, Instant};

use super::{Family, Server, WRITABLE, launch};

/// Servers that replicate. Dropping it kills them all and removes their folders.
#[derive(Debug)]
pub struct Cluster {
    /// The first is the source at the beginning, the others are its replicas.
    pub servers: Vec<Server>,
    /// How long the start took, without making the template.
    pub started_in: Duration,
}

impl Cluster {
    /// Starts a source and so many replicas; returns when a write to the source has reached each of them.
    pub fn start(replicas: usize) -> Self {
        Self::start_with(replicas, &[])
    }

    /// The same, with more `mariadbd` arguments for all servers.
    pub fn start_with(replicas: usize, arguments: &[&str]) -> Self {
        Self::start_of(Family::MariaDb, replicas, arguments)
    }

    /// The same of either family.
    pub fn start_of(family: Family, replicas: usize, arguments: &[&str]) -> Self {
        launch::template_of(family);
        let start = Instant::now();
        let servers = spawn_servers(family, replicas, arguments);
        let mut cluster = Self { servers, started_in: Duration::ZERO };
        for server in &mut cluster.servers {
            server.wait_until_ready();
        }
        cluster.replicate();
        cluster.started_in = start.elapsed();
        cluster
    }

    /// The server that was the source at the beginning.
    pub fn source(&self) -> &Server {
        &self.servers[0]
    }

    /// The servers that were its replicas at the beginning.
    pub fn replicas(&self) -> &[Server] {
        &self.servers[1..]
    }

    /// All addresses, as `127.x.y.z:3306`, in the order of `servers`.
    pub fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.address().to_string()).collect()
    }

    fn replicate(&self) {
        thread::scope(|scope| {
            for replica in self.replicas() {
                scope.spawn(|| replica.follow(self.source()));
            }
        });
        self.source().execute("CREATE DATABASE rig_probe; DROP DATABASE rig_probe");
        let written = self.source().gtid_position();
        for replica in self.replicas() {
            replica.wait_for_gtid(&written);
        }
    }
}

/// Spawned from this thread, one after the other: a server ends with the thread that spawned it.
fn spawn_servers(family: Family, replicas: usize, arguments: &[&str]) -> Vec<Server> {
    (0..=replicas)
        .zip(1..)
        .map(|(index, id)| {
            let role = if index == 0 { WRITABLE } else { &[] };
            Server::spawn(family, id, &[role, arguments].concat())
        })
        .collect()
}

//! Galera clusters: MariaDB servers every one of which takes writes, and which hand each commit to all of them.
//!
//! What makes a MariaDB server a member is not installed with what the tests need: `make soak ONLY=galera` fetches it.

mod member;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::address::Address;
use crate::artifacts::cache_folder;
use crate::mariadb::{Cluster, Server, template};

pub(crate) use member::Member;

/// For `Server::restart` of a member that was killed: it gets its data anew from the member with this `server_id`, which
/// can do nothing else meanwhile.
pub fn donor(id: u32) -> String {
    format!("--wsrep-sst-donor={}", member::name(id))
}

/// Starts so many members, the first of which begins the cluster; returns when all are in step.
pub fn start(members: u32) -> Cluster {
    template();
    let start = Instant::now();
    let addresses: Vec<Address> = (0..members).map(|_| Address::claim()).collect();
    let known: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let mut cluster = Cluster { servers: Vec::new(), started_in: Duration::ZERO };
    for (address, id) in addresses.into_iter().zip(1..) {
        let begin: &[&str] = if id == 1 { &["--wsrep-new-cluster"] } else { &[] };
        let member = Member { programs: programs(), known: known.clone() };
        cluster.servers.push(Server::start_member(id, address, member, begin));
    }
    cluster.started_in = start.elapsed();
    cluster
}

/// The folder with what makes a server a member.
fn programs() -> PathBuf {
    let folder = cache_folder().join("galera");
    assert!(folder.is_dir(), "{} is not there: `make soak ONLY=galera` fetches it", folder.display());
    folder
}

impl Server {
    /// Whether this member is part of the cluster's majority and has applied what the others have committed.
    pub fn is_in_step(&self) -> bool {
        self.status("wsrep_cluster_status") == "Primary"
            && self.status("wsrep_local_state_comment") == "Synced"
            && self.status("wsrep_ready") == "ON"
    }

    /// Empty while it does not tell.
    fn status(&self, name: &str) -> String {
        let rows = self.try_query(&format!("SHOW GLOBAL STATUS LIKE '{name}'")).unwrap_or_default();
        rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).unwrap_or_default()
    }

    /// How many transactions of this member have lost against one of another: while they ran, and at their COMMIT.
    pub fn lost_conflicts(&self) -> [usize; 2] {
        ["wsrep_local_bf_aborts", "wsrep_local_cert_failures"].map(|name| self.status(name).parse().unwrap_or_default())
    }

    /// Returns when this member has applied all that the cluster had committed when it was called.
    pub fn wait_in_step(&self) {
        self.execute("SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM field.streams");
    }
}

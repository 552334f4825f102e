//! Sites that promote by themselves.

use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use std::process::Output;
use std::time::{Duration, Instant};

/// For how long no server takes writes before one is promoted.
pub const GRACE: &str = "1 s";

/// A source with two replicas of this family, and a gateway that promotes after a second, asks its servers as often as any gateway
/// does, and begins with everything on all servers.
pub fn site(family: Family) -> Site {
    site_with(Cluster::start_of(family, 2, &[]))
}

/// The same with these servers.
pub fn site_with(cluster: Cluster) -> Site {
    let scene = Scene::start_at(cluster, |settings| settings.promote(GRACE).set("mysql", "probe_period", "1 s"));
    let site = Site::of(scene);
    for server in 0..site.scene.cluster.servers.len() {
        site.wait_more(server, 20);
    }
    site
}

/// The other servers than these.
pub fn others(site: &Site, but: &[usize]) -> Vec<usize> {
    (0..site.scene.cluster.servers.len()).filter(|index| !but.contains(index)).collect()
}

/// Whether a server answers and takes writes.
pub fn is_open(site: &Site, server: usize) -> bool {
    let answer = site.scene.cluster.servers[server].try_query("SELECT @@global.read_only");
    answer.is_ok_and(|rows| rows.concat() == ["0"])
}

/// Which of the other servers takes writes, and how long after `since`.
pub fn wait_promoted(site: &Site, but: usize, since: Instant) -> (usize, Duration) {
    let mut found = None;
    wait_for("a promoted server", DEADLINE, || {
        found = others(site, &[but]).into_iter().find(|server| is_open(site, *server));
        found.is_some()
    });
    (found.expect("just found"), since.elapsed())
}

/// Returns when a server is closed for writes.
pub fn wait_closed(site: &Site, server: usize) {
    wait_for(&format!("server {server} to be closed"), DEADLINE, || !is_open(site, server));
}

/// Returns when a server receives from another one, and applies.
pub fn wait_follows(site: &Site, server: usize, source: usize) {
    let servers = &site.scene.cluster.servers;
    let (host, columns) = match servers[server].family() {
        Family::MariaDb => ("Master_Host", ["Slave_IO_Running", "Slave_SQL_Running"]),
        Family::MySql => ("Source_Host", ["Replica_IO_Running", "Replica_SQL_Running"]),
    };
    let upstream = servers[source].address().ip().to_string();
    wait_for(&format!("server {server} to follow {source}"), DEADLINE, || {
        let status = |column: &str| servers[server].replication_status(column);
        status(host).as_deref() == Some(&*upstream)
            && columns.iter().all(|column| status(column).as_deref() == Some("Yes"))
    });
}

/// What a command printed, on both ways.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

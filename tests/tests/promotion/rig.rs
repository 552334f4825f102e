//! Sites that promote by themselves.

use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use std::time::{Duration, Instant};

/// For how long no server takes writes before one is promoted.
pub const GRACE: &str = "1 s";

/// A source with two replicas of this family, and a gateway that promotes after a second, asks its servers as often as any gateway
/// does, and begins with everything on all servers.
pub fn site(family: Family) -> Site {
    let cluster = Cluster::start_of(family, 2, &[]);
    let scene = Scene::start_at(cluster, |settings| settings.promote(GRACE).set("mysql", "probe_period", "1 s"));
    let site = Site::of(scene);
    site.wait_more(1, 100);
    site.wait_more(2, 1);
    site
}

/// How long after `since` any other server than this one takes writes, and which.
pub fn wait_promoted(site: &Site, but: usize, since: Instant) -> (usize, Duration) {
    let mut found = None;
    wait_for("a promoted server", DEADLINE, || {
        let servers = site.scene.cluster.servers.iter().enumerate().filter(|(index, _)| *index != but);
        let is_open = |sql: &str| sql == "0";
        found = servers
            .filter(|(_, server)| server.try_query("SELECT @@global.read_only").is_ok_and(|rows| is_open(&rows[0][0])))
            .map(|(index, _)| index)
            .next();
        found.is_some()
    });
    (found.expect("just found"), since.elapsed())
}

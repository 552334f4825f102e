//! Sites that promote by themselves.

use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use gateway::promotion::{Hands, Rules, account};
use gateway::topology::probe::look;
use sensors::{KernelClock, SampleClock};
use std::process::Output;
use std::sync::Arc;
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

/// What a command has at hand before it does anything.
pub struct Inside {
    pub config: config::Config,
    pub hands: Hands,
    pub rules: Rules,
    pub clock: Arc<dyn SampleClock>,
    pub term: u64,
}

/// Does a command's work in this process, so that it can end between any two steps.
pub fn in_process<T>(site: &Site, work: impl AsyncFnOnce(Inside) -> T) -> T {
    let config = config::Config::load(&site.scene.gateway.config_file(), "host").expect("the gateway's configuration");
    let own = gateway::command::account(&config).expect("the password");
    let password = gateway::secret::promote_password(&config).expect("the password");
    let account = account(&config, password).expect("[mysql.promote]");
    let rules = Rules::of(&config).expect("[mysql.promote]");
    let clock = Arc::new(KernelClock::open().expect("a clock"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let hands = Hands::new(&config, &account, look(&config, &own).await);
        let term = hands.views().iter().filter_map(|view| Some(view.facts()?.term.as_ref()?.number)).max();
        work(Inside { config, hands, rules, clock, term: term.unwrap_or(0) }).await
    })
}

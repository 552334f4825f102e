//! Two gateways that both promote.

use crate::rig::{GRACE, others, site, wait_follows, wait_promoted};
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Family;
use fieldgate_tests::scenario::DEADLINE;
use std::time::Instant;

#[test]
fn of_two_gateways_one_promotes() {
    let mut site = site(Family::MariaDb);
    let servers = site.scene.cluster.addresses();
    let second = Gateway::named("g2").servers(servers).broker(site.scene.broker.address()).topics(&["other/{node}"]);
    let mut second = second.set("mysql", "probe_period", "1 s").promote(GRACE).build();
    second.start();
    second.wait_log("connected to the source", DEADLINE);
    let since = Instant::now();
    site.server(0).kill9();
    let (promoted, after) = wait_promoted(&site, 0, since);
    println!("two gateways: a writable promoted server in {:.2} s", after.as_secs_f64());
    let other = others(&site, &[0, promoted])[0];
    wait_follows(&site, other, promoted);
    site.wait_more(promoted, 100);
    second.wait_log(&format!("{} takes writes", site.scene.cluster.servers[promoted].address()), DEADLINE);
    second.terminate(DEADLINE);
    site.finish(promoted);
    assert_eq!((site.term(promoted).0.as_str(), site.events(promoted, "failover")), ("2", 1));
}

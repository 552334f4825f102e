//! Lagging replicas are promoted, again and again.

use crate::rig::{others, site, wait_follows, wait_promoted};
use fieldgate_tests::mariadb::Family;
use fieldgate_tests::scenario::number;
use fieldgate_tests::site::Site;
use std::time::Instant;

#[test]
fn ten_promotions_of_lagging_replicas_lose_and_double_nothing() {
    promotions(10);
}

#[test]
#[ignore = "50 promotions of lagging replicas take two minutes: make soak ONLY=faults"]
fn fifty_promotions_of_lagging_replicas() {
    promotions(50);
}

fn promotions(rounds: usize) {
    let mut site = site(Family::MariaDb);
    let (mut source, mut again) = (0, 0);
    for round in 0..rounds {
        let promoted = promote_lagging(&mut site, source, round % 2 == 0);
        // The old source has what nobody else has: it is made anew.
        site.server(source).restart(&[]);
        let servers = &site.scene.cluster.servers;
        servers[source].rebuild_from(&servers[promoted]);
        others(&site, &[promoted]).into_iter().for_each(|replica| wait_follows(&site, replica, promoted));
        source = promoted;
        site.wait_more(source, 50);
    }
    site.finish(source);
    site.assert_replicas_once(source);
    again +=
        number(&site.scene.cluster.servers[source], "SELECT SUM(count) FROM field.events WHERE kind = 'sent again'");
    println!("{rounds} promotions, {again} readings sent again");
    assert!(again > 0, "no replica has lagged");
    assert_eq!(site.events(source, "failover"), rounds);
}

/// Both replicas stop receiving, or one stops applying, and what the source takes meanwhile is on it alone.
fn promote_lagging(site: &mut Site, source: usize, is_cut: bool) -> usize {
    let replicas = others(site, &[source]);
    for replica in &replicas {
        let server = &site.scene.cluster.servers[*replica];
        if is_cut { server.stop_io_thread() } else { server.stop_sql_thread() }
    }
    site.wait_more(source, 100);
    let since = Instant::now();
    site.server(source).kill9();
    let (promoted, after) = wait_promoted(site, source, since);
    println!("promoted after {:.2} s", after.as_secs_f64());
    site.wait_more(promoted, 50);
    promoted
}

//! Another server becomes the source.

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count};

use crate::site::{STOP_WITHIN, Site};

/// The exit code of an auditor that finds no server to compare with.
const NO_SOURCE: i32 = 69;

#[test]
fn what_a_promoted_replica_lacks_is_sent_again_and_counted() {
    let mut site = Site::of(Scene::start_with(2, |settings| settings.set("mysql", "probe_period", "1 s")));
    site.wait_more(1, 100);
    site.server(1).stop_replication();
    site.lose_the_source_to_the_lagging_replica();
    let (term, name) = site.term(1);
    assert!(term == "2" && name.starts_with("server_id 2 on "), "term {term} of {name}");
}

#[test]
fn readings_keep_their_channel_when_the_promoted_server_numbers_channels_otherwise() {
    let mut site = Site::start("fast");
    site.wait_more(1, 100);
    site.server(1).stop_replication();
    // Its channels get their numbers on the old source only.
    site.add_node("late");
    let of_late = "readings r JOIN field.channels c USING (channel_id) WHERE c.node = 'late'";
    wait_for("the first readings of the late node", DEADLINE, || count(site.server(0), of_late) > 50);
    site.server(0).kill9();
    // The promoted server gives those numbers to somebody else's channels first.
    let others = "SET GLOBAL read_only = 0; INSERT INTO field.channels (site, node, channel) VALUES \
                  ('other', 'a', 'c0'), ('other', 'b', 'c1'), ('other', 'c', 'c2')";
    site.server(1).execute(&format!("STOP SLAVE; RESET SLAVE ALL; {others}"));
    wait_for("readings of the late node", DEADLINE, || count(site.server(1), of_late) > 100);
    site.finish(1);
    let strangers = "readings r JOIN field.channels c USING (channel_id) WHERE c.site = 'other'";
    assert_eq!(count(site.server(1), strangers), 0);
}

#[test]
fn an_old_source_that_comes_back_writable_is_never_written_to_again_even_after_a_restart() {
    let mut site = Site::start("fast");
    site.wait_more(0, 200);
    site.server(1).stop_replication();
    site.wait_more(0, 100);
    site.server(0).kill9();
    site.promote(1);
    site.server(0).restart(WRITABLE);
    let old = site.cursors(0);
    site.wait_said("was the source before a later failover");
    site.wait_more(1, 200);
    assert_eq!(site.cursors(0), old);

    // Now only the gateway knows of the second term.
    site.server(1).kill9();
    site.scene.gateway.restart(STOP_WITHIN);
    site.wait_said("was the source before a later failover (its term is 1, the highest seen is 2)");
    site.wait_said("no server takes writes");
    site.wait_published(20);
    assert_eq!(site.cursors(0), old);
    assert_eq!(site.scene.reconcile().status.code(), Some(NO_SOURCE), "the auditor takes it for the source");
    site.server(1).restart(WRITABLE);
    site.wait_more(1, 200);
    site.finish(1);
    assert_eq!(site.cursors(0), old);
}

#[test]
fn a_frozen_source_that_thaws_after_a_promotion_is_left_alone() {
    let mut site = Site::start("card");
    site.wait_more(1, 200);
    site.server(0).freeze();
    let first_row = site.promote(1);
    println!("first row {:.2} s after the promoted server took writes", first_row.as_secs_f64());
    site.server(0).thaw();
    site.wait_said("was the source before a later failover");
    let old = site.cursors(0);
    site.wait_more(1, 200);
    site.finish(1);
    assert_eq!(site.cursors(0), old);
    assert_eq!(site.term(1).0, "2");
}

#[test]
fn a_planned_swap_under_load_and_back_loses_and_doubles_nothing() {
    let mut site = Site::start("fast");
    site.wait_more(0, 200);
    swap(&mut site, 0, 1);
    site.wait_more(1, 200);
    assert_eq!(site.term(1).0, "2");
    swap(&mut site, 1, 0);
    site.wait_more(0, 200);
    site.finish(0);
    site.assert_replicas_once(0);
    let (term, name) = site.term(0);
    assert!(term == "3" && name.starts_with("server_id 1 on "), "term {term} of {name}");
    assert_eq!((site.events(0, "failover"), site.events(0, "sent again")), (2, 0));
}

/// By hand, as an operator does it: close one server, and open the other when it has everything.
fn swap(site: &mut Site, from: usize, to: usize) {
    site.server(from).set_read_only(true);
    let written = site.server(from).gtid_position();
    site.server(to).wait_for_gtid(&written);
    site.promote(to);
    let servers = &site.scene.cluster.servers;
    servers.iter().filter(|server| server.id() != servers[to].id()).for_each(|server| server.follow(&servers[to]));
}

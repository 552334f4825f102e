//! More servers take writes than should.

use crate::site::Site;

#[test]
fn a_replica_left_writable_is_named_and_not_taken() {
    let mut site = Site::start("fast");
    site.server(1).set_read_only(false);
    site.wait_said("is writable but still follows");
    site.wait_more(0, 100);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
}

#[test]
fn with_two_servers_taking_writes_both_are_named_and_neither_is_written_to_until_one_is_closed() {
    let mut site = Site::start("fast");
    site.wait_more(1, 100);
    // Nothing is left to apply, so that its replication does not keep it from taking writes.
    site.server(1).stop_when_applied();
    site.server(1).set_read_only(false);
    site.wait_said("several servers take writes");
    let addresses = site.scene.cluster.addresses();
    let log = site.scene.gateway.log();
    let line = log.lines().find(|line| line.contains("several servers take writes")).expect("the line waited for");
    assert!(line.contains(&addresses[0]) && line.contains(&addresses[1]), "{line}");
    let held = [site.cursors(0), site.cursors(1)];
    site.wait_published(25);
    assert_eq!([site.cursors(0), site.cursors(1)], held);

    site.server(1).set_read_only(true);
    site.server(1).start_replication();
    site.wait_more(0, 100);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
}

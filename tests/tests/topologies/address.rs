//! One configured name, and another server behind it after a while.

use fieldgate_tests::forwarder::Forwarder;
use fieldgate_tests::mariadb::{Cluster, RelayLog};
use fieldgate_tests::scenario::number;
use serde_json::json;

use crate::rig::Rig;

#[test]
fn behind_an_address_that_moves_the_cursor_decides_what_is_sent_again() {
    let cluster = Cluster::start(1);
    let address = Forwarder::to(cluster.source().address());
    let mut rig = Rig::of(cluster, [address.address()], |settings| settings).with_load();
    rig.wait_more(1, 50);
    rig.server(1).stop_replication();
    rig.wait_more(0, 100);
    rig.server(0).kill9();
    rig.server(1).promote(RelayLog::Apply);
    address.move_to(rig.server(1).address());
    rig.wait_said("is an address that moved to server_id 2 on ");
    rig.wait_more(1, 150);
    rig.wait_note(0, "an address that moved to server_id 2 on ");
    rig.finish(1);
    let again = number(rig.server(1), "SELECT SUM(count) FROM field.events WHERE kind = 'sent again'");
    assert!(again > 0);
}

#[test]
fn a_server_with_two_names_is_one_server_and_its_address_may_move() {
    let cluster = Cluster::start(1);
    let address = Forwarder::to(cluster.source().address());
    let names: Vec<String> = [vec![address.address().to_string()], cluster.addresses()].concat();
    let mut rig = Rig::of(cluster, &names, |settings| settings).with_load();
    rig.wait_note(1, &format!("the same server as {}", names[0]));
    assert_eq!(rig.shown()[0]["role"], json!("source"));
    // A swap under load, as Keepalived does it.
    rig.wait_more(0, 50);
    rig.server(0).set_read_only(true);
    let written = rig.server(0).gtid_position();
    rig.server(1).wait_for_gtid(&written);
    rig.server(1).promote(RelayLog::Apply);
    address.move_to(rig.server(1).address());
    rig.wait_note(2, &format!("the same server as {}", names[0]));
    rig.wait_more(1, 100);
    rig.finish(1);
    assert!(!rig.scene.gateway.log().contains("several servers take writes"), "two names are not two servers");
}

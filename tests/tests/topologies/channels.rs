//! A replica with two channels: of our source, and of a server that is none of ours.

use fieldgate_tests::mariadb::{PORT, REPLICATION, Server, WRITABLE};
use fieldgate_tests::process::wait_for;
use serde_json::json;

use crate::rig::{DEADLINE, Rig};

#[test]
fn it_is_a_source_only_when_both_channels_are_gone() {
    let mut rig = Rig::start(1);
    let stranger = Server::start_with(9, &[WRITABLE, &["--gtid-domain-id=9"]].concat());
    stranger.execute("CREATE DATABASE strange");
    add_channel(rig.server(1), &stranger);
    let (source, other) = (rig.address(0), stranger.address().to_string());
    let follows = || rig.shown().get(1).map(|shown| shown["follows"].clone()).unwrap_or_default();
    wait_for("both channels in the status", DEADLINE, || {
        let mut names: Vec<_> = follows().as_array().cloned().unwrap_or_default();
        names.sort_by_key(ToString::to_string);
        let mut expected = vec![json!(source), json!(other)];
        expected.sort_by_key(ToString::to_string);
        names == expected
    });
    wait_for("what the stranger writes", DEADLINE, || rig.scene.cluster.servers[1].try_query("USE strange").is_ok());

    rig.server(0).kill9();
    rig.server(1).promote(fieldgate_tests::mariadb::RelayLog::Apply);
    rig.wait_said(&format!("{} is writable but still follows {other}", rig.address(1)));
    let held = rig.readings(1);
    rig.wait_published(25);
    assert_eq!(rig.readings(1), held);
    rig.server(1).execute("STOP SLAVE 'other'; RESET SLAVE 'other' ALL");
    rig.wait_more(1, 100);
    rig.finish(1);
}

fn add_channel(replica: &Server, upstream: &Server) {
    let host = *upstream.address().ip();
    replica.execute(&format!(
        "CHANGE MASTER 'other' TO MASTER_HOST='{host}', MASTER_PORT={PORT}, MASTER_USER='{REPLICATION}', \
         MASTER_PASSWORD='{REPLICATION}', MASTER_USE_GTID=slave_pos; START SLAVE 'other'"
    ));
}

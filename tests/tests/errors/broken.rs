//! Errors that take more than a statement: other sessions, other clients, and a server that is killed or stands still.

use std::net::TcpStream;
use std::thread;

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, first_stream, number};

use crate::site::Site;

#[test]
fn a_server_whose_connections_are_killed_that_freezes_dies_and_has_no_connections_to_give_is_waited_for() {
    let mut site = Site::start();
    for _ in 0..10 {
        site.disconnect();
        site.wait_more(4);
    }
    site.scene.cluster.servers[0].freeze();
    site.wait_status(&["within"]);
    site.scene.cluster.servers[0].thaw();
    site.wait_more(20);
    site.scene.cluster.servers[0].kill9();
    site.wait_status(&["cannot be asked"]);
    site.scene.cluster.servers[0].restart(WRITABLE);
    site.wait_more(20);
    without_connections_to_give(&mut site);
    site.finish();
}

fn without_connections_to_give(site: &mut Site) {
    site.server().execute("SET GLOBAL max_connections = 10");
    assert_eq!(site.scene.gateway.terminate(DEADLINE), 0);
    let take_one = || TcpStream::connect(site.server().address());
    let others: Vec<TcpStream> = std::iter::repeat_with(take_one).take(12).collect::<Result<_, _>>().unwrap();
    site.scene.gateway.start();
    site.wait_status(&["error 1040", "raise max_connections"]);
    drop(others);
    site.wait_more(20);
}

#[test]
fn locks_deadlocks_and_rows_of_others_are_told_and_waited_for() {
    let site = Site::start();
    let (server, stream) = (site.server(), first_stream(site.server()));
    let hold = format!(
        "START TRANSACTION; UPDATE field.streams SET site = site WHERE stream = {stream}; \
         SELECT 1 FROM field.streams WHERE stream = {stream} FOR UPDATE; DO SLEEP(5); ROLLBACK"
    );
    thread::scope(|scope| {
        let other = scope.spawn(|| server.execute(&hold));
        // The statement's own deadline is shorter than the server's 3 s for a lock.
        site.wait_status(&["no answer to a statement within 1s"]);
        other.join().unwrap();
    });
    site.wait_more(20);
    server.execute("CREATE TABLE field.heavy (n INT PRIMARY KEY) ENGINE=InnoDB");
    // The server ends the transaction that has done less: ours.
    let deadlock = format!(
        "USE field; START TRANSACTION; INSERT INTO field.heavy SELECT seq FROM seq_1_to_5000; \
         SELECT 1 FROM field.readings WHERE stream = {stream} AND seq > 10 FOR UPDATE; DO SLEEP(0.5); \
         UPDATE field.streams SET site = CONCAT(site, '') WHERE stream = {stream}; \
         SELECT 1 FROM field.streams WHERE stream = {stream} FOR UPDATE; ROLLBACK"
    );
    wait_for("a deadlock that ends our transaction", DEADLINE, || {
        // Theirs may be the one that is ended.
        let _ = server.try_query(&deadlock);
        site.scene.gateway.log().contains("error 1213")
    });
    site.wait_more(20);
    a_row_stands_where_ours_must(&site);
    site.finish();
}

/// It is told loudly, and nothing is written.
fn a_row_stands_where_ours_must(site: &Site) {
    let stream = first_stream(site.server());
    site.server().execute(&format!(
        "INSERT INTO field.readings (stream, seq, channel_id, sampled_at, time_quality) \
         SELECT {stream}, last_seq + 40, 1, '2026-01-01', 2 FROM field.streams WHERE stream = {stream}"
    ));
    site.wait_status(&["error 1062", "two writers share one stream"]);
    let cursor = || number(site.server(), &format!("SELECT last_seq FROM field.streams WHERE stream = {stream}"));
    let before = cursor();
    site.server().execute(&format!("DELETE FROM field.readings WHERE stream = {stream} AND sampled_at = '2026-01-01'"));
    wait_for("the cursor to move on", DEADLINE, || cursor() > before);
}

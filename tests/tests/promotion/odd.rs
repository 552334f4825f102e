//! What is missing or wrong where a promotion needs it: the log says it, and nothing is left half done.

use crate::rig::{is_open, site, wait_follows, wait_promoted};
use fieldgate_tests::mariadb::Family;
use fieldgate_tests::site::Site;
use std::time::Instant;

/// As root at one server, and not replicated.
fn at_each(site: &Site, sql: &str) {
    for server in site.scene.cluster.servers.iter().filter(|server| server.try_query("SELECT 1").is_ok()) {
        server.execute(&format!("SET sql_log_bin = 0; {sql}"));
    }
}

/// Without this right nobody is promoted for these words, and a source that comes back finds both replicas as it left them; with
/// it again a server is promoted.
fn without(rights: &str, words: &str) {
    let mut site = site(Family::MariaDb);
    at_each(&site, &format!("REVOKE {rights} FROM fieldgate_promote@'%'"));
    site.server(0).kill9();
    site.wait_said(words);
    assert!(!is_open(&site, 1) && !is_open(&site, 2));
    // As somebody opens it by hand.
    site.server(0).restart(fieldgate_tests::mariadb::WRITABLE);
    [1, 2].into_iter().for_each(|replica| wait_follows(&site, replica, 0));
    site.wait_more(0, 20);
    site.server(0).kill9();
    at_each(&site, &format!("GRANT {rights} TO fieldgate_promote@'%'"));
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.wait_more(promoted, 20);
    site.finish(promoted);
}

#[test]
fn without_the_right_to_tell_of_it() {
    without("INSERT ON field.events", "INSERT command denied");
}

#[test]
fn without_the_right_to_let_a_replica_forget() {
    without("RELOAD ON *.*", "RELOAD privilege");
}

#[test]
fn without_the_right_to_write_to_a_closed_server() {
    without("READ_ONLY ADMIN ON *.*", "it lacks READ_ONLY ADMIN");
}

#[test]
fn a_wrong_password_is_said() {
    let mut site = site(Family::MariaDb);
    at_each(&site, "SET PASSWORD FOR fieldgate_promote@'%' = PASSWORD('another')");
    site.server(0).kill9();
    site.wait_said("is held at 0 of 3 servers, which is not more than half of them: ");
    site.wait_said("Access denied for user 'fieldgate_promote'@");
    assert!(!is_open(&site, 1) && !is_open(&site, 2));
    at_each(&site, "SET PASSWORD FOR fieldgate_promote@'%' = PASSWORD('promotion''s own')");
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.finish(promoted);
}

#[test]
fn a_small_file_that_cannot_be_written_stops_nothing_half_way() {
    let mut site = site(Family::MariaDb);
    // Where its new content would be written before it takes the place of the old.
    let new = site.scene.gateway.state_folder().join("promotion.new");
    std::fs::create_dir(&new).expect("a folder in the way");
    site.server(0).kill9();
    site.wait_said("no server is promoted: cannot write ");
    for server in [1, 2] {
        let receiving = site.server(server).replication_status("Slave_IO_Running");
        assert!(!is_open(&site, server) && receiving.as_deref() != Some("No"), "{receiving:?}");
    }
    std::fs::remove_dir(&new).expect("nothing in the way");
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.finish(promoted);
}

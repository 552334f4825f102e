//! The gateway and the broker are killed and restarted.

use fieldgate_tests::audit::Audit;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, count};

use crate::site::Site;

/// Rows that say that the broker lost what it held.
const FORGOTTEN: &str = "gaps WHERE reason LIKE '%forgot our session%'";

#[test]
fn a_gateway_killed_five_times_under_load_loses_and_doubles_nothing() {
    let mut site = Site::start("card");
    for streams in 2..=6 {
        site.wait_more(0, 200);
        site.scene.gateway.kill9();
        site.scene.gateway.start();
        let source = site.scene.cluster.source();
        wait_for("the stream of a new run", DEADLINE, || count(source, "streams") == streams);
    }
    site.wait_more(0, 200);
    site.finish(0);
    site.assert_replicas_once(0);
}

#[test]
fn a_broker_restarted_under_load_keeps_its_session_and_nothing_is_lost() {
    let mut site = Site::start("card");
    for _ in 0..2 {
        site.wait_more(0, 200);
        site.scene.broker.restart();
    }
    site.wait_more(0, 400);
    site.finish(0);
    assert_eq!(count(site.server(0), FORGOTTEN), 0);
}

#[test]
fn a_killed_broker_that_forgot_the_session_becomes_a_gap_and_is_subscribed_again() {
    let mut site = Site::start("fast");
    site.wait_more(0, 200);
    site.scene.broker.kill9();
    site.scene.broker.restart();
    site.wait_said("the broker has forgotten our session");
    let source = site.scene.cluster.source();
    wait_for("the gap", DEADLINE, || count(source, FORGOTTEN) == 1);
    // What comes after the gap comes by a new subscription.
    site.wait_more(0, 200);
    let logs = site.end_nodes().to_vec();
    wait_for("an empty queue", DEADLINE, || site.reconciled()["waiting"] == 0);
    assert_eq!(count(site.server(0), FORGOTTEN), 1);
    // What the broker had acknowledged and took with it is not the gateway's to save.
    let audit = Audit::take(site.server(0), &logs);
    assert!(audit.doubled.is_empty() && audit.wrong.is_empty(), "{audit}");
}

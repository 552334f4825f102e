//! Nothing breaks, and a clean stop.

use std::fs;

use fieldgate_tests::gateway::Gateway;
use rustix::process::{Pid, Signal, kill_process};

use crate::site::{STOP_WITHIN, Site};

#[test]
fn every_reading_reaches_the_source_and_both_replicas_once() {
    let mut site = Site::start("fast");
    site.wait_more(0, 400);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
    assert_eq!(site.events(0, "failover"), 0);
    assert_eq!(site.scene.gateway.terminate(STOP_WITHIN), 0);
    let log = site.scene.gateway.log();
    assert!(log.contains("stopped; 0 readings stay in the queue"), "{log}");
}

#[test]
fn sigterm_stops_cleanly_and_says_how_many_readings_stay_queued() {
    stops_cleanly("SIGTERM: stopping", |gateway| gateway.terminate(STOP_WITHIN));
}

#[test]
fn sigint_stops_cleanly_and_says_how_many_readings_stay_queued() {
    stops_cleanly("SIGINT: stopping", |gateway| {
        kill_process(process_id(gateway), Signal::INT).expect("the gateway runs");
        gateway.wait_exit(STOP_WITHIN)
    });
}

/// In a run that never meets a writable server, with readings from the run before that the database has already.
fn stops_cleanly(words: &str, stop: impl FnOnce(&mut Gateway) -> i32) {
    let mut site = Site::start("card");
    site.wait_more(0, 200);
    site.server(0).set_read_only(true);
    site.scene.gateway.restart(STOP_WITHIN);
    site.wait_said("no server takes writes");
    site.wait_published(50);
    assert_eq!(stop(&mut site.scene.gateway), 0);
    let log = site.scene.gateway.log();
    assert!(log.contains(words), "{log}");
    site.server(0).set_read_only(false);
    let waiting = site.scene.assert_reconciled()["waiting"].to_string();
    assert_ne!(waiting, "0");
    assert!(log.contains(&format!("stopped; {waiting} readings stay in the queue")), "{waiting} wait;\n{log}");
    site.scene.gateway.start();
    site.finish(0);
}

/// As the gateway writes it into the lock of its queue.
fn process_id(gateway: &Gateway) -> Pid {
    let text = fs::read_to_string(gateway.state_folder().join("queue/lock")).expect("the lock of a running gateway");
    let number = text.trim().parse().expect("a process id");
    Pid::from_raw(number).expect("a process id above 0")
}

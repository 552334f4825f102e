//! A promotion ends after any of its steps, as when the gateway is killed there; the next start finishes it, or takes back what
//! was done if the source is back.

use crate::rig::{Inside, in_process, is_open, others, site, site_with, wait_closed, wait_follows, wait_promoted};
use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use fieldgate_tests::site::Site;
use gateway::promotion::{Promotion, Record, Rules};
use gateway::topology::promote::Gate;
use gateway::topology::promote::steps::Step;
use std::time::Instant;

/// Does all steps before this one, and ends as a killed gateway does: without a word to anybody. Returns whom it has chosen.
fn leave_before(site: &Site, step: Option<Step>) -> Option<usize> {
    in_process(site, async |Inside { config, hands, rules, clock, term }| {
        let record = Record::open(&config.gateway.state_dir);
        let rules = Rules { waived: vec![Gate::Grace], ..rules };
        let mut promotion = Promotion::new(rules, hands, record, clock, term, None, None);
        while promotion.next() != step {
            println!("  {}", promotion.step().await.expect("every step before the end"));
        }
        promotion.chosen()
    })
}

#[test]
fn a_promotion_that_ended_after_any_step_is_finished_by_the_next_start() {
    use Step::*;
    let (mut site, mut source) = (site(Family::MariaDb), 0);
    for step in [Some(StopReceiving), Some(Apply), Some(Reset), Some(RaiseTerm), Some(Spread), Some(Open), None] {
        println!("killed before {step:?}");
        site.scene.gateway.kill9();
        site.server(source).kill9();
        let chosen = leave_before(&site, step).expect("a candidate");
        let since = Instant::now();
        site.scene.gateway.start();
        let (promoted, _) = wait_promoted(&site, source, since);
        assert_eq!(promoted, chosen, "whoever comes next goes on with the same server");
        site.wait_more(promoted, 20);
        others(&site, &[source, promoted]).into_iter().for_each(|other| wait_follows(&site, other, promoted));
        site.server(source).restart(&[]);
        let servers = &site.scene.cluster.servers;
        servers[source].rebuild_from(&servers[promoted]);
        wait_follows(&site, source, promoted);
        source = promoted;
        site.wait_more(source, 20);
    }
    site.finish(source);
    site.assert_replicas_once(source);
}

/// Frozen until its replicas have noticed.
fn freeze_until_noticed(site: &mut Site, server: usize) {
    site.server(server).freeze();
    for replica in others(site, &[server]) {
        let status = || site.scene.cluster.servers[replica].replication_status("Slave_IO_Running");
        wait_for("a replica to notice", DEADLINE, || status().as_deref() != Some("Yes"));
    }
}

#[test]
fn a_source_that_thaws_before_the_term_is_raised_stays_the_source_and_everybody_receives_again() {
    let mut site = site(Family::MariaDb);
    freeze_until_noticed(&mut site, 0);
    site.scene.gateway.kill9();
    leave_before(&site, Some(Step::Reset));
    site.server(0).thaw();
    site.scene.gateway.start();
    site.wait_more(0, 50);
    [1, 2].into_iter().for_each(|replica| wait_follows(&site, replica, 0));
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.term(0).0, "1");
}

#[test]
fn a_source_that_thaws_after_the_term_was_raised_is_closed_and_the_promotion_finished() {
    let mut site = site(Family::MariaDb);
    freeze_until_noticed(&mut site, 0);
    site.scene.gateway.kill9();
    let chosen = leave_before(&site, Some(Step::Open)).expect("a candidate");
    site.server(0).thaw();
    site.scene.gateway.start();
    wait_closed(&site, 0);
    wait_for("the promoted server to be open", DEADLINE, || is_open(&site, chosen));
    site.wait_more(chosen, 50);
    site.finish(chosen);
}

#[test]
fn a_candidate_that_dies_after_its_term_was_raised_is_passed_over_and_stays_closed() {
    let mut site = site_with(Cluster::start(3));
    site.scene.gateway.kill9();
    site.server(0).kill9();
    let chosen = leave_before(&site, Some(Step::Open)).expect("a candidate");
    site.server(chosen).kill9();
    site.scene.gateway.start();
    // Two of four are no majority.
    site.wait_said("2 of 4 servers answer");
    site.server(0).restart(&[]);
    let since = Instant::now();
    let (promoted, _) = wait_promoted(&site, chosen, since);
    site.wait_more(promoted, 50);
    site.server(chosen).restart(&[]);
    site.wait_more(promoted, 50);
    assert!(!is_open(&site, chosen));
    site.finish(promoted);
    println!("term {:?}", site.term(promoted));
}

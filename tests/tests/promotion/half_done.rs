//! A switchover whose command is killed between two steps: what is so then, and who finishes it.

use crate::rig::{GRACE, Inside, in_process, is_open, others, said, site, wait_closed, wait_follows, wait_promoted};
use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::mariadb::{Cluster, Family};
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use fieldgate_tests::site::Site;
use gateway::promotion::{Login, Stage, Switchover};
use std::process::{Command, Output};
use std::time::Instant;

const STAGES: [Option<Stage>; 6] =
    [Some(Stage::Close), Some(Stage::RaiseTerm), Some(Stage::CatchUp), Some(Stage::Release), Some(Stage::Open), None];

/// Does all steps before this one, and no more.
fn leave_before(site: &Site, (from, to): (usize, usize), stage: Option<Stage>) {
    in_process(site, async |Inside { config, hands, rules, clock, term }| {
        let login = Login::of(&config).expect("the replication account");
        let mut switchover = Switchover::new(hands, rules, login, clock, (from, to), term);
        println!("{}", switchover.begin().await.expect("all is ready"));
        while switchover.next() != stage {
            println!("  {}", switchover.step().await.expect("every step before the end"));
        }
    });
}

fn switch_to(site: &Site, server: usize) -> Output {
    let address = site.scene.cluster.servers[server].address().to_string();
    site.scene.gateway.command(&["db", "switchover", "--to", &address])
}

fn rejoin(site: &Site, server: usize) {
    let address = site.scene.cluster.servers[server].address().to_string();
    let output = site.scene.gateway.command(&["db", "rejoin", &address]);
    assert!(output.status.success(), "{}", said(&output));
}

/// Whoever has been left over by the command follows in the end.
fn wait_well(site: &Site, source: usize) {
    wait_for("the source to be open", DEADLINE, || is_open(site, source));
    for other in others(site, &[source]) {
        if site.scene.cluster.servers[other].replication_status("Master_Host").is_none() {
            rejoin(site, other);
        }
        wait_follows(site, other, source);
        assert!(!is_open(site, other));
    }
    site.wait_more(source, 50);
}

/// A gateway that promotes on command only.
fn following_site(family: Family) -> Site {
    let cluster = Cluster::start_of(family, 2, &[]);
    let scene = Scene::start_at(cluster, |settings| settings.promote(GRACE).set("mysql", "failover", "follow"));
    let site = Site::of(scene);
    (0..3).for_each(|server| site.wait_more(server, 20));
    site
}

#[test]
fn a_switchover_killed_at_any_step_is_finished_by_the_same_command() {
    let mut site = following_site(Family::MariaDb);
    for (round, stage) in STAGES.into_iter().enumerate() {
        let (from, to) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        println!("killed before {stage:?}");
        leave_before(&site, (from, to), stage);
        if matches!(stage, Some(Stage::CatchUp | Stage::Release)) {
            site.wait_said("was begun and not finished: `fieldgate db switchover --to ");
        }
        let output = switch_to(&site, to);
        println!("{}", said(&output));
        assert!(output.status.success(), "{}", said(&output));
        wait_well(&site, to);
    }
    site.finish(0);
    site.assert_replicas_once(0);
}

#[test]
fn a_switchover_killed_at_any_step_is_taken_back_by_a_switchover_to_the_old_source() {
    let mut site = following_site(Family::MariaDb);
    for stage in STAGES.into_iter().flatten() {
        println!("killed before {stage:?}");
        leave_before(&site, (0, 1), Some(stage));
        let output = switch_to(&site, 0);
        println!("{}", said(&output));
        assert!(output.status.success(), "{}", said(&output));
        wait_well(&site, 0);
    }
    site.finish(0);
    site.assert_replicas_once(0);
}

#[test]
fn a_gateway_that_promotes_finishes_a_switchover_that_was_killed() {
    finished_by_the_gateway(Family::MariaDb, &[Stage::CatchUp, Stage::Release, Stage::Open]);
}

#[test]
fn a_gateway_that_promotes_finishes_a_switchover_of_mysql_that_was_killed() {
    if is_at_hand("a switchover of MySQL that is finished") {
        finished_by_the_gateway(Family::MySql, &[Stage::CatchUp]);
    }
}

fn finished_by_the_gateway(family: Family, stages: &[Stage]) {
    let (mut site, mut source) = (site(family), 0);
    for stage in stages {
        println!("killed before {stage:?}");
        let to = 1 - source;
        leave_before(&site, (source, to), Some(*stage));
        wait_for("the switchover to be finished", DEADLINE, || is_open(&site, to));
        wait_closed(&site, source);
        if family == Family::MariaDb {
            wait_well(&site, to);
        }
        source = to;
        site.wait_more(source, 50);
    }
    site.finish(source);
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_switchover() {
    let mut site = following_site(Family::MariaDb);
    let config = site.scene.gateway.config_file();
    let program = built_program("fieldgate", "fieldgate", "FIELDGATE_BIN");
    for to in [1, 0] {
        let server = site.server(to).address();
        let line =
            format!("{} db switchover --to {server} --config {} 2>&1 | true", program.display(), config.display());
        Command::new("sh").args(["-c", &line]).status().expect("sh can be run");
        wait_well(&site, to);
    }
    site.finish(0);
}

#[test]
fn when_the_old_source_dies_as_well_the_best_replica_is_promoted() {
    let mut site = site(Family::MariaDb);
    site.scene.gateway.kill9();
    leave_before(&site, (0, 1), Some(Stage::CatchUp));
    site.server(0).kill9();
    site.scene.gateway.start();
    let (promoted, _) = wait_promoted(&site, 0, Instant::now());
    site.wait_more(promoted, 50);
    site.finish(promoted);
}

//! What gateways tell each other over a real database: members of a site, and two machines of one id.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use config::{ServerAddress, Tls};
use fieldgate_tests::mariadb::{ADMIN, Cluster, Family};
use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count};
use gateway::database::{Account, Deadlines, Session};
use gateway::drain::members::Members;
use gateway::drain::twin::{Moved, living, look, moved};
use gateway::standby::said::{Said, SaidSource};

/// A moment of 2026, microseconds since 1970.
const NOW_US: i64 = 1_790_000_000_000_000;

/// A database with our tables, and a session in it.
async fn open(scene: &Scene) -> Session {
    let address = ServerAddress::parse(&scene.cluster.source().address().to_string()).unwrap();
    let (user, password) = (ADMIN.to_owned(), Some(ADMIN.to_owned()));
    let account = Account { user, password, database: Some("field".to_owned()), tls: Tls::Off };
    let deadline = Duration::from_secs(20);
    Session::open(&address, &account, Deadlines { connect: deadline, query: deadline }).await.unwrap()
}

/// One of each family with our tables; without MySQL only of the other, which is said.
fn scenes() -> Vec<Scene> {
    let mysql = is_at_hand("what gateways tell each other over MySQL").then_some(Family::MySql);
    let families = [Some(Family::MariaDb), mysql].into_iter().flatten();
    let scenes = families.map(|family| Scene::prepare_with(Cluster::start_of(family, 0, &[]), |settings| settings));
    scenes.inspect(|scene| scene.gateway.apply_schema()).collect()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn said(priority: u8, topic: &str) -> Said {
    let source = SaidSource {
        hears: format!("the topic {topic}"),
        kind: "mqtt".to_owned(),
        while_standby: "hold".to_owned(),
        details: BTreeMap::new(),
    };
    Said { priority, beat_ms: 1000, silence_ms: 3000, sources: vec![source] }
}

fn member(site: &str, gateway: &str, priority: u8) -> Members {
    Members::new((site, gateway), said(priority, "plants/{node}"), NOW_US)
}

#[test]
fn two_members_compare_themselves_and_their_clocks_by_the_servers() {
    scenes().iter().for_each(compare_themselves);
}

fn compare_themselves(scene: &Scene) {
    block_on(async {
        let mut session = open(scene).await;
        let mut first = member("barn", "barn-1", 1);
        assert_eq!(first.look(&mut session, NOW_US, false).await.unwrap(), Vec::<String>::new(), "alone");
        let fits = member("barn", "barn-2", 2).look(&mut session, NOW_US, false).await.unwrap();
        assert_eq!(fits, Vec::<String>::new());

        // It comes back with another configuration and a clock that is 90 s behind.
        let minute = 60_000_000;
        assert_eq!(first.look(&mut session, NOW_US + minute, false).await.unwrap(), Vec::<String>::new());
        let mut second = Members::new(("barn", "barn-2"), said(1, "tank/#"), NOW_US);
        let told = second.look(&mut session, NOW_US + minute - 90_000_000, false).await.unwrap();
        assert!(told.len() == 4 && told[3].starts_with("barn-1's clock is at least 90 s ahead"), "{told:?}");
        let told = first.look(&mut session, NOW_US + 2 * minute, false).await.unwrap();
        assert_eq!(told.len(), 4, "{told:?}");
        for (words, part) in told.iter().zip([
            "standby.priority is 1 on both",
            "the topic plants/{node} is",
            "the topic tank/# is",
            "barn-2's clock is at least 90 s behind",
        ]) {
            assert!(words.starts_with(part), "{part}: {words}");
        }

        // What it says cannot be read any more; then it is not heard of for a while.
        session.run("UPDATE standby_members SET said = '{' WHERE gateway = 'barn-2'").await.unwrap();
        let told = first.look(&mut session, NOW_US + 3 * minute, false).await.unwrap();
        assert!(told[0].contains("what barn-2 says of its sources cannot be read"), "{told:?}");
        assert_eq!(first.look(&mut session, NOW_US + 13 * minute, false).await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn two_running_gateways_show_and_log_what_does_not_fit_and_which_versions_they_are() {
    let topics = ["plants/{node}", "tank/{node}"];
    let mut pair = Pair::with(0).line().prepare_with(|index, settings| settings.topics(&topics[..=index]));
    pair.start_gateway(0);
    wait_for("the row of the first one", DEADLINE, || count(pair.cluster.source(), "standby_members") == 1);
    pair.start_gateway(1);
    let lacks = "the topic tank/{node} is \"hold\" on two and not shared on one: add it there";
    pair.gateways[1].wait_log("the gateways of the site do not fit", DEADLINE);
    wait_for("the line of status", DEADLINE, || shown(&pair, 1).contains(&format!("WARNING: {lacks}")));
    let said = &pair.gateways[1].log();
    assert_eq!(said.matches("do not fit").count(), 1, "once, and of nothing else: {said}");

    // The first one has looked when it was alone; on a new connection it looks again.
    let source = pair.cluster.source();
    source.execute("UPDATE field.standby_members SET version = '0.0.1' WHERE gateway = 'two'");
    pair.gateways[0].restart(DEADLINE);
    let version = format!("one runs fieldgate {} and two 0.0.1: put the same version", env!("CARGO_PKG_VERSION"));
    for words in [lacks, &version] {
        pair.gateways[0].wait_log(words, DEADLINE);
        wait_for("the line of status", DEADLINE, || shown(&pair, 0).contains(&format!("WARNING: {words}")));
    }
    for words in ["two machines run as", "has another queue"] {
        assert!(pair.gateways.iter().all(|gateway| !gateway.log().contains(words)), "{words}");
    }
}

fn shown(pair: &Pair, index: usize) -> String {
    String::from_utf8(pair.gateways[index].command(&["status"]).stdout).unwrap()
}

#[test]
fn sites_that_do_not_match_and_a_third_gateway_are_told() {
    scenes().iter().for_each(tell_of_sites);
}

fn tell_of_sites(scene: &Scene) {
    block_on(async {
        let mut session = open(scene).await;
        let mut look = async |site: &str, gateway: &str, priority| {
            member(site, gateway, priority).look(&mut session, NOW_US, false).await.unwrap()
        };
        assert_eq!(look("Barn", "barn-2", 2).await.len(), 0);
        let alone = look("barn", "barn-1", 1).await;
        assert!(alone.len() == 1 && alone[0].contains("alone too: barn-2 in the site Barn;"), "{alone:?}");
        let elsewhere = look("barn", "barn-2", 2).await;
        assert!(
            elsewhere.len() == 1 && elsewhere[0].starts_with("barn-2 has written for the site Barn"),
            "{elsewhere:?}"
        );
        let third = look("barn", "barn-3", 3).await;
        assert!(third.len() == 1 && third[0].contains("barn-3 and barn-1 and barn-2 all have [standby]"), "{third:?}");
    });
}

#[test]
fn a_machine_of_our_id_is_told_from_an_old_card_that_another_gateway_imports() {
    scenes().iter().for_each(tell_a_machine_from_a_card);
}

fn tell_a_machine_from_a_card(scene: &Scene) {
    let source = scene.cluster.source();
    let row = |stream: u64, last_seq: u64, second: u64| {
        let at = format!("'2026-09-01 00:00:{second:02}'");
        source.execute(&format!(
            "REPLACE INTO field.streams VALUES ({stream}, 'barn', 'barn-1', {last_seq}, '2026-09-01', {at})"
        ));
    };
    let reading = |stream: u64, seq: u64, day: &str| {
        source.execute(&format!(
            "INSERT INTO field.readings (stream, seq, channel_id, sampled_at, time_quality) VALUES ({stream}, {seq}, 1, '{day}', 2)"
        ));
    };
    // Ours, one that a machine of our id writes, one from a card that died in August, one of a machine that hears nothing.
    let (ours, written, card, idle) = (1, 2, 3, 4);
    [ours, written, card, idle].into_iter().for_each(|stream| row(stream, 1, 0));
    block_on(async {
        let mut session = open(scene).await;
        let before = look(&mut session, "barn-1").await.unwrap();
        [ours, written, card].into_iter().for_each(|stream| row(stream, 2, 9));
        row(idle, 1, 9);
        reading(written, 2, "2026-09-01 00:00:08");
        reading(card, 2, "2026-08-20 00:00:00");
        let now = look(&mut session, "barn-1").await.unwrap();
        let found = moved(&before, &now, |stream| stream == ours);
        assert_eq!(found, [(written, Moved::Written), (card, Moved::Written), (idle, Moved::Alive)]);
        let since_us = 1_788_220_800_000_000; // 2026-09-01 00:00:00
        for (found, expected) in [(&found[..], Some(written)), (&found[1..2], None), (&found[1..], Some(idle))] {
            assert_eq!(living(&mut session, found, since_us).await.unwrap(), expected);
        }
        assert!(look(&mut session, "barn-2").await.unwrap().is_empty());
    });
}

//! A replica that leaves out our readings, promoted by mistake.

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};

use crate::dumps::{replayed, report};
use crate::site::Site;

#[test]
fn a_replica_that_leaves_out_readings_is_named_before_and_after_it_is_promoted_and_replay_fills_it() {
    let mut site = Site::of(Scene::start_with(1, |settings| settings));
    site.wait_more(1, 100);
    let filter = "SET GLOBAL replicate_wild_ignore_table = 'field.readings'";
    site.server(1).execute(&format!("STOP SLAVE; {filter}; START SLAVE"));
    let start = site.cursors(1);
    site.wait_more(0, 300);
    wait_for("a cursor without its readings", DEADLINE, || site.cursors(1) >= start + 200);
    let named = "it leaves out tables (replicate_wild_ignore_table = field.readings): do not promote it";
    assert!(texts(&site).iter().any(|text| text.contains(named)), "{:?}", texts(&site));

    site.server(0).kill9();
    site.promote(1);
    site.end_nodes();
    wait_for("everything beyond the cursor", DEADLINE, || report(&site)["waiting"] == 0);
    let found = texts(&site);
    let [hole] = &found[..] else { panic!("one hole: {found:?}") };
    assert!(hole.contains("leaves out what it replicates: replicate_wild_ignore_table = field.readings"), "{hole}");
    assert!(hole.contains("`fieldgate db replay --holes`"), "{hole}");
    let filled = replayed(&site, &["--holes", "--json"], 0);
    assert_eq!(filled["not_asked"], serde_json::json!([site.server(0).address().to_string()]), "{filled:#}");
    site.finish(1);
}

fn texts(site: &Site) -> Vec<String> {
    let report = report(site);
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["text"].as_str()).map(str::to_owned).collect()
}

/// The same rows from the source would stop the replication of a replica that has them.
#[test]
fn what_a_replica_has_is_left_out_and_what_the_queue_has_not_becomes_a_gap_by_wish() {
    let mut site = Site::of(Scene::start_with(1, |settings| settings));
    site.wait_more(1, 200);
    site.finish(0);
    let alone = "SET sql_log_bin = 0; DELETE FROM field.readings WHERE seq BETWEEN 11 AND 20";
    site.server(0).execute(alone);
    let left = replayed(&site, &["--holes", "--json"], 1);
    assert_eq!((&left["holes"][0]["on_replica"], &left["holes"][0]["written"]), (&10.into(), &0.into()), "{left:#}");
    site.server(1).execute(&alone.replace("BETWEEN 11 AND 20", "BETWEEN 11 AND 15"));
    let part = replayed(&site, &["--holes", "--json"], 1);
    assert_eq!((&part["holes"][0]["on_replica"], &part["holes"][0]["written"]), (&5.into(), &5.into()), "{part:#}");
    let written = site.server(0).gtid_position();
    site.server(1).wait_for_gtid(&written);
    assert_eq!(report(&site)["lost"], 5);

    // A stream that no queue knows: as when the card was replaced.
    site.server(1).execute(&alone.replace("BETWEEN 11 AND 20", "BETWEEN 16 AND 20"));
    let unknown =
        "INSERT INTO field.streams SELECT 77, site, gateway, 3, started_at, updated_at FROM field.streams LIMIT 1";
    site.server(0).execute(unknown);
    let (stream, arguments) = (format!("{:016x}", 77), ["--stream", "000000000000004d", "--json"]);
    assert_eq!(replayed(&site, &arguments, 1)["holes"][0]["not_in_queue"], 3, "of {stream}");
    let gaps = replayed(&site, &["--holes", "--gaps", "--json"], 0);
    let sum = |figure: &str| {
        gaps["holes"].as_array().expect("holes").iter().filter_map(|hole| hole[figure].as_u64()).sum::<u64>()
    };
    assert_eq!((sum("written"), sum("as_gaps")), (5, 3), "{gaps:#}");
    site.finish(0);
    site.assert_replicas_once(0);
}

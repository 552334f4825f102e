//! Restores from dumps and binary logs.

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};

use crate::site::{STOP_WITHIN, Site};

/// Readings that the gateway says it sent again, after a failover or a restore.
const AGAIN: &str = "SELECT COALESCE(SUM(count), 0) FROM field.events WHERE kind = 'sent again'";

#[test]
fn a_dump_restored_beside_a_running_gateway_and_again_without_one_is_refilled() {
    let mut site = Site::start("fast");
    site.wait_more(0, 200);
    let dump = site.server(0).consistent_dump();
    let dumped = dump_rows(&mut site);
    site.wait_more(0, 300);

    site.server(0).set_read_only(true);
    site.wait_said("no server takes writes");
    let had = site.readings(0);
    site.server(0).restore(&dump);
    wait_for("what was lost by the restore", DEADLINE, || site.readings(0) > had);
    site.wait_more(0, 100);
    wait_for("the count of it", DEADLINE, || number(site.server(0), AGAIN) > 0);
    let again = number(site.server(0), AGAIN);
    assert!(again >= had - dumped.1 && again <= had - dumped.0, "{again} sent again of {had}; {dumped:?} in the dump");

    assert_eq!(site.scene.gateway.terminate(STOP_WITHIN), 0);
    site.server(0).restore(&dump);
    site.scene.gateway.start();
    site.finish(0);
    site.assert_replicas_once(0);
    println!("sent again beside a running gateway: {again}, without one: {}", number(site.server(0), AGAIN));
}

/// At least and at most so many readings are in a dump taken just now.
fn dump_rows(site: &mut Site) -> (usize, usize) {
    (200, site.readings(0))
}

/// Rows first and cursors later: so it comes from `mariadb-dump --skip-lock-tables` under load, by chance; here for sure.
#[test]
fn a_dump_whose_cursors_are_ahead_of_its_rows_is_named_and_filled_by_replay() {
    let mut site = Site::of(Scene::start_with(1, |settings| settings));
    site.wait_more(0, 200);
    // Views come with the tables that they look at.
    let later = ["streams", "latest", "hourly", "missing"].map(|table| format!("--ignore-table=field.{table}"));
    let arguments: Vec<&str> = ["--skip-lock-tables"]
        .into_iter()
        .chain(later.iter().map(String::as_str))
        .chain(["--databases", "field"])
        .collect();
    let rows = site.server(0).dump(&arguments);
    site.wait_more(0, 400);
    let cursors = site.server(0).dump(&["--skip-lock-tables", "field", "streams", "latest", "hourly", "missing"]);
    site.server(0).restore(&format!("{rows}\nUSE field;\n{cursors}"));
    site.wait_more(0, 100);
    site.end_nodes();

    wait_for("everything beyond the cursor", DEADLINE, || report(&site)["waiting"] == 0);
    let found = report(&site);
    let findings = found["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "the hole is named once: {found:#}");
    let lost = found["lost"].as_u64().expect("a number");
    let text = findings[0]["text"].as_str().expect("a text");
    assert!(lost >= 300 && text.contains("the queue has them all: `fieldgate db replay --holes`"), "{found:#}");

    let dry = replayed(&site, &["--holes", "--dry-run", "--json"], 0);
    assert_eq!((&dry["dry_run"], &dry["holes"][0]["written"]), (&true.into(), &lost.into()), "{dry:#}");
    assert_eq!(report(&site)["lost"], lost, "a dry run writes nothing");
    let stream = dry["holes"][0]["stream"].as_str().expect("a stream").to_owned();
    let first = dry["holes"][0]["first_seq"].as_u64().expect("a number");
    let (from, to) = ((first + 10).to_string(), (first + 19).to_string());
    let part = replayed(&site, &["--stream", &stream, "--first", &from, "--last", &to, "--json"], 0);
    assert_eq!(part["holes"][0]["written"], 10, "{part:#}");
    assert_eq!(report(&site)["lost"], lost - 10);
    let rest = replayed(&site, &["--holes", "--json"], 0);
    assert_eq!(rest["holes"].as_array().map(Vec::len), Some(2), "one before and one behind the part: {rest:#}");
    site.finish(0);
    site.assert_replicas_once(0);
    let again = replayed(&site, &["--holes", "--json"], 0);
    assert_eq!(again["holes"], serde_json::json!([]), "nothing is left to write, and nothing is written twice");
    assert_eq!(number(site.server(0), "SELECT SUM(count) FROM field.events WHERE kind = 'replay'"), lost as usize);
}

#[test]
fn a_dump_brought_forward_by_the_binary_log_goes_on_from_there() {
    let mut site = Site::of(Scene::start_with(0, |settings| settings));
    site.wait_more(0, 200);
    let script = site.server(0).dump(&["--single-transaction", "--master-data=2", "--databases", "field"]);
    let start = fieldgate_tests::mariadb::Position::of_dump(&script);
    site.wait_more(0, 200);
    let end = site.server(0).log_position();
    site.wait_more(0, 200);
    site.server(0).set_read_only(true);
    site.wait_said("no server takes writes");
    let (had, logged) = (site.readings(0), site.server(0).logged(&start, &end));
    // The log numbers its transactions as they were, which are numbers of the past.
    site.server(0).execute("SET GLOBAL gtid_strict_mode = 0");
    site.server(0).restore(&format!("{script}\n{logged}"));
    site.server(0).execute("SET GLOBAL gtid_strict_mode = 1");
    site.wait_more(0, 300);
    wait_for("the count of what was sent again", DEADLINE, || number(site.server(0), AGAIN) > 0);
    let again = number(site.server(0), AGAIN);
    assert!(again < had - 350, "{again} of {had} sent again: the dump had 200, and the log 200 more");
    site.finish(0);
}

/// 33 channels, so that each message is a frame of the queue, which keeps the newest 1024.
const CHANNELS: usize = 33;
const MESSAGES: u64 = 1400;

#[test]
fn a_dump_older_than_what_the_queue_keeps_gets_a_gap_for_the_rest() {
    let mut scene = Scene::start_with(0, |settings| settings.keep("0 s"));
    let before = scene.cluster.source().consistent_dump();
    let node = fieldgate_tests::node::Node::named("fast").rate(0.0).channels(CHANNELS).count(MESSAGES);
    node.start(scene.broker.address()).finish(DEADLINE);
    let all = usize::try_from(MESSAGES).expect("a small number") * CHANNELS;
    scene.wait_rows(0, all);
    let kept = 1024 * CHANNELS;
    wait_for("readings to leave the queue", DEADLINE, || scene.assert_reconciled()["compared"] == kept);
    assert_eq!(scene.gateway.terminate(STOP_WITHIN), 0);
    scene.cluster.source().restore(&before);
    scene.start_gateway();
    scene.wait_rows(0, kept);
    scene.wait_drained();
    let source = scene.cluster.source();
    let missing = "SELECT SUM(last_seq - seq + 1) FROM field.gaps WHERE reason LIKE 'delivered to another server%'";
    assert_eq!((number(source, missing), count(source, "readings")), (all - kept, kept));
}

/// After a restore of everything only the gateway knows of the later term.
#[test]
fn a_restore_of_everything_is_accepted_once_by_command() {
    let mut site = Site::of(Scene::start_with(1, |settings| settings));
    site.wait_more(1, 100);
    let dump = site.server(0).consistent_dump();
    let name = site.server(0).address().to_string();
    assert_eq!(accepted(&site, &name), Some(1), "a source is not accepted");
    swap(&mut site, 0, 1);
    swap(&mut site, 1, 0);
    assert_eq!(site.term(0).0, "3");
    site.server(0).restore(&dump);
    site.wait_said(&format!("say so: fieldgate db accept-restored {name}"));
    let written = site.server(0).gtid_position();
    site.server(1).wait_for_gtid(&written);
    assert_eq!(accepted(&site, &name), Some(0));
    site.wait_more(0, 200);
    assert_eq!(site.term(0).0, "4");
    site.scene.gateway.restart(STOP_WITHIN);
    site.wait_more(0, 100);
    site.finish(0);
    site.assert_replicas_once(0);
    assert_eq!(site.events(0, "restored"), 1);
}

fn accepted(site: &Site, server: &str) -> Option<i32> {
    site.scene.gateway.command(&["db", "accept-restored", server]).status.code()
}

fn swap(site: &mut Site, from: usize, to: usize) {
    site.server(from).set_read_only(true);
    let written = site.server(from).gtid_position();
    site.server(to).wait_for_gtid(&written);
    site.promote(to);
    let servers = &site.scene.cluster.servers;
    servers[from].follow(&servers[to]);
}

/// The auditor's report, whatever it says.
pub fn report(site: &Site) -> serde_json::Value {
    let answer = site.scene.reconcile();
    serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&answer.stderr)))
}

/// What `fieldgate db replay` prints; panics unless it ends with this code.
pub fn replayed(site: &Site, arguments: &[&str], code: i32) -> serde_json::Value {
    let answer = site.scene.gateway.command(&[&["db", "replay"], arguments].concat());
    let complaint = String::from_utf8_lossy(&answer.stderr);
    let said = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(answer.status.code(), Some(code), "db replay {arguments:?}: {said}{complaint}");
    serde_json::from_str(&said).expect("JSON")
}

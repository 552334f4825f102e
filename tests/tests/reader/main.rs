//! Which server `db reader` names, and what `status --servers` says of each, in one story of a source and two replicas.

mod story;

use std::thread;
use std::time::Instant;

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use serde_json::Value;

use story::Story;

/// Holds all writes of a replica back, and with them what it applies, for longer than any test lasts.
const HOLD: &str = "FLUSH TABLES WITH READ LOCK; DO SLEEP(300)";

#[test]
fn the_reader_is_a_replica_that_is_well_and_each_state_of_a_server_is_shown() {
    let mut story = Story::begin();
    healthy(&story);
    without_the_table(&story);
    stopped(&story);
    lagging(&story);
    broken(&story);
    without_a_gateway(&mut story);
    without_source_or_replicas(&mut story);
}

fn healthy(story: &Story) {
    story.wait_turns(&[1, 2]);
    story.wait_reader("turns of the database", |answer| {
        answer["by_clock"].is_null() && answer["turns"].as_array().is_some_and(|turns| turns.len() == 2)
    });
    story.wait_states(["well", "well", "well"]);
    let all =
        |key: &str| story.servers()["servers"].as_array().into_iter().flatten().map(|one| one[key].clone()).collect();
    // The gateway asks each server at a moment of its own.
    wait_for("the same GTIDs and term everywhere", DEADLINE, || {
        let (gtids, terms): (Vec<Value>, Vec<Value>) = (all("gtid"), all("term"));
        gtids[0].is_string() && gtids.iter().all(|gtid| *gtid == gtids[0]) && terms == [1, 1, 1]
    });
    assert_eq!(all("role"), ["source", "replica", "replica"]);
    assert_eq!(all("read_only"), [false, true, true]);
    let shown = story.servers();
    assert_eq!((&shown["from_gateway"], &shown["source"]), (&true.into(), &story.names[0].as_str().into()));
    let table = story.table();
    println!("{table}");
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.lines().last().unwrap().contains(" takes writes: it is writable"), "{table}");
}

/// As in a database that was made by an earlier version.
fn without_the_table(story: &Story) {
    story.server(0).execute("DROP TABLE field.reader_turn");
    story.wait_reader("turns by the clock", |answer| answer["by_clock"].to_string().contains("reader_turn is missing"));
    story.scene.gateway.apply_schema();
    story.wait_turns(&[1, 2]);
    let turn = story.server(0).query("SELECT turn FROM field.reader_turn").concat().concat();
    assert!(turn.parse::<u64>().is_ok_and(|turn| turn >= 4), "{turn}");
}

fn stopped(story: &Story) {
    story.server(1).stop_sql_thread();
    story.wait_not(1, "it does not apply what it receives");
    story.wait_turns(&[2]);
    story.wait_states(["well", "applying-stopped", "well"]);
    story.server(1).start_replication();
    story.server(2).stop_io_thread();
    story.wait_not(2, "it does not receive from ");
    story.wait_turns(&[1]);
    story.wait_states(["well", "well", "receiving-stopped"]);
    story.server(2).start_replication();
    story.wait_turns(&[1, 2]);
}

fn lagging(story: &Story) {
    let replica = story.server(2);
    thread::scope(|scope| {
        scope.spawn(|| replica.try_query(HOLD));
        let mut seq = 1;
        // What was written a second after the last that it has: then it lags by a second.
        wait_for("a replica that lags", DEADLINE, || {
            story.publish(seq);
            seq += 1;
            story.reader()["others"].to_string().contains("it lags by ")
        });
        story.wait_turns(&[1]);
        story.wait_states(["well", "well", "catching-up"]);
        let sleeps = "SELECT id FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%'";
        let sleeper = replica.query(sleeps).concat().concat();
        replica.execute(&format!("KILL {sleeper}"));
    });
    story.wait_turns(&[1, 2]);
}

/// A replica that has a row of its own, which the source then writes too.
fn broken(story: &Story) {
    let (source, replica) = (story.server(0), story.server(1));
    source.execute("CREATE TABLE field.own (id INT PRIMARY KEY)");
    replica.wait_for_gtid(&source.gtid_position());
    replica.execute("SET sql_log_bin = 0; INSERT INTO field.own VALUES (7)");
    source.execute("INSERT INTO field.own VALUES (7)");
    story.wait_not(1, "(error 1062: ");
    story.wait_turns(&[2]);
    let shown = story.wait_states(["well", "error", "well"]);
    let error = &shown["servers"][1]["errors"][0];
    assert_eq!((&error["number"], &error["thread"]), (&1062.into(), &"applying".into()), "{shown:#}");
    assert!(error["text"].as_str().is_some_and(|text| text.contains("Duplicate entry '7'")), "{shown:#}");
    let table = story.table();
    println!("{table}");
    assert!(table.contains("\n    error 1062 while applying: Could not execute Write_rows"), "{table}");
}

fn without_a_gateway(story: &mut Story) {
    story.scene.gateway.terminate(DEADLINE);
    assert_eq!(story.scene.gateway.command(&["status"]).status.code(), Some(69));
    let shown = story.wait_states(["well", "error", "well"]);
    assert_eq!((&shown["from_gateway"], &shown["source"]), (&false.into(), &story.names[0].as_str().into()));
    assert_eq!(shown["servers"][1]["errors"][0]["number"], 1062);
    assert_eq!(shown["servers"][2]["lag_ms"], 0);
    let table = story.table();
    println!("{table}");
    assert!(table.starts_with("no gateway runs here; this is what the servers say now\nserver "), "{table}");
    assert!(table.contains("\n    error 1062 while applying: "), "{table}");
    story.server(1).execute("SET sql_log_bin = 0; DELETE FROM field.own");
    story.server(1).start_replication();
    story.wait_turns(&[1, 2]);
}

fn without_source_or_replicas(story: &mut Story) {
    story.scene.cluster.servers[1].freeze();
    let start = Instant::now();
    story.wait_turns(&[2]);
    println!("four answers with a frozen replica in {:.1} s", start.elapsed().as_secs_f64());
    story.wait_not(1, "it does not answer (no answer to ");
    story.scene.cluster.servers[1].thaw();

    story.scene.cluster.servers[0].kill9();
    story.wait_states(["away", "connecting", "connecting"]);
    story.wait_reader("turns by the clock", |answer| answer["by_clock"].to_string().contains("no server takes writes"));
    assert!(story.four().iter().all(|named| [1, 2].contains(named)));
    println!("{}", story.table());

    story.scene.cluster.servers[0].restart(WRITABLE);
    for replica in &mut story.scene.cluster.servers[1..] {
        replica.kill9();
    }
    story.wait_states(["well", "away", "away"]);
    story.wait_turns(&[0]);
    story.wait_reader("the source", |answer| answer["why"] == "the source, as no replica is fit");

    story.scene.cluster.servers[0].kill9();
    let answer = story.scene.gateway.command(&["db", "reader"]);
    assert_eq!((answer.status.code(), answer.stdout.as_slice()), (Some(69), b"".as_slice()));
    let why = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(why.contains("no server can be read from: ") && why.contains("it does not answer ("), "{why}");
}

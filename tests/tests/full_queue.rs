//! A queue that becomes full while the database is away, or whose disk is: at the end every reading is a row or counted
//! by a gap.

use std::fs;

use fieldgate_tests::mariadb::WRITABLE;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count, number};
use serde_json::Value;

/// Messages published at a time.
const ROUND: usize = 500;
/// Far more than the queue can hold.
const MOST_ROUNDS: usize = 40;
/// Near the most that a text may have.
const NOTE_BYTES: usize = 3500;

/// A source alone, and a gateway with the smallest queue that there is, whose database has just gone.
fn scene(when_full: &str) -> Scene {
    let mut scene = Scene::start_with(0, |settings| {
        settings.set("queue", "max", "16 MiB").set("queue", "when_full", when_full).set("queue", "reserve", "1 MiB")
    });
    scene.publish("plants/shed", "{\"note\": \"before\"}");
    scene.wait_rows(0, 1);
    scene.cluster.servers[0].kill9();
    scene
}

/// Text that nobody can pack into less than three quarters: letters by a generator of pseudo-random numbers.
fn note(seed: usize) -> String {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state >> 58) as usize])
    };
    (0..NOTE_BYTES).map(letter).collect()
}

fn queue(scene: &Scene) -> Value {
    let answer = scene.gateway.command(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&answer.stdout).expect("status as JSON");
    status["queue"].clone()
}

/// Publishes until readings are dropped, and one round more; how many were published since the database went.
fn publish_until_dropped(scene: &Scene) -> usize {
    let mut published = 0;
    let mut dropping = false;
    while !dropping {
        assert!(published < MOST_ROUNDS * ROUND, "nothing is dropped: {:#}", queue(scene));
        dropping = queue(scene)["dropped"].as_u64() > Some(0);
        let lines =
            (published..published + ROUND).map(|seq| format!("{{\"seq\": {seq}, \"note\": \"{}\"}}", note(seq)));
        scene.publish_lines("plants/shed", lines);
        published += ROUND;
    }
    published
}

/// Brings the database back; returns when every reading is a row or counted by a gap with this reason: rows and count.
fn bring_back(scene: &mut Scene, published: usize, reason: &str) -> (usize, usize) {
    scene.cluster.servers[0].restart(WRITABLE);
    let dropped = format!("SELECT COALESCE(SUM(`count`), 0) FROM field.gaps WHERE reason = '{reason}'");
    let mut found = (0, 0);
    wait_for("every reading as a row or in a gap", DEADLINE, || {
        let server = &scene.cluster.servers[0];
        found = (count(server, "readings"), number(server, &dropped));
        assert!(found.0 + found.1 <= published + 1, "{found:?} of {published} and one");
        found.0 + found.1 == published + 1
    });
    scene.gateway.wait_log("the queue has room again", DEADLINE);
    scene.wait_drained();
    assert_eq!(count(&scene.cluster.servers[0], &format!("gaps WHERE reason <> '{reason}'")), 0);
    found
}

/// The number of the first and the last reading on the source.
fn ends(scene: &Scene) -> (usize, usize) {
    let of = |end: &str| number(&scene.cluster.servers[0], &format!("SELECT {end}(node_seq) FROM field.readings"));
    (of("MIN"), of("MAX"))
}

#[test]
fn drop_newest_keeps_the_oldest_and_a_gap_counts_the_rest() {
    let mut scene = scene("drop-newest");
    let published = publish_until_dropped(&scene);
    let shown = queue(&scene);
    assert_eq!((&shown["full"], &shown["pressed"]), (&Value::Bool(true), &Value::Bool(true)), "{shown:#}");
    let why = shown["full_because"].as_str().expect("why it is full").to_owned();
    assert!(why.starts_with("the queue is full: dropping the newest readings, "), "{why}");
    let screen = String::from_utf8(scene.gateway.command(&["status"]).stdout).expect("text");
    assert!(screen.contains("FULL: the queue is full: dropping the newest readings"), "{screen}");
    let reason = "the queue was full: the newest readings were dropped";
    let (rows, dropped) = bring_back(&mut scene, published, reason);
    println!("{published} published: {rows} rows, {dropped} dropped");
    assert_eq!(
        (queue(&scene)["dropped"].as_u64(), queue(&scene)["full"].as_bool()),
        (Some(dropped as u64), Some(false))
    );
    assert_eq!(ends(&scene), (0, rows - 2), "the oldest, without a hole");
    assert_eq!(count(&scene.cluster.servers[0], "gaps WHERE from_time > to_time OR seq <> last_seq"), 0);
}

#[test]
fn drop_oldest_keeps_the_newest_and_the_drain_names_the_hole() {
    let mut scene = scene("drop-oldest");
    let published = publish_until_dropped(&scene);
    scene.gateway.wait_log("the queue is full: dropping the oldest readings", DEADLINE);
    let reason = "dropped because the queue was full (queue.when_full = \"drop-oldest\")";
    let (rows, dropped) = bring_back(&mut scene, published, reason);
    println!("{published} published: {rows} rows, {dropped} dropped");
    let (oldest, newest) = ends(&scene);
    assert!((1..=dropped).contains(&oldest) && newest == published - 1, "{oldest} to {newest}: the newest stay");
    assert_eq!(count(&scene.cluster.servers[0], "gaps WHERE `count` <> last_seq - seq + 1"), 0);
}

/// A reserve that no disk has free on which this is tried.
const TOO_MUCH: &str = "1 TiB";

fn set_reserve(scene: &Scene, from: &str, to: &str) {
    let file = scene.gateway.config_file();
    let text = fs::read_to_string(&file).expect("the configuration");
    let changed = text.replace(&format!("reserve = \"{from}\""), &format!("reserve = \"{to}\""));
    assert_ne!(text, changed);
    fs::write(file, changed).expect("the configuration");
}

#[test]
fn a_gateway_whose_disk_is_nearly_full_from_the_start_delivers_what_it_holds_and_goes_on_when_there_is_room() {
    let mut scene = scene("drop-newest");
    scene.publish_lines("plants/shed", (0..20).map(|seq| format!("{{\"seq\": {seq}, \"t\": 20.5}}")));
    scene.wait_queued(21);
    scene.gateway.terminate(DEADLINE);
    set_reserve(&scene, "1 MiB", TOO_MUCH);
    scene.cluster.servers[0].restart(WRITABLE);
    scene.start_gateway();
    scene.gateway.wait_log("the disk is nearly full: dropping the newest readings", DEADLINE);
    scene.wait_rows(0, 21);
    scene.publish_lines("plants/shed", (20..50).map(|seq| format!("{{\"seq\": {seq}, \"t\": 20.5}}")));
    wait_for("30 dropped", DEADLINE, || queue(&scene)["dropped"] == 30);
    scene.gateway.terminate(DEADLINE);

    set_reserve(&scene, TOO_MUCH, "1 MiB");
    scene.start_gateway();
    scene.publish("plants/shed", "{\"seq\": 50, \"t\": 20.5}");
    scene.wait_rows(0, 22);
    scene.wait_drained();
    let reason = "the disk was nearly full: the newest readings were dropped";
    let gaps = scene.cluster.servers[0].query("SELECT reason, `count` FROM field.gaps");
    assert_eq!(gaps, [[reason.to_owned(), "30".to_owned()]]);
}

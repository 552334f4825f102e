//! Which server to read from: replicas of MySQL take turns, and an error of one is shown by its number.

use fieldgate_tests::mysql::is_at_hand;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

use crate::mysql;

#[test]
fn replicas_take_turns_and_a_broken_one_is_left_out_with_its_error() {
    if !is_at_hand("which replica of MySQL to read from") {
        return;
    }
    let scene = Scene::start_at(mysql(2), |settings| settings);
    scene.publish("plants/shed", "{\"seq\": 0, \"t\": 20.5}");
    scene.wait_drained();
    let json = |arguments: &[&str]| {
        serde_json::from_slice::<Value>(&scene.gateway.command(arguments).stdout).expect("an answer as JSON")
    };
    let reader = || json(&["db", "reader", "--json"]);
    wait_for("turns of the database", DEADLINE, || {
        let answers = [reader(), reader()];
        answers[0]["server"] != answers[1]["server"] && answers.iter().all(|answer| answer["by_clock"].is_null())
    });

    let [source, replica] = [0, 1].map(|server| &scene.cluster.servers[server]);
    source.execute("CREATE TABLE field.own (id INT PRIMARY KEY)");
    replica.wait_for_gtid(&source.gtid_position());
    replica.execute("SET sql_log_bin = 0; INSERT INTO field.own VALUES (7)");
    source.execute("INSERT INTO field.own VALUES (7)");
    let names = scene.cluster.addresses();
    wait_for("the other replica alone", DEADLINE, || {
        let answer = reader();
        answer["server"] == names[2].as_str() && answer["others"][1]["why_not"].to_string().contains("(error 1062: ")
    });
    let broken = || json(&["status", "--servers", "--json"])["servers"][1].clone();
    wait_for("the error in the status", DEADLINE, || broken()["errors"][0]["number"] == 1062);
    assert_eq!(broken()["state"], "error");
    println!("{}", String::from_utf8_lossy(&scene.gateway.command(&["status", "--servers"]).stdout));
}

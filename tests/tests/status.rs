//! What people and the service manager see of a running gateway.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::process::{Process, wait_for};
use fieldgate_tests::scenario::{DEADLINE, Scene};
use serde_json::Value;

fn status(scene: &Scene) -> Value {
    let answer = scene.gateway.command(&["status", "--json"]);
    assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
    serde_json::from_slice(&answer.stdout).expect("status as JSON")
}

fn text(scene: &Scene, arguments: &[&str]) -> String {
    String::from_utf8(scene.gateway.command(arguments).stdout).expect("text")
}

#[test]
fn status_shows_sources_queue_drain_and_servers_and_what_waits() {
    let mut scene = Scene::start();
    scene.publish_lines("plants/shed", (0..50).map(|seq| format!("{{\"seq\": {seq}, \"t\": 20.5}}")));
    scene.wait_drained();
    wait_for("50 delivered", DEADLINE, || status(&scene)["drain"]["delivered"] == 50);
    let shown = status(&scene);
    assert_eq!(shown["queue"]["waiting"], 0);
    assert_eq!(shown["queue"]["kept"], 50);
    assert_eq!(shown["sources"][0]["readings"], 50);
    assert_eq!(shown["sources"][0]["connected"], true);
    let roles: Vec<&str> = shown["servers"].as_array().unwrap().iter().filter_map(|s| s["role"].as_str()).collect();
    assert_eq!(roles, ["source", "replica", "replica"]);

    scene.cluster.servers[0].kill9();
    scene.publish("plants/shed", "{\"seq\": 50, \"t\": 20.5}");
    wait_for("one reading that waits", DEADLINE, || status(&scene)["queue"]["waiting"] == 1);
    wait_for("the source is away", DEADLINE, || status(&scene)["servers"][0]["role"] == "away");
    wait_for("the reason why nothing is written", DEADLINE, || {
        text(&scene, &["status"]).contains("no server takes writes")
    });
    let screen = text(&scene, &["status"]);
    assert!(screen.contains("1 readings wait for the database (oldest "), "{screen}");
    let servers = || text(&scene, &["status", "--servers"]);
    wait_for("why the server cannot be asked", DEADLINE, || servers().contains("Connection refused"));
    // A header, three servers, what is said of each, and why nobody takes writes.
    wait_for("each server in its lines", DEADLINE, || servers().lines().count() >= 6);
    assert!(servers().lines().last().unwrap().starts_with("no server takes writes"), "{}", servers());
}

#[test]
fn a_broker_that_is_away_is_said_and_without_a_gateway_the_answer_is_69() {
    let mut scene = Scene::start();
    let broker = |scene: &Scene| status(scene)["sources"][0].take();
    wait_for("our subscriptions", DEADLINE, || broker(&scene)["connected_since_us"].is_i64());
    let first = broker(&scene);
    assert_eq!((&first["session_kept"], &first["lost_since_us"]), (&Value::Bool(false), &Value::Null));
    scene.gateway.restart(DEADLINE);
    scene.wait_heard();
    wait_for("our subscriptions", DEADLINE, || broker(&scene)["connected_since_us"].is_i64());
    let again = broker(&scene);
    assert_eq!(again["session_kept"], true);
    assert!(again["connected_since_us"].as_i64() > first["connected_since_us"].as_i64());
    scene.broker.stop();
    wait_for("the broker's trouble", DEADLINE, || broker(&scene)["trouble"].is_string());
    let away = broker(&scene);
    assert!(away["lost_since_us"].is_i64() && away["connected_since_us"].is_null(), "{away}");
    assert!(text(&scene, &["status"]).contains("away ("));
    scene.gateway.terminate(DEADLINE);
    let answer = scene.gateway.command(&["status"]);
    assert_eq!(answer.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("no gateway runs"));
}

#[test]
fn the_service_manager_hears_ready_status_watchdog_and_stopping() {
    let mut scene = Scene::start();
    scene.gateway.terminate(DEADLINE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let hear = |wanted: &str| {
        let mut heard = [0; 4096];
        loop {
            let length = manager.recv(&mut heard).unwrap_or_else(|error| panic!("waiting for {wanted}: {error}"));
            let words = String::from_utf8_lossy(&heard[..length]).into_owned();
            if words.contains(wanted) {
                return words;
            }
        }
    };
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    command.args(["run", "--config"]).arg(scene.gateway.config_file());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1500000");
    let mut gateway = Process::spawn("fieldgate", &command, &folder.path().join("log"));
    hear("READY=1");
    let words = hear("WATCHDOG=1");
    assert!(words.starts_with("STATUS=") && words.contains("delivered since the start"), "{words}");
    // A database that is away stops no loop.
    scene.cluster.servers.iter_mut().for_each(|server| server.freeze());
    for _ in 0..6 {
        hear("WATCHDOG=1");
    }
    assert_eq!(gateway.stop(Duration::from_secs(20)).and_then(|status| status.code()), Some(0));
    hear("STOPPING=1");
}

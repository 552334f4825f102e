//! Processes of the rigs end as told, and none outlives its rig.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fieldgate_tests::mariadb::{Cluster, Server, WRITABLE};
use fieldgate_tests::mosquitto::{Broker, Limits};
use fieldgate_tests::process::{Process, wait_for};

const DEADLINE: Duration = Duration::from_secs(60);

fn shell(script: &str, folder: &Path) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder).env("WORD", "hello");
    Process::spawn("the shell", &command, &folder.join("log"))
}

#[test]
fn a_process_has_its_folder_environment_and_log() {
    let folder = tempfile::tempdir().unwrap();
    let status = shell("echo $WORD > file; echo said; echo complained >&2; exit 3", folder.path()).wait(DEADLINE);
    assert_eq!(status.code(), Some(3));
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "hello\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "said\ncomplained\n");
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_after_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("trap '' TERM; touch ready; while :; do sleep 0.01; done", folder.path());
    wait_for("the trap", DEADLINE, || folder.path().join("ready").exists());
    assert_eq!(process.stop(Duration::from_millis(200)), None);
    assert!(!process.is_running());
}

#[test]
fn a_process_that_obeys_sigterm_tells_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("trap 'exit 5' TERM; touch ready; while :; do sleep 0.01; done", folder.path());
    wait_for("the trap", DEADLINE, || folder.path().join("ready").exists());
    assert_eq!(process.stop(DEADLINE).unwrap().code(), Some(5));
}

#[test]
fn a_frozen_process_does_nothing_until_it_is_thawed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let mut process = shell("while [ ! -e go ]; do sleep 0.01; done; exit 6", folder.path());
    process.freeze();
    std::fs::write(file, "").unwrap();
    assert!(process.is_running());
    process.thaw();
    assert_eq!(process.wait(DEADLINE).code(), Some(6));
}

#[test]
#[should_panic(expected = "the shell has ended (exit status: 9); its log ends with:\nthe reason")]
fn an_end_that_was_not_expected_shows_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("echo the reason; exit 9", folder.path());
    wait_for("nothing", DEADLINE, || {
        process.assert_running();
        false
    });
}

#[test]
#[should_panic(expected = "waited 30ms in vain for rain")]
fn a_wait_says_what_for() {
    wait_for("rain", Duration::from_millis(30), || false);
}

fn is_gone(process_id: u32) -> bool {
    !Path::new(&format!("/proc/{process_id}")).exists()
}

#[test]
fn nothing_runs_after_a_drop() {
    let cluster = Cluster::start(1);
    let broker = Broker::start(Limits::Default);
    let mut ids: Vec<u32> = cluster.servers.iter().map(Server::process_id).collect();
    ids.push(broker.process_id());
    assert!(!ids.iter().any(|&id| is_gone(id)));
    drop((cluster, broker));
    assert!(ids.into_iter().all(is_gone));
}

/// Not a test by itself: the next one runs it in a process of its own, and kills that.
#[test]
#[ignore = "runs for as long as nobody kills it"]
fn starts_servers_and_hangs() {
    let server = Server::start_with(1, WRITABLE);
    let broker = Broker::start(Limits::Default);
    println!("servers {} {}", server.process_id(), broker.process_id());
    wait_for("somebody to kill this process", DEADLINE, || false);
}

#[test]
fn nothing_runs_after_a_test_is_killed() {
    // It cannot remove its folders any more.
    let folder = tempfile::tempdir().unwrap();
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "starts_servers_and_hangs", "--ignored", "--nocapture"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(killed.stdout.take().unwrap());
    let ids: Vec<u32> = std::io::BufRead::lines(output)
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("servers ")?.1.split(' ').map(|id| id.parse().unwrap()).collect()))
        .unwrap();
    assert!(!ids.iter().any(|&id| is_gone(id)));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(ids.len(), 2);
    wait_for("the kernel to kill the servers", DEADLINE, || ids.iter().all(|&id| is_gone(id)));
}

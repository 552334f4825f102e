//! Readings that are carried to another gateway: exactly once in the database, under the name of who made them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};

use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, Scene, count};

use crate::rig::{READINGS, argument, contents, hold_readings, other_gateway, said, stopped_with_readings};

/// Whom the database names as the gateway of the readings.
fn makers(scene: &Scene) -> Vec<String> {
    let sql = "SELECT DISTINCT s.gateway FROM field.readings r JOIN field.streams s USING (stream)";
    scene.cluster.source().query(sql).concat()
}

#[test]
fn another_machines_card_comes_into_the_database_through_a_running_gateway_and_twice_changes_nothing() {
    let mut scene = stopped_with_readings();
    let mut other = other_gateway(&scene);
    other.start();
    other.wait_log("connected to the source", DEADLINE);
    let card = scene.gateway.state_folder();
    let before = contents(&card);
    let first = said(&other, 0, &["queue", "import", "--from", argument(&card)]);
    assert!(first.contains("50 are new, 0 were here already"), "{first}");
    scene.wait_rows(0, 50);
    assert_eq!(makers(&scene), ["g1"]);
    let replica = || other.ask("Status").unwrap()["servers"][1].clone();
    wait_for("the replica's cursor of the imported stream, so that it may leave the queue", DEADLINE, || {
        replica()["cursor"] == 50
    });
    let again = said(&other, 0, &["queue", "import", "--from", argument(&card.join("queue"))]);
    assert!(again.contains("0 are new, 50 were here already"), "{again}");
    assert_eq!(contents(&card), before, "nothing is written to the card");

    // The machine comes back: it finds its cursor where the other gateway has left it.
    scene.start_gateway();
    scene.publish("plants/shed", "{\"seq\": 50, \"t\": 50.5}");
    scene.wait_rows(0, 51);
    scene.assert_reconciled();
    assert_eq!(other.terminate(DEADLINE), 0);
    let report = said(&other, 0, &["db", "reconcile"]);
    assert!(report.contains("lost 0, doubled 0, changed 0"), "{report}");
    assert_eq!(count(scene.cluster.source(), "gaps"), 0);
}

#[test]
fn an_exported_file_of_either_format_is_imported_while_nothing_runs() {
    let mut scene = stopped_with_readings();
    let other = &mut other_gateway(&scene);
    let folder = tempfile::tempdir().unwrap();
    other.start();
    other.wait_log("connected to the source", DEADLINE);
    assert_eq!(other.terminate(DEADLINE), 0);
    for (format, new) in [("ndjson", 50), ("cbor", 0)] {
        let file = folder.path().join(format);
        let exported = said(&scene.gateway, 0, &["queue", "export", "--format", format, "--output", argument(&file)]);
        assert!(exported.contains("exported 50 readings"), "{exported}");
        eprintln!("{format}: {} bytes for {READINGS} readings", fs::metadata(&file).unwrap().len());
        let tried = said(other, 0, &["queue", "import", "--dry-run", argument(&file)]);
        assert!(tried.contains("would import 50 readings"), "{tried}");
        let imported = said(other, 0, &["queue", "import", argument(&file)]);
        assert!(imported.contains(&format!("{new} are new")), "{imported}");
    }
    assert_eq!(said(other, 0, &["queue", "dump"]).lines().count(), 50);
    other.start();
    scene.wait_rows(0, 50);
    assert_eq!(makers(&scene), ["g1"]);
    scene.start_gateway();
    scene.assert_reconciled();
}

#[test]
fn a_changed_or_cut_file_is_refused_with_its_place_and_partial_takes_what_stands_before() {
    let scene = stopped_with_readings();
    let mut other = other_gateway(&scene);
    other.start();
    other.wait_log("connected to the source", DEADLINE);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.ndjson");
    said(&scene.gateway, 0, &["queue", "export", "--output", argument(&file)]);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().nth(1).unwrap().contains("\"node\":\"shed\""), "{text}");
    let edited = folder.path().join("edited.ndjson");
    fs::write(&edited, text.replacen("\"value\":20.5", "\"value\":21.5", 1)).unwrap();
    let refused = said(&other, 1, &["queue", "import", argument(&edited)]);
    assert!(refused.contains("edited.ndjson: line 22 \"value\" does not say what the body says"), "{refused}");
    let cut = folder.path().join("cut.ndjson");
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    let refused = said(&other, 1, &["queue", "import", argument(&cut)]);
    assert!(refused.contains("the file was cut; nothing was imported"), "{refused}");
    assert_eq!(said(&other, 0, &["queue", "dump"]), "");
    let leftover = contents(&other.state_folder().join("queue"));
    assert!(!leftover.keys().any(|path| argument(path).contains("import-")), "{:?}", leftover.keys());

    let taken = said(&other, 1, &["queue", "import", "--partial", argument(&edited)]);
    assert!(taken.contains("imported 20 readings"), "{taken}");
    scene.wait_rows(0, 20);
    said(&other, 0, &["queue", "import", argument(&file)]);
    scene.wait_rows(0, 50);
    assert_eq!(count(scene.cluster.source(), "gaps"), 0);
}

#[test]
fn a_card_that_does_not_say_whose_it_is_needs_the_gateways_name() {
    let scene = stopped_with_readings();
    let card = scene.gateway.state_folder();
    fs::remove_file(card.join("origins.json")).unwrap();
    let other = other_gateway(&scene);
    fs::create_dir(other.state_folder()).unwrap();
    let import = |code, more: &[&str]| {
        said(&other, code, &[&["queue", "import", "--from", argument(&card), "--dry-run"], more].concat())
    };
    assert!(import(2, &[]).contains("name it with --gateway"));
    assert!(import(1, &["--gateway", &"x".repeat(65)]).contains("cannot be the name of a gateway"));
    assert!(import(0, &["--gateway", "g1"]).contains("would import 50 readings"));
    let header = said(&scene.gateway, 0, &["queue", "export", "--from", argument(&card), "--gateway", "g7"]);
    assert!(header.contains("\"gateway\":\"g7\",\"site\":null"), "{header}");
}

#[test]
fn what_root_does_to_a_stopped_gateway_leaves_its_files_to_their_owner() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tried: only root can give files away");
        return;
    }
    let scene = stopped_with_readings();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.cbor");
    said(&scene.gateway, 0, &["queue", "export", "--format", "cbor", "--output", argument(&file)]);
    let other = other_gateway(&scene);
    let state = other.state_folder();
    fs::create_dir(&state).unwrap();
    chown(&state, Some(4321), Some(4321)).unwrap();
    said(&other, 0, &["queue", "import", argument(&file)]);
    said(&other, 0, &["queue", "verify"]);
    for path in contents(&state).keys() {
        assert_eq!(path.metadata().unwrap().uid(), 4321, "{}", path.display());
    }
    assert_eq!(said(&other, 0, &["queue", "dump"]).lines().count(), 50);
}

#[test]
fn who_says_nothing_on_the_socket_holds_up_nobody_and_an_import_of_another_folder_is_refused() {
    let mut scene = Scene::start_with(0, |settings| settings);
    hold_readings(&mut scene);
    let socket = scene.gateway.state_folder().join("fieldgate.sock");
    let connect = || std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let silent = [connect(), connect(), connect()];
    let stat = said(&scene.gateway, 0, &["queue", "stat"]);
    assert!(stat.contains(&format!("{READINGS} wait for the database")), "{stat}");
    drop(silent);
    let mut asking = connect();
    writeln!(asking, "{}", serde_json::json!({"Import": {"folder": "../../etc", "origins": {}}})).unwrap();
    let answer: serde_json::Value = serde_json::from_reader(asking).unwrap();
    assert!(answer["Err"].as_str().unwrap().contains("is not the name of an import"), "{answer}");
    scene.cluster.source().set_read_only(false);
    wait_for("everything delivered", DEADLINE, || {
        said(&scene.gateway, 0, &["queue", "stat"]).contains(&format!("0 wait for the database, {READINGS} kept"))
    });
}

//! A state folder that cannot be used.

use std::fs;

use fieldgate_tests::scenario::{DEADLINE, Scene};

#[test]
fn a_state_folder_that_cannot_be_made_is_named() {
    let mut scene = Scene::prepare(0, |settings| settings);
    let config = scene.gateway.config_file();
    let text = fs::read_to_string(&config).unwrap();
    let (state, below_a_file) = (scene.gateway.state_folder(), config.with_file_name("password").join("state"));
    fs::write(&config, text.replace(&state.display().to_string(), &below_a_file.display().to_string())).unwrap();
    scene.gateway.start();
    assert_eq!(scene.gateway.wait_exit(DEADLINE), 74);
    let log = scene.gateway.log();
    assert!(log.contains(&format!("the state folder {} cannot be used", below_a_file.display())), "{log}");
    assert!(log.contains("create it and give it to the user that runs fieldgate"), "{log}");
    let answer = scene.reconcile();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(answer.status.code(), Some(74), "{complaint}");
    assert!(complaint.contains(&below_a_file.display().to_string()), "{complaint}");
}

#[test]
fn a_second_gateway_on_the_same_state_folder_ends_and_names_the_first_which_goes_on() {
    let scene = Scene::start_with(0, |settings| settings.topics(&["plants/{node}/{channel}"]));
    let holder = fs::read_to_string(scene.gateway.state_folder().join("queue/lock")).unwrap();
    for _ in 0..2 {
        let second = scene.gateway.command(&["run"]);
        let said = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(74), "{said}");
        assert!(said.contains(&format!("in use by process {}", holder.trim())), "{said}");
    }
    scene.publish("plants/a/t", "1");
    scene.wait_rows(0, 1);
    assert_eq!(scene.assert_reconciled()["compared"], 1, "the first still answers other commands");
}

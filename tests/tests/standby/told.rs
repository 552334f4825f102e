//! Who is told that the active gateway has changed, and that one is alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fieldgate_tests::pair::Pair;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;

/// A program that writes each event into a file beside it.
fn teller(folder: &Path) -> String {
    let (program, told) = (folder.join("tell"), folder.join("told"));
    fs::write(&program, format!("#!/bin/sh\necho \"$1|$2\" >> {}\n", told.display())).expect("a program");
    fs::set_permissions(&program, Permissions::from_mode(0o700)).expect("a program's mode");
    program.display().to_string()
}

#[test]
fn a_takeover_and_being_alone_are_told_with_their_reasons() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = teller(folder.path());
    let told = || fs::read_to_string(folder.path().join("told")).unwrap_or_default();
    let mut pair = Pair::with(0).line().prepare_with(|index, settings| match index {
        0 => settings,
        _ => settings.set("notify", "command", command.as_str()),
    });
    for index in [0, 1] {
        pair.start_gateway(index);
    }
    pair.wait_role(1, "standby");
    pair.gateways[0].kill9();
    wait_for("two events", DEADLINE * 2, || told().lines().count() == 2);
    let expected = "takeover|two is active in term 2: the other gateway is silent\n\
                    standby-alone|two does not hear the other gateway, so nobody takes over when this one fails\n";
    assert_eq!(told(), expected);
}

//! A configuration that cannot be used.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fieldgate_tests::artifacts::built_program;
use fieldgate_tests::gateway::Gateway;

const BROKEN: &str = r#"[gateway]
id = ""
sit = "barn"

[mysql]
servers = []
user = "fieldgate"

[queue]
keep = "1 fortnight"

[[mqtt]]
broker = "http://localhost"
topics = ["plants/{node}/{channel"]
"#;

/// Exit code and everything that was said.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), text.concat())
}

fn fieldgate(arguments: &[&str], file: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(built_program("fieldgate", "fieldgate", "FIELDGATE_BIN"));
    said(&command.args(arguments).arg(file).output().unwrap())
}

fn gateway() -> Gateway {
    Gateway::named("g1").servers(["127.0.0.1:1"]).broker("127.0.0.1:2".parse().unwrap()).build()
}

#[test]
fn a_broken_configuration_shows_all_its_problems_at_once_with_line_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fieldgate.toml");
    fs::write(&file, BROKEN).unwrap();
    for arguments in [&["check"][..], &["run", "--config"], &["db", "reconcile", "--config"]] {
        let (code, text) = fieldgate(arguments, &file);
        assert_eq!(code, Some(78), "{arguments:?}: {text}");
        for (problem, remedy) in [
            ("2: gateway.id: ", "1 to 64 characters"),
            ("3: gateway.sit: ", "site"),
            ("5: mysql.database: ", "add database = \"field\""),
            ("6: mysql.servers: ", "give between 1 and 16"),
            ("10: queue.keep: ", "min, h or days"),
            ("13: mqtt[0].broker: ", "mqtt://"),
            ("14: mqtt[0].topics[0]: ", "stand alone between slashes"),
        ] {
            let start = format!("{}:{problem}", file.display());
            let line = text.lines().find(|line| line.starts_with(&start));
            assert!(line.is_some_and(|line| line.contains(remedy)), "{start}...{remedy} of {arguments:?}:\n{text}");
        }
        assert_eq!(text.lines().count(), 7, "{text}");
    }
}

#[test]
fn a_good_configuration_is_said_to_be_good_and_a_missing_one_to_be_missing() {
    let gateway = gateway();
    let (code, text) = fieldgate(&["check"], &gateway.config_file());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("no problems") && text.contains("gateway g1 of site lab"), "{text}");
    let missing = gateway.config_file().with_file_name("nowhere.toml");
    for arguments in [&["check"][..], &["run", "--config"]] {
        let (code, text) = fieldgate(arguments, &missing);
        assert_eq!(code, Some(78), "{text}");
        let named = format!("{}: cannot be read", missing.display());
        assert!(text.contains(&named) && text.contains("create it or name another file"), "{text}");
    }
}

#[test]
fn a_password_file_that_is_missing_empty_or_a_folder_is_named_with_the_line_that_asks_for_it() {
    let gateway = gateway();
    let (config, password) = (gateway.config_file(), gateway.config_file().with_file_name("password"));
    let text = fs::read_to_string(&config).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("password_file")).unwrap();
    let named = format!("{}:{line}: mysql.password_file: {} ", config.display(), password.display());
    let states: [(&str, &dyn Fn()); 3] = [
        ("is empty", &|| fs::write(&password, "\nsecond line\n").unwrap()),
        ("cannot be read: No such file", &|| fs::remove_file(&password).unwrap()),
        ("cannot be read: Is a directory", &|| fs::create_dir(&password).unwrap()),
    ];
    for (what, make) in states {
        make();
        for arguments in [&["check"][..], &["run", "--config"], &["db", "reconcile", "--config"]] {
            let (code, text) = fieldgate(arguments, &config);
            assert_eq!(code, Some(78), "{arguments:?}: {text}");
            assert!(text.contains(&format!("{named}{what}")), "{named}{what} of {arguments:?}:\n{text}");
            assert!(text.contains("put the password on one line"), "{text}");
        }
    }
}

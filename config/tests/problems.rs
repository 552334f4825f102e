//! Wrong files: every problem at once, each with its line, its key and what to do.

mod common;

use std::path::Path;

use common::{GOOD, problems, problems_on, words};
use fieldgate_config::{Config, ConfigError};
use proptest::prelude::*;

fn shown(text: &str) -> Vec<String> {
    problems(text).iter().map(ToString::to_string).collect()
}

#[test]
fn the_good_file_is_good() {
    Config::from_text(GOOD, Path::new("f.toml"), "barn-1").unwrap();
}

#[test]
fn all_problems_come_at_once_in_the_order_of_lines() {
    let text = r#"[gateway]
id = " barn"
colour = "red"
[mysql]
servers = [
  "db1",
  7,
  "db2:0",
]
user = 5
probe_period = "2 min"
[[mqtt]]
broker = "mqtt://b"
topics = []
[status]
"#;
    let error = Config::from_text(text, Path::new("f.toml"), "h").unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "f.toml:2: gateway.id: cannot be used: a gateway id has no white space at its ends; remove it",
            "f.toml:3: gateway.colour: is not a key that fieldgate knows; remove it; known here: id, site, state_dir",
            "f.toml:4: mysql.database: is missing; add database = \"field\"",
            "f.toml:7: mysql.servers[1]: is of the type whole number, not text; write it in quotes",
            "f.toml:8: mysql.servers[2]: has the port \"0\"; write a port between 1 and 65535, or none for the usual one",
            "f.toml:10: mysql.user: is of the type whole number, not text; write it in quotes",
            "f.toml:11: mysql.probe_period: is \"2 min\"; write between \"100 ms\" and \"1 min\"",
            "f.toml:14: mqtt[0].topics: has 0 entries; give between 1 and 64",
            "f.toml:15: status: is not in this version of fieldgate; remove it",
        ]
    );
}

#[test]
fn what_a_source_does_while_on_standby_is_asked_for_with_the_section_and_refused_without_it() {
    let wires = "[[serial]]\nport = \"/dev/ttyUSB0\"\nnode = \"silo\"\n[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = [{ name = \"shed\", part = \"bme280\", address = 0x76 }]\n";
    let of_it = |text: String| {
        let all = problems(&text).into_iter().filter(|problem| problem.path.ends_with("while_standby"));
        all.map(|problem| format!("{}: {}", problem.path, problem.what)).collect::<Vec<_>>()
    };
    assert_eq!(
        of_it(format!("{GOOD}{wires}[standby]\nno_such_key = 1\n")),
        ["serial[0].while_standby: is missing", "i2c[0].while_standby: is missing"]
    );
    let said = |text: &str| text.replace("[[i2c]]", "while_standby = \"hold\"\n[[i2c]]\nwhile_standby = \"off\"");
    assert_eq!(
        of_it(format!("{GOOD}while_standby = \"deliver\"\n{}[standby]\nno_such_key = 1\n", said(wires))),
        Vec::<String>::new()
    );
    let refused = |path| format!("{path}[0].while_standby: has no meaning without [standby]");
    assert_eq!(
        of_it(format!("{GOOD}while_standby = \"deliver\"\n{}", said(wires))),
        ["mqtt", "serial", "i2c"].map(refused)
    );
    let off = of_it(format!("{GOOD}while_standby = \"off\"\n[standby]\nno_such_key = 1\n"));
    assert_eq!(off, ["mqtt[0].while_standby: is \"off\", but every gateway may hear a broker"]);
}

#[test]
fn wrong_keys_and_sections_name_the_right_one() {
    assert!(words("[mysql]", "pasword_file = \"/p\"").ends_with("did you mean password_file?"));
    assert!(words("[mysql]", "keep_until = \"all\"").ends_with("did you mean keep_until_replicas?"));
    let text = GOOD.replace("[queue]", "[queues]");
    assert_eq!(shown(&text), ["7: queues: is not a key that fieldgate knows; did you mean queue?"]);
    assert_eq!(
        shown(&format!("{GOOD}[weather]\n")),
        [
            "11: weather: is not a key that fieldgate knows; remove it; known here: gateway, mysql, queue, drain, quota, notify, led, mqtt, serial, i2c, standby, routes"
        ]
    );
    assert!(words("[queue]", "\"odd\\nkey\" = 1").starts_with("queue.\"odd\\nkey\": is not a key"));
}

#[test]
fn lines_that_are_no_toml_are_reported_beside_the_other_problems() {
    let text = GOOD.replace("user = \"fieldgate\"", "user = fieldgate").replace("id = \"barn-1\"", "id = \"\"");
    let found = problems(&text);
    assert_eq!(found.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 6], "{found:?}");
    assert!(found[1].what.starts_with("is not TOML: "), "{found:?}");
    assert_eq!((found[0].path.as_str(), found[1].path.as_str()), ("gateway.id", ""));
}

#[test]
fn a_broken_header_or_quote_does_not_make_followers_missing() {
    for (good, broken) in
        [("[mysql]", "[mysql"), ("database = \"field\"", "database = \"field"), ("user = ", "user "), ("[queue]", "=")]
    {
        let found = problems(&GOOD.replace(good, broken));
        let line = 1 + GOOD.lines().position(|line| line.starts_with(good)).unwrap();
        assert!(!found.is_empty() && found.iter().all(|problem| problem.line == line), "{broken}: {found:?}");
    }
}

#[test]
fn a_line_that_is_no_toml_is_reported_once() {
    let found = problems(&GOOD.replace("\"db2\"]", "\"db2\""));
    let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [5, 6, 7, 8, 9, 10], "{found:?}");
    assert_eq!(found[0].what, "is not TOML: missing comma between array elements, expected `,`");
}

#[test]
fn a_key_written_twice_is_a_problem() {
    let found = problems(&GOOD.replace("[queue]", "user = \"other\"\n[queue]"));
    assert_eq!((found.len(), found[0].line), (1, 7), "{found:?}");
    assert!(found[0].what.contains("duplicate key"), "{found:?}");
}

#[test]
fn sections_that_must_be_there() {
    assert_eq!(
        shown(""),
        [
            "1: mysql: is missing; add [mysql] with servers, database and user",
            "1: mqtt: is missing; add at least one source: [[mqtt]] with broker and topics, [[serial]] with port and node, or [[i2c]] with bus and nodes",
        ]
    );
    assert_eq!(
        shown(&GOOD.replace("servers = [\"db1\", \"db2\"]\n", "")),
        ["3: mysql.servers: is missing; add servers = [\"db1\"]"]
    );
    assert_eq!(
        shown(&GOOD.replace("broker = \"mqtt://localhost\"\n", "")),
        ["8: mqtt[0].broker: is missing; add broker = \"mqtt://localhost\""]
    );
    let without_mqtt = format!("mqtt = []\n{}", GOOD.split("[[mqtt]]").next().unwrap());
    assert!(shown(&without_mqtt)[0].starts_with("1: mqtt: is missing; add at least one source"));
}

#[test]
fn at_most_32_brokers() {
    let with = |count: usize| {
        (1..count).fold(GOOD.to_owned(), |text, number| {
            format!("{text}[[mqtt]]\nbroker = \"mqtt://b{number}\"\ntopics = [\"{{node}}\"]\n")
        })
    };
    Config::from_text(&with(32), Path::new("f.toml"), "h").unwrap();
    assert_eq!(shown(&with(33)), ["8: mqtt: has 33 entries; give between 0 and 32"]);
}

#[test]
fn sections_of_the_wrong_kind() {
    let single = GOOD.replace("[[mqtt]]", "[mqtt]");
    assert_eq!(
        shown(&single),
        ["8: mqtt: is of the type section, not list; write [[mqtt]] with two brackets, once for each"]
    );
    let twice = GOOD.replace("[queue]", "[[queue]]");
    assert_eq!(shown(&twice), ["7: queue: is of the type list, not section; write it once, as [queue]"]);
    let flat = format!("mqtt = [5]\n{}", GOOD.split("[[mqtt]]").next().unwrap());
    assert!(shown(&flat)[0].starts_with("1: mqtt[0]: is of the type whole number, not section; "));
}

#[test]
fn what_later_versions_have_is_named_as_such() {
    let found = shown(&format!("{GOOD}[status]\n"));
    assert_eq!(found, ["11: status: is not in this version of fieldgate; remove it"]);
    assert!(words("[[mqtt]]", "broker = \"mqtts://b\"").contains("is not in this version of fieldgate; "));
    assert!(words("[[mqtt]]", "topics = [\"$share/g/{node}\"]").contains("is not in this version of fieldgate; "));
}

#[test]
fn a_host_name_is_judged_only_where_it_is_needed() {
    let text = GOOD.replace("id = \"barn-1\"\n", "");
    let found = problems_on(&text, "");
    assert_eq!((found.len(), found[0].path.as_str(), found[0].line), (1, "gateway.id", 1), "{found:?}");
    assert!(found[0].what.contains("the host name \"\" cannot be used"), "{found:?}");
    Config::from_text(GOOD, Path::new("f.toml"), "").unwrap();
}

#[test]
fn one_session_at_a_broker_has_one_client_id() {
    let second = |broker: &str, id: &str| {
        format!("{GOOD}[[mqtt]]\nbroker = \"{broker}\"\nclient_id = \"{id}\"\ntopics = [\"{{node}}\"]\n")
    };
    let found = problems(&second("mqtt://LOCALHOST:1883", "fieldgate-barn-1"));
    assert_eq!((found.len(), found[0].path.as_str(), found[0].line), (1, "mqtt[1].client_id", 13), "{found:?}");
    for (broker, id) in [("mqtt://other", "fieldgate-barn-1"), ("mqtt://localhost", "other")] {
        Config::from_text(&second(broker, id), Path::new("f.toml"), "h").unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_cut_out_there_is_a_config_or_a_problem_with_a_line(from in 0..GOOD.len(), length in 1..80_usize) {
        let until = GOOD.len().min(from + length);
        let text = format!("{}{}", &GOOD[..from], &GOOD[until..]);
        if let Err(error) = Config::from_text(&text, Path::new("f.toml"), "h") {
            let ConfigError::Problems { problems, .. } = error else { panic!("{error}") };
            prop_assert!(!problems.is_empty());
            let lines = 1 + text.matches('\n').count();
            prop_assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line)), "{:?}", problems);
        }
    }
}

#[test]
fn a_promotion_needs_an_account() {
    let promote = |words: &str| {
        let text = GOOD.replace("[queue]", &format!("failover = \"promote\"\n{words}[queue]"));
        shown(&text)
    };
    let needs = "mysql.promote: is missing; add a section [mysql.promote] with user = \"fieldgate_promote\"";
    assert_eq!(promote(""), [format!("3: {needs}")]);
    assert_eq!(promote("[mysql.promote]\n"), ["8: mysql.promote.user: is missing; add user = \"fieldgate_promote\""]);
    let good = GOOD.replace("[queue]", "failover = \"promote\"\n[mysql.promote]\nuser = \"p\"\n[queue]");
    assert!(Config::from_text(&good, Path::new("f.toml"), "barn-1").is_ok());
    let short = promote("[mysql.promote]\nuser = \"p\"\ngrace = \"0s\"\n");
    assert!(short[0].starts_with("10: mysql.promote.grace: "), "{short:?}");
    let lone = promote("[mysql.promote]\nuser = \"p\"\nreplication_password_file = \"/p\"\n");
    assert_eq!(
        lone,
        ["10: mysql.promote.replication_password_file: is given without replication_user; \
          add replication_user, or remove replication_password_file"]
    );
}

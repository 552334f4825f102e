//! `fieldgate takeover`: the planned change of the active gateway, and what both say of it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::Output;
use std::time::Instant;

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::Server;
use fieldgate_tests::node::Node;
use fieldgate_tests::pair::Pair;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::DEADLINE;
use serde_json::Value;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs `fieldgate takeover`: its exit code and what it says.
fn takeover(gateway: &Gateway, options: &[&str]) -> (Option<i32>, String) {
    let output = gateway.command(&[&["takeover"], options].concat());
    (output.status.code(), said(&output).trim_end().to_owned())
}

fn screen(gateway: &Gateway) -> String {
    said(&gateway.command(&["status"]))
}

#[track_caller]
fn shows(screen: &str, parts: &[&str]) {
    for part in parts {
        assert!(screen.contains(part), "{part:?} in:\n{screen}");
    }
}

/// The queries of docs/standby.md.
fn run_what_the_page_says(server: &Server) {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/standby.md")).expect("docs/standby.md");
    let queries: Vec<&str> = page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let queries = queries.join("\n").replace("'barn'", "'lab'");
    let rows = server.query(&format!("USE field;\n{queries}"));
    let begins = |words: &[&str]| rows.iter().any(|row| row.iter().zip(words).all(|(cell, word)| cell == word));
    assert!(begins(&["one", "3"]), "the holder and its term in {rows:?}");
    assert!(begins(&["two", ""]), "what two has heard of brokers in {rows:?}");
}

#[test]
fn a_planned_change_there_and_back_loses_and_doubles_nothing_and_both_say_what_they_are() {
    let pair = Pair::start(1);
    let mut node = Node::named("greenhouse").rate(100.0).start(pair.broker.address());
    node.wait_acknowledged(100, DEADLINE);
    let [one, two] = &pair.gateways;

    let begun = Instant::now();
    let (code, text) = takeover(two, &[]);
    println!("a planned change took {:?}", begun.elapsed());
    assert_eq!((code, text.as_str()), (Some(0), "two is active in term 2"));
    assert_eq!(takeover(two, &[]), (Some(0), "two is active in term 2".to_owned()), "it is, and stays so");
    pair.wait_role(0, "standby");
    let left_out = || screen(one).contains("left out since the start: ");
    wait_for("readings that the other one brought", DEADLINE, left_out);
    let (of_one, of_two) = (screen(one), screen(two));
    println!("{of_one}\n\n{of_two}");
    shows(
        &of_two,
        &["standby   active since ", "in term 2: ", "other gateway: standby, last beat ", "wait for the database"],
    );
    shows(&of_one, &["standby   standby since ", "the newest term is 2: the other gateway has taken over"]);
    shows(
        &of_one,
        &["other gateway: active, last beat ", "its readings are durable up to ", "held, as the other gateway"],
    );
    for screen in [&of_one, &of_two] {
        shows(screen, &["link serial ", ": works; ", " beats\n"]);
        assert!(!screen.contains("WARNING"), "{screen}");
    }

    node.wait_acknowledged(300, DEADLINE);
    let (code, text) = takeover(two, &["--give", "--json"]);
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &answer["done"], &answer["gateway"]), (Some(0), &true.into(), &"two".into()));
    assert_eq!((&answer["role"], &answer["term"]), (&"standby".into(), &3.into()));
    assert_eq!(answer["text"], "the other gateway is active in term 3; two stands by");
    pair.wait_role(0, "active");
    node.wait_acknowledged(500, DEADLINE);
    let log = node.terminate();
    println!("{}", pair.wait_clean(0, &[log]));
    let told = pair.cluster.servers[0].query("SELECT text FROM field.events WHERE kind = 'takeover' ORDER BY id");
    let expected =
        ["one is active in term 1", "two takes over from one in term 2", "one takes over from two in term 3"];
    assert_eq!(told.concat(), expected);
    run_what_the_page_says(pair.cluster.source());
}

#[test]
fn without_the_other_gateway_a_turn_is_not_given_and_is_taken_by_force_only() {
    let mut pair = Pair::start(0);
    pair.gateways[1].kill9();
    wait_for("silence", DEADLINE, || pair.standby(0)["other"]["last_beat_ms_ago"].as_u64() > Some(1000));
    let [one, two] = &pair.gateways;
    let (code, text) = takeover(one, &["--give"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("has not been heard lately") && text.contains("`fieldgate status` there"), "{text}");
    assert_eq!(takeover(one, &["--force"]), (Some(0), "one is active in term 1".to_owned()), "it is, and stays so");
    let (code, text) = takeover(two, &["--force"]);
    assert_eq!(code, Some(69));
    assert!(text.contains("no gateway runs on "), "{text}");
}

#[test]
fn a_gateway_alone_has_nobody_to_take_over_from() {
    // Nobody needs to answer there.
    let nobody = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
    let alone = Gateway::named("alone").servers([nobody]).broker(nobody).build();
    let (code, text) = takeover(&alone, &[]);
    assert_eq!(code, Some(78));
    assert!(text.contains("there is no [standby]"), "{text}");
}

#[test]
fn one_whose_links_are_all_broken_says_so_and_asks_nobody() {
    let nobody = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
    let standby = "[standby]\npriority = 1\nbeat = \"200 ms\"\nsilence = \"1 s\"\n\
                   links = [{ kind = \"serial\", port = \"/dev/fieldgate-none\" }]\n\
                   [[serial]]\nport = \"/dev/fieldgate-neither\"\nnode = \"mill\"\nwhile_standby = \"off\"\n";
    let mut lonely = Gateway::named("lonely").servers([nobody]).broker(nobody).toml(standby).build();
    lonely.start();
    wait_for("all links broken", DEADLINE, || screen(&lonely).contains("standby   isolated since "));
    let seen = screen(&lonely);
    println!("{seen}");
    let not_there = "link serial /dev/fieldgate-none: does not work: the port is not there; waiting for it; ";
    let waits = "/dev/fieldgate-neither: waits for its turn: only the active gateway reads it, ";
    shows(
        &seen,
        &["no link works, so whether the other gateway lives is not known", "not heard yet", not_there, waits],
    );
    let (code, text) = takeover(&lonely, &[]);
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("no link works, so the other gateway cannot be asked") && text.contains("--force"),
        "{text}"
    );
    assert_eq!(takeover(&lonely, &["--force"]), (Some(0), "lonely is active in term 1".to_owned()));
}

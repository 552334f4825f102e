//! `[standby]`: what is heard, and what is refused with which words.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{GOOD, problems};
use fieldgate_config::{Config, Link, Standby};

const SERIAL: &str = r#"{ kind = "serial", port = "/dev/ttyAMA0" }"#;
const UDP: &str = r#"{ kind = "udp", peer = "Barn-2" }"#;

/// The good file with these keys in line 12 and links in the lines from 14 on.
fn with(keys: &str, links: &[&str]) -> String {
    format!("{GOOD}[standby]\n{keys}\nlinks = [\n{},\n]\n", links.join(",\n"))
}

fn heard(keys: &str, links: &[&str]) -> Standby {
    let config = Config::from_text(&with(keys, links), Path::new("f.toml"), "");
    config.unwrap_or_else(|error| panic!("{error}")).standby.unwrap_or_else(|| panic!("no section"))
}

fn said(text: &str) -> Vec<String> {
    problems(text).iter().map(ToString::to_string).collect()
}

/// The problems of one link beside a good one.
fn of_link(link: &str) -> Vec<String> {
    let said = said(&with("priority = 1", &[link, r#"{ kind = "serial", port = "/dev/ttyS9" }"#]));
    said.iter().map(|words| words.strip_prefix("14: standby.links[0]").unwrap_or(words).to_owned()).collect()
}

#[test]
fn a_gateway_is_alone_unless_it_says_otherwise() {
    assert_eq!(Config::from_text(GOOD, Path::new("f.toml"), "").unwrap().standby, None);
}

#[test]
fn priority_and_a_link_are_enough() {
    let standby = heard("priority = 8", &[SERIAL]);
    let (beat, silence) = (Duration::from_secs(1), Duration::from_secs(3));
    let links = vec![Link::Serial { port: "/dev/ttyAMA0".into(), baud: 115_200 }];
    assert_eq!(standby, Standby { priority: 8, beat, silence, preempt: false, links });
    let words = said(&format!("{GOOD}[standby]\n"));
    let links = "add links = [{ kind = \"serial\", port = \"/dev/ttyAMA0\" }]";
    assert_eq!(
        words,
        [
            "11: standby.priority: is missing; add priority = 1".to_owned(),
            format!("11: standby.links: is missing; {links}")
        ]
    );
}

/// The other one would leave out what waits behind the live readings, and a card that dies then would take it along.
#[test]
fn live_readings_go_first_only_where_a_gateway_is_alone() {
    let text = |order: &str| format!("{}[drain]\norder = \"{order}\"\n", with("priority = 1", &[SERIAL]));
    assert!(Config::from_text(&text("oldest-first"), Path::new("f.toml"), "").is_ok());
    let words = "17: drain.order: is \"live-first\", but with [standby] what came first goes first; \
                 write \"oldest-first\", or remove it";
    assert_eq!(said(&text("live-first")), [words]);
}

#[test]
fn every_kind_of_link_is_heard() {
    let mailbox = r#"{ kind = "i2c-mailbox", bus = "/dev/i2c-1" }"#;
    let controller = r#"{ kind = "i2c-target", bus = "/dev/i2c-1", address = 0x64 }"#;
    let target = r#"{ kind = "i2c-target", file = "/sys/x/slave-eeprom" }"#;
    let udp = r#"{ kind = "udp", listen = "[::1]:1", peer = "[::2]:9" }"#;
    let keys = "priority = 1\nbeat = \"200ms\"\nsilence = \"500ms\"\npreempt = true";
    let standby = heard(keys, &[mailbox, controller, target, udp, UDP]);
    assert_eq!(standby.links[0], Link::Mailbox { bus: "/dev/i2c-1".into(), address: 8 });
    assert_eq!(standby.links[1], Link::TargetBus { bus: "/dev/i2c-1".into(), address: 0x64 });
    assert_eq!(standby.links[2], Link::TargetFile { file: "/sys/x/slave-eeprom".into() });
    let shown: Vec<String> = standby.links[3..]
        .iter()
        .map(|link| match link {
            Link::Udp { listen, peer } => format!("{listen} {peer}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["[::1]:1 [::2]:9", "0.0.0.0:7420 barn-2:7420"]);
    assert_eq!(standby.links.iter().map(Link::is_witness).collect::<Vec<_>>(), [false, false, false, true, true]);
    assert!(standby.preempt);
}

#[test]
fn bounds_and_what_belongs_together_are_kept() {
    for (keys, words) in [
        ("priority = 9", "12: standby.priority: is 9; write a whole number between 1 and 8"),
        ("priority = 1\nbeat = \"50ms\"", "13: standby.beat: is \"50ms\"; write between \"100 ms\" and \"10 s\""),
        ("priority = 1\nsilence = \"11min\"", "13: standby.silence: is \"11min\"; write between \"300 ms\""),
        ("priority = 1\nsilence = \"2s\"", "13: standby.silence: makes silence (2s) shorter than two and a half beats"),
        ("priority = 1\nbeat = \"2s\"", "13: standby.beat: makes silence (3s) shorter than two and a half beats (2s)"),
        ("priority = 1\nturns = 2", "13: standby.turns: is not a key that fieldgate knows"),
    ] {
        let found = said(&with(keys, &[SERIAL]));
        assert!(found.len() == 1 && found[0].starts_with(words), "{keys}: {found:?}");
    }
    heard("priority = 1\nbeat = \"2s\"\nsilence = \"5s\"", &[SERIAL]);
}

#[test]
fn the_keys_of_a_link_are_judged_by_its_kind() {
    for (link, words) in [
        (r#"{ port = "/dev/a" }"#, ".kind: is missing; add kind = \"serial\""),
        (
            r#"{ kind = "wifi" }"#,
            ".kind: is \"wifi\"; write \"i2c-mailbox\" or \"serial\" or \"i2c-target\" or \"udp\"",
        ),
        (r#"{ kind = "serial" }"#, ".port: is missing; add port = \"/dev/ttyAMA0\""),
        (r#"{ kind = "serial", port = "/dev/a", peer = "b" }"#, ".peer: is only for kind = \"udp\"; remove it"),
        (r#"{ kind = "i2c-mailbox" }"#, ".bus: is missing; add bus = \"/dev/i2c-1\""),
        (
            r#"{ kind = "i2c-mailbox", bus = "/dev/i2c-1", address = 7 }"#,
            ".address: is 7; write an address between 0x08 and 0x77",
        ),
        (r#"{ kind = "i2c-target", bus = "/dev/i2c-1" }"#, ".address: is missing; add address = 0x64"),
        (
            r#"{ kind = "i2c-target", address = 9 }"#,
            ".bus: is missing; add bus = \"/dev/i2c-1\" and address = 0x64, or",
        ),
        (
            r#"{ kind = "i2c-target", file = "/f", address = 9 }"#,
            ".address: is given beside file, which says that this",
        ),
        (r#"{ kind = "udp", peer = "b", listen = "here" }"#, ".listen: is \"here\"; write an address of this machine"),
        (
            r#"{ kind = "udp", peer = "b", listen = "0.0.0.0:0" }"#,
            ".listen: is \"0.0.0.0:0\", and the other gateway could not know the port; write an address of this machine",
        ),
        (r#"{ kind = "udp" }"#, ".peer: is missing; add peer = \"barn-2:7420\""),
    ] {
        let found = of_link(link);
        assert!(found.len() == 1 && found[0].starts_with(words), "{link}: {found:?}");
    }
}

#[test]
fn a_device_has_one_use_and_the_network_alone_is_not_enough() {
    let twice = said(&with("priority = 1", &[SERIAL, SERIAL]));
    assert_eq!(twice, ["15: standby.links[1]: means the same as links[0]; remove one of the two"]);
    let network = said(&with("priority = 1", &[UDP]));
    let words =
        "13: standby.links: is \"udp\" only, and a dead switch looks like a dead gateway; add a link over a wire";
    assert_eq!(network, [words]);
    let none = said(&format!("{GOOD}[standby]\npriority = 1\nlinks = []\n"));
    assert_eq!(none, ["13: standby.links: has 0 entries; give between 1 and 8"]);
}

#[test]
fn a_nodes_port_or_address_is_not_a_links() {
    let serial = "[[serial]]\nport = \"/dev/ttyAMA0\"\nnode = \"silo\"\nwhile_standby = \"hold\"\n";
    let found = said(&format!("{}{serial}", with("priority = 1", &[SERIAL])));
    let words = "14: standby.links[0].port: is that of serial[0] too; write another for one of the two";
    assert!(found.iter().any(|found| found == words), "{found:?}");
    let node = r#"{ name = "shed", part = "bme280", address = 0x76 }"#;
    let bus = format!("[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = [{node}]\nwhile_standby = \"off\"\n[status]\n");
    let link = |address| format!(r#"{{ kind = "i2c-mailbox", bus = "/dev/i2c-1", address = {address} }}"#);
    let found = |address| said(&format!("{}{bus}", with("priority = 1", &[&link(address)])));
    let words = "14: standby.links[0].address: is that of i2c[0].nodes[0] too; write another for one of the two";
    assert!(found(0x76).iter().any(|found| found == words), "{:?}", found(0x76));
    assert!(!found(8).iter().any(|found| found.contains("links")), "{:?}", found(8));
}

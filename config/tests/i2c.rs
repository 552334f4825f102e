//! `[[i2c]]`: what is heard, and what is refused with which words.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{GOOD, problems};
use fieldgate_config::{ByteOrder, Config, MicroFormat, Part};

/// The good file with a bus that has these nodes, one a line.
fn with_nodes(nodes: &[&str]) -> String {
    format!("{GOOD}[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = [\n{},\n]\n", nodes.join(",\n"))
}

fn load(text: &str) -> Config {
    Config::from_text(text, Path::new("f.toml"), "barn-1").unwrap_or_else(|error| panic!("{error}"))
}

/// The problems of one node, which stands in line 14.
fn said(node: &str) -> Vec<String> {
    let shown = problems(&with_nodes(&[node])).into_iter().map(|problem| problem.to_string());
    shown.map(|words| words.strip_prefix("14: i2c[0].nodes[0]").map(str::to_owned).unwrap_or(words)).collect()
}

const BME280: &str = r#"{ name = "shed", part = "bme280", address = 0x76 }"#;

#[test]
fn a_bus_alone_is_enough_and_has_defaults() {
    let text = with_nodes(&[BME280]).replace("[[mqtt]]\nbroker = \"mqtt://localhost\"\n", "");
    let config = load(&text.replace("topics = [\"plants/{node}/{channel}\"]\n", ""));
    assert!(config.mqtt.is_empty());
    let node = &config.i2c[0].nodes[0];
    assert_eq!((node.name.as_str(), node.address, node.every), ("shed", 0x76, Duration::from_secs(10)));
    assert_eq!((&node.part, config.i2c[0].bus.as_path()), (&Part::Bme280, Path::new("/dev/i2c-1")));
}

#[test]
fn every_key_of_a_register_is_heard() {
    let least = r#"{ name = "a", part = "register", address = 3, register = 0, channel = "x" }"#;
    let most = r#"{ name = "b", part = "register", address = 119, every = "100 ms", register = 0xff, channel = "light",
        unit = "lx", width = 4, signed = true, order = "little", scale = -2, offset = 1e3 }"#;
    let config = load(&with_nodes(&[least, &most.replace('\n', "")]));
    let [least, most] = [0, 1].map(|at| match &config.i2c[0].nodes[at].part {
        Part::Register { register, quantity } => (*register, quantity.clone()),
        other => panic!("{other:?}"),
    });
    let numbers = |(register, q): &(u8, fieldgate_config::Quantity)| {
        (*register, q.width, q.signed, q.order, q.scale, q.offset, q.is_scaled())
    };
    assert_eq!(numbers(&least), (0, 2, false, ByteOrder::Big, 1.0, 0.0, false));
    assert_eq!(numbers(&most), (255, 4, true, ByteOrder::Little, -2.0, 1000.0, true));
    assert_eq!((least.1.unit, most.1.unit.map(String::from)), (None, Some("lx".to_owned())));
}

#[test]
fn a_microcontroller_has_json_or_fields() {
    let json = r#"{ name = "a", part = "micro", address = 0x30, bytes = 255, format = "json" }"#;
    let fields = r#"{ name = "b", part = "micro", address = 0x31, bytes = 3, format = "fields",
        fields = [{ channel = "x", at = 1 }, { channel = "y", at = 0, width = 1 }] }"#;
    let config = load(&with_nodes(&[json, &fields.replace('\n', "")]));
    let micro = |at: usize| match &config.i2c[0].nodes[at].part {
        Part::Micro(micro) => micro.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((micro(0).bytes, micro(0).format), (255, MicroFormat::Json));
    let MicroFormat::Fields(fields) = micro(1).format else { panic!("{:?}", micro(1)) };
    let places: Vec<_> = fields.iter().map(|field| (field.quantity.channel.as_str(), field.at)).collect();
    assert_eq!(places, [("x", 1), ("y", 0)]);
}

#[test]
fn keys_that_are_missing_or_of_another_part_are_named() {
    assert_eq!(
        said("{ }"),
        [
            ".name: is missing; add name = \"shed\"",
            ".address: is missing; add address = 0x76",
            ".part: is missing; add part = \"bme280\""
        ]
    );
    let wrong = r#"{ name = "a", part = "bmp280", address = 9, register = 1 }"#;
    assert_eq!(said(wrong), [".part: is \"bmp280\"; write \"bme280\" or \"register\" or \"micro\""]);
    let foreign = r#"{ name = "a", part = "bme280", address = 9, channel = "x", bytes = 2, collor = 1 }"#;
    assert_eq!(
        said(foreign),
        [
            ".channel: is not for a part \"bme280\"; remove it, or correct the part",
            ".bytes: is not for a part \"bme280\"; remove it, or correct the part",
            ".collor: is not a key that fieldgate knows; remove it; known here: name, address, every, part"
        ]
    );
    let register = r#"{ name = "a", part = "register", address = 9, format = "json" }"#;
    assert_eq!(
        said(register),
        [
            ".register: is missing; add register = 0x00",
            ".channel: is missing; add channel = \"lux\"",
            ".format: is not for a part \"register\"; remove it, or correct the part"
        ]
    );
    let json = r#"{ name = "a", part = "micro", address = 9, bytes = 9, format = "json", fields = [] }"#;
    assert_eq!(said(json), [".fields: is not for the format \"json\"; remove it"]);
}

#[test]
fn values_outside_of_their_bounds_are_named() {
    let node = |rest: &str| said(&format!(r#"{{ name = "a", {rest} }}"#));
    let register =
        |rest: &str| node(&format!(r#"part = "register", address = 9, register = 1, channel = "x", {rest}"#));
    for address in ["0x02", "0x78", "-1"] {
        let found = node(&format!(r#"part = "bme280", address = {address}"#));
        assert!(found[0].ends_with("; write the node's address, between 0x03 and 0x77"), "{found:?}");
    }
    for (value, words) in [
        ("every = \"99 ms\"", ".every: is \"99 ms\"; write between \"100 ms\" and \"1 day\""),
        ("width = 3", ".width: is 3; write 1, 2 or 4, in bytes"),
        ("signed = 1", ".signed: is of the type whole number, not true or false; write true or false, without quotes"),
        ("order = \"middle\"", ".order: is \"middle\"; write \"big\" or \"little\""),
        ("scale = 0", ".scale: is 0, which would make every value the same; write another number"),
        ("scale = inf", ".scale: is not a finite number; write a number such as 0.01"),
        ("offset = nan", ".offset: is not a finite number; write a number such as 0.01"),
        ("offset = \"1\"", ".offset: is of the type text, not number; write a number such as 0.01"),
        ("unit = \"\"", ".unit: cannot be used: a unit has 1 to 32 characters, this text has 0; choose another"),
        ("unit = \" lx\"", ".unit: cannot be used: a unit has no white space at its ends; remove it"),
        ("unit = 7", ".unit: is of the type whole number, not text; write it in quotes"),
    ] {
        assert_eq!(register(value), [words]);
    }
    let micro = |rest: &str| node(&format!(r#"part = "micro", address = 9, bytes = 4, format = "fields", {rest}"#));
    assert_eq!(
        micro(r#"fields = [{ channel = "x", at = 3 }, { channel = "y", at = 0 }, { channel = "y", at = 2 }]"#),
        [
            ".fields[0].at: puts the end of the field at 5 bytes, and the read has 4; correct at or width, or read more bytes",
            ".fields[2].channel: is \"y\", as in an earlier field; choose another name"
        ]
    );
    assert_eq!(micro("fields = []"), [".fields: has 0 entries; give between 1 and 64"]);
    assert_eq!(micro("every = \"1 s\""), [".fields: is missing; add fields = [{ channel = \"soil\", at = 0 }]"]);
}

#[test]
fn one_address_one_name_and_one_bus_stand_once() {
    let shown = |text: &str| problems(text).iter().map(ToString::to_string).collect::<Vec<_>>();
    let same_address = BME280.replace("shed", "barn");
    assert_eq!(
        shown(&with_nodes(&[BME280, &same_address])),
        [
            "15: i2c[0].nodes[1].address: is 0x76, as in nodes[0]; two nodes of one bus cannot have one address; correct one of the two"
        ]
    );
    let same_name = BME280.replace("0x76", "0x77");
    let found = shown(&with_nodes(&[BME280, &same_name]));
    assert!(
        found.len() == 1 && found[0].starts_with("15: i2c[0].nodes[1].name: is \"shed\", the name of"),
        "{found:?}"
    );
    let second = with_nodes(&[BME280]) + &format!("[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = [{same_address}]\n");
    assert_eq!(shown(&second), ["17: i2c[1].bus: is the bus of i2c[0] too; join the two entries"]);
    load(&second.replace(
        "[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = [{ name = \"barn\"",
        "[[i2c]]\nbus = \"/dev/i2c-3\"\nnodes = [{ name = \"barn\"",
    ));
}

#[test]
fn a_bus_is_a_path_with_nodes() {
    let shown = |text: &str| problems(&format!("{GOOD}{text}")).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        shown("[[i2c]]\nbus = \"i2c-1\"\nnodes = 5\n"),
        [
            "12: i2c[0].bus: is \"i2c-1\", not a path from the root; begin it with /",
            "13: i2c[0].nodes: is of the type whole number, not list; write nodes = [{ name = \"shed\", part = \"bme280\", address = 0x76 }]"
        ]
    );
    assert_eq!(
        shown("[[i2c]]\nbus = \"/dev/i2c-1\"\nnodes = []\n"),
        ["13: i2c[0].nodes: has 0 entries; give between 1 and 64"]
    );
}

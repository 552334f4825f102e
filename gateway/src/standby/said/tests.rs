//! What stands in the document, and what does not.

use super::*;
use std::path::Path;

/// Without `[standby]` every source is `deliver`.
fn said_with(text: &str, while_standby: WhileStandby) -> Said {
    let text = format!("[mysql]\nservers = [\"db1\"]\ndatabase = \"field\"\nuser = \"f\"\n{text}");
    let mut config = Config::from_text(&text, Path::new("f"), "g").unwrap();
    config.mqtt.iter_mut().for_each(|entry| entry.while_standby = while_standby);
    config.serial.iter_mut().for_each(|entry| entry.while_standby = while_standby);
    config.i2c.iter_mut().for_each(|entry| entry.while_standby = while_standby);
    let (beat, silence) = (Duration::from_secs(1), Duration::from_millis(3500));
    Said::of(&config, &Standby { priority: 2, beat, silence, preempt: false, links: Vec::new() })
}

const SOURCES: &str = r#"
    [[mqtt]]
    broker = "mqtt://secret-broker"
    user = "secret-user"
    password_file = "/secret-file"
    topics = ["plants/{node}", "tank/#"]
    node = "tank"
    [[mqtt]]
    broker = "mqtt://second-broker"
    topics = ["plants/{node}"]
    [[serial]]
    port = "/dev/ttyUSB0"
    node = "silo"
    format = "csv"
    columns = ["seq", "-", "level"]
    delimiter = ";"
    [[i2c]]
    bus = "/dev/i2c-1"
    nodes = [
      { name = "shed", part = "bme280", address = 0x76 },
      { name = "roof", part = "register", address = 0x23, register = 0x10, channel = "lux", unit = "lx", every = "1s" },
      { name = "bed", part = "micro", address = 9, bytes = 4, format = "fields", fields = [{ channel = "soil", at = 0, order = "little" }] },
    ]
"#;

#[test]
fn every_shared_source_is_named_with_what_must_be_the_same_and_nothing_secret_is_said() {
    let said = said_with(SOURCES, WhileStandby::Hold);
    assert_eq!((said.priority, said.beat_ms, said.silence_ms), (2, 1000, 3500));
    let named: Vec<&str> = said.by_what_they_hear().into_keys().collect();
    let expected = [
        "the node bed",
        "the node roof",
        "the node shed",
        "the node silo",
        "the topic plants/{node}",
        "the topic plants/{node} (2)",
        "the topic tank/#",
    ];
    assert_eq!(named, expected);
    let detail = |hears: &str, name: &str| said.by_what_they_hear()[hears].details[name].clone();
    assert_eq!(detail("the node silo", "format"), "csv of seq, -, level between ';'");
    assert_eq!((detail("the node roof", "address"), detail("the node roof", "every")), ("0x23".into(), "1s".into()));
    let lux = "register 0x10 with lux in lx: 2 bytes unsigned big, scale 1, offset 0";
    assert_eq!(detail("the node roof", "part"), lux);
    let soil = "micro of 4 bytes with soil: 2 bytes unsigned little, scale 1, offset 0 at 0";
    assert_eq!(detail("the node bed", "part"), soil);
    assert_eq!(detail("the topic tank/#", "node"), "tank");
    let text = serde_json::to_string(&said).unwrap();
    assert!(!text.contains("secret") && !text.contains("second-broker") && !text.contains("ttyUSB0"), "{text}");
    assert_eq!(serde_json::from_str::<Said>(&text).unwrap(), said);
}

#[test]
fn what_only_this_gateway_hears_is_its_own_affair() {
    assert_eq!(said_with(SOURCES, WhileStandby::Deliver).sources, []);
    let off = said_with(SOURCES, WhileStandby::Off);
    assert!(off.sources.len() == 7 && off.sources.iter().all(|source| source.while_standby == "off"));
}

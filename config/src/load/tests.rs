//! The shipped file against the keys that the code asks for: neither may have one that the other lacks.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use toml::de::DeValue;

use super::*;
use crate::lines::join;
use crate::{
    ByteOrder, Gateway, Led, LineFormat, Link, Micro, MicroFormat, Mqtt, Mysql, Parity, Part, PeerAddress, Quantity,
    Queue, Serial, Site, Standby, StopBits, Tls,
};

const SHIPPED: &str = include_str!("../../../packaging/fieldgate.toml");

/// Settings and the headers of their sections are commented out with `#` alone, prose with `# `.
fn with_every_setting() -> String {
    let is_setting = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let lines = SHIPPED.lines().map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line));
    // The key has a meaning only beside the section.
    let with_standby = lines.clone().any(|line| line == "[standby]");
    lines.filter(|line| with_standby || !line.starts_with("while_standby")).collect::<Vec<_>>().join("\n")
}

/// The path of every key below `table`, with `[]` for any entry of a list.
fn written_keys(path: &str, table: &DeTable<'_>, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = join(path, key.get_ref());
        keys.insert(path.clone());
        match value.get_ref() {
            DeValue::Table(table) => written_keys(&path, table, keys),
            DeValue::Array(entries) => {
                for table in entries.iter().filter_map(|entry| entry.get_ref().as_table()) {
                    written_keys(&format!("{path}[]"), table, keys);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn every_accepted_key_stands_in_the_shipped_file_and_no_other() {
    let text = with_every_setting();
    let (_, report) = examine(&text, "barn-1");
    assert_eq!(report.problems, [], "every key in the file is accepted");
    let mut written = BTreeSet::new();
    written_keys("", DeTable::parse(&text).unwrap().get_ref(), &mut written);
    assert_eq!(&written, report.accepted_keys(), "every accepted key is in the file");
}

fn load(text: &str) -> Config {
    Config::from_text(text, Path::new("fieldgate.toml"), "barn-1").unwrap()
}

/// Every number that a node of this part has.
fn quantities(part: &Part) -> Vec<&Quantity> {
    match part {
        Part::Bme280 | Part::Micro(Micro { format: MicroFormat::Json, .. }) => vec![],
        Part::Register { quantity, .. } => vec![quantity],
        Part::Micro(Micro { format: MicroFormat::Fields(fields), .. }) => {
            fields.iter().map(|field| &field.quantity).collect()
        }
    }
}

#[test]
fn the_shipped_file_is_valid_and_shows_the_defaults() {
    let shipped = load(SHIPPED);
    let explicit = load(&with_every_setting());
    let with_site = Gateway { site: Site::new("barn").unwrap(), ..shipped.gateway };
    assert_eq!(explicit.gateway, with_site);
    let tls = Tls::Verify { ca_file: "/etc/fieldgate/ca.pem".into() };
    let (password_file, promote) = (explicit.mysql.password_file.clone(), explicit.mysql.promote.clone());
    let times = promote.as_ref().map(|promote| (promote.grace, promote.cooldown));
    assert_eq!(times, Some((Duration::from_secs(30), Duration::from_secs(3600))));
    let with_more = Mysql { password_file, tls, promote, ..shipped.mysql };
    assert_eq!(explicit.mysql, with_more);
    let system_roots = Tls::Verify { ca_file: "/etc/ssl/certs/ca-certificates.crt".into() };
    assert_eq!(load(&SHIPPED.replace("#tls", "tls")).mysql.tls, system_roots);
    assert_eq!(explicit.queue, Queue { max_bytes: Some(4 << 30), reserve_bytes: Some(256 << 20), ..shipped.queue });
    let led = Led { line: 17, chip: "/dev/gpiochip0".into(), active_low: false };
    assert_eq!((shipped.led, explicit.led), (None, Some(led)));
    let Mqtt { user, password_file, node, while_standby, .. } = explicit.mqtt[0].clone();
    assert_eq!(explicit.mqtt, [Mqtt { user, password_file, node, while_standby, ..shipped.mqtt[0].clone() }]);
    let Serial { port, node, while_standby, .. } = explicit.serial[0].clone();
    let (baud, parity, stop_bits, max_frame_bytes) = (115_200, Parity::None, StopBits::One, 4096);
    let format = LineFormat::JsonLines;
    let serial = Serial { port, node, format, baud, parity, stop_bits, max_frame_bytes, while_standby };
    assert_eq!((explicit.serial.len(), &explicit.serial[0]), (3, &serial));
    assert_eq!(shipped.serial, []);
    let nodes = explicit.i2c[0].nodes.iter().map(|node| &node.part);
    let quantities: Vec<&Quantity> = nodes.flat_map(quantities).collect();
    let (width, signed, scale, offset) = (2, false, 1.0, 0.0);
    let Quantity { channel, unit, .. } = quantities[0].clone();
    let default = Quantity { channel, unit, width, signed, order: ByteOrder::Big, scale, offset };
    assert_eq!((explicit.i2c[0].nodes.len(), quantities.len(), quantities[0]), (3, 2, &default));
    assert_eq!(explicit.i2c[0].nodes[0].every, Duration::from_secs(10));
    assert_eq!(shipped.i2c, []);
    let address = 8;
    let standby = Standby {
        priority: 1,
        beat: Duration::from_secs(1),
        silence: Duration::from_secs(3),
        preempt: false,
        links: vec![
            Link::Mailbox { bus: "/dev/i2c-1".into(), address },
            Link::Serial { port: "/dev/ttyAMA2".into(), baud },
            Link::TargetFile { file: "/sys/bus/i2c/devices/1-1064/slave-eeprom".into() },
            Link::Udp { listen: "0.0.0.0:7420".parse().unwrap(), peer: PeerAddress::parse("barn-2:7420").unwrap() },
        ],
    };
    assert_eq!((shipped.standby, explicit.standby), (None, Some(standby)));
}

#[test]
fn the_smallest_file_in_the_comments_means_what_the_uncommented_lines_mean() {
    let smallest: Vec<&str> = SHIPPED.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    assert!((5..=10).contains(&smallest.len()));
    let (smallest, shipped) = (load(&smallest.join("\n")), load(SHIPPED));
    assert_eq!(
        (smallest.gateway, smallest.mysql, smallest.queue, smallest.mqtt),
        (shipped.gateway, shipped.mysql, shipped.queue, shipped.mqtt)
    );
}

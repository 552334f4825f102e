//! The shipped file against the keys that the code asks for: neither may have one that the other lacks.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::{Gateway, Mqtt, Mysql, Queue, Site};

const SHIPPED: &str = include_str!("../../../packaging/fieldgate.toml");

/// Settings are commented out with `#` alone, prose with `# `.
fn with_every_setting() -> String {
    let is_setting = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    let lines = SHIPPED.lines().map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn written_keys(text: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            let list = if line.starts_with("[[") { "[]" } else { "" };
            section = line.trim_matches(['[', ']']).to_owned();
            keys.insert(section.clone());
            section += list;
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn every_accepted_key_stands_in_the_shipped_file_and_no_other() {
    let text = with_every_setting();
    let (_, report) = examine(&text, "barn-1");
    assert_eq!(report.problems, [], "every key in the file is accepted");
    assert_eq!(&written_keys(&text), report.accepted_keys(), "every accepted key is in the file");
}

fn load(text: &str) -> Config {
    Config::from_text(text, Path::new("fieldgate.toml"), "barn-1").unwrap()
}

#[test]
fn the_shipped_file_is_valid_and_shows_the_defaults() {
    let shipped = load(SHIPPED);
    let explicit = load(&with_every_setting());
    let with_site = Gateway { site: Site::new("barn").unwrap(), ..shipped.gateway };
    assert_eq!(explicit.gateway, with_site);
    let with_password = Mysql { password_file: explicit.mysql.password_file.clone(), ..shipped.mysql };
    assert_eq!(explicit.mysql, with_password);
    assert_eq!(explicit.queue, Queue { max_bytes: Some(4 << 30), ..shipped.queue });
    let Mqtt { user, password_file, node, .. } = explicit.mqtt[0].clone();
    assert_eq!(explicit.mqtt, [Mqtt { user, password_file, node, ..shipped.mqtt[0].clone() }]);
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

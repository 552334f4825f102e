//! `[drain]`: how fast, and in which order, what waits goes into the database.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{GOOD, problems};
use fieldgate_config::{Config, Drain, Order};

fn with(line: &str) -> String {
    format!("{GOOD}[drain]\n{line}\n")
}

fn drain(line: &str) -> Option<Drain> {
    Config::from_text(&with(line), Path::new("f.toml"), "").ok().map(|config| config.drain)
}

#[test]
fn nothing_holds_the_drain_back_by_default() {
    assert_eq!(drain(""), Some(Drain::default()));
}

#[test]
fn rates_and_the_budget_are_read_up_to_their_bounds() {
    for (line, rows) in [("rows_per_second = 1", 1), ("rows_per_second = 1_000_000", 1_000_000)] {
        assert_eq!(drain(line).unwrap().rows_per_second.map(u32::from), Some(rows));
    }
    for (line, bytes) in [("\"64 KiB\"", 65_536), ("1024", 1024), ("\"1 GiB\"", 1 << 30)] {
        assert_eq!(drain(&format!("bytes_per_second = {line}")).unwrap().bytes_per_second.map(u32::from), Some(bytes));
    }
    for (line, budget_ms) in [("\"1 ms\"", 1), ("\"60 s\"", 60_000)] {
        let found = drain(&format!("latency_budget = {line}")).unwrap().latency_budget;
        assert_eq!(found, Some(Duration::from_millis(budget_ms)));
    }
}

#[test]
fn the_oldest_go_first_unless_it_is_said_otherwise() {
    for (line, order) in [
        ("", Order::OldestFirst),
        ("order = \"oldest-first\"", Order::OldestFirst),
        ("order = \"live-first\"", Order::LiveFirst),
    ] {
        assert_eq!(drain(line).unwrap().order, order);
    }
    let found = problems(&with("order = \"newest\""));
    assert_eq!((found.len(), found[0].path.as_str()), (1, "drain.order"));
    assert!(found[0].remedy.contains("\"oldest-first\" or \"live-first\""), "{}", found[0].remedy);
}

#[test]
fn what_is_out_of_bounds_is_refused_with_the_bounds() {
    for (key, value, bounds) in [
        ("rows_per_second", "0", "1 and 1000000"),
        ("rows_per_second", "1_000_001", "1 and 1000000"),
        ("bytes_per_second", "1023", "\"1 KiB\" and \"1 GiB\""),
        ("bytes_per_second", "\"2 GiB\"", "\"1 KiB\" and \"1 GiB\""),
        ("latency_budget", "\"0 ms\"", "\"1 ms\" and \"1 min\""),
        ("latency_budget", "\"61 s\"", "\"1 ms\" and \"1 min\""),
    ] {
        let found = problems(&with(&format!("{key} = {value}")));
        assert_eq!((found.len(), found[0].line, found[0].path.as_str()), (1, 12, format!("drain.{key}").as_str()));
        assert!(found[0].remedy.contains(bounds), "{value}: {}", found[0].remedy);
    }
}

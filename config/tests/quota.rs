//! `[quota]`: how much one node may bring.

mod common;

use std::path::Path;

use common::{GOOD, problems};
use fieldgate_config::Config;

fn with(line: &str) -> String {
    format!("{GOOD}[quota]\n{line}\n")
}

#[test]
fn the_quota_is_a_whole_number_within_bounds() {
    for (line, expected) in [("", 100_000), ("readings_per_second = 1", 1), ("readings_per_second = 100_000", 100_000)]
    {
        let config = Config::from_text(&with(line), Path::new("f.toml"), "").unwrap();
        assert_eq!(config.quota.readings_per_second.get(), expected, "{line}");
    }
    for wrong in ["0", "-1", "100_001", "4294967297"] {
        let found = problems(&with(&format!("readings_per_second = {wrong}")));
        assert_eq!((found.len(), found[0].line, found[0].path.as_str()), (1, 12, "quota.readings_per_second"));
        assert_eq!(found[0].remedy, "write a whole number between 1 and 100000", "{wrong}");
    }
    for wrong in ["0.5", "\"1000\""] {
        let found = problems(&with(&format!("readings_per_second = {wrong}")));
        assert!(found[0].what.contains("not whole number"), "{found:?}");
    }
}

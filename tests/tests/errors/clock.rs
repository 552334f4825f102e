//! A server whose clock is wrong does not matter: every time in our rows is the gateway's own.

use std::fs;
use std::path::{Path, PathBuf};

/// What a server answers with its own clock.
const SERVER_CLOCK: [&str; 6] =
    ["NOW()", "NOW(6)", "SYSDATE(", "CURRENT_TIMESTAMP", "UTC_TIMESTAMP", "UNIX_TIMESTAMP()"];

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, into);
        } else if entry.extension().is_some_and(|extension| extension == "rs" || extension == "sql") {
            into.push(entry);
        }
    }
}

#[test]
fn no_statement_of_ours_asks_a_server_for_the_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    files(&root.join("gateway/src"), &mut found);
    files(&root.join("packaging/schema"), &mut found);
    assert!(found.len() > 50, "only {} files", found.len());
    for file in found {
        // It compares the clocks, which is what it is for.
        if file.ends_with("check/connect/ask.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        // Our SQL has its words in capitals; `Instant::now()` and its like are ours.
        let asks = |line: &&str| SERVER_CLOCK.iter().any(|word| line.contains(word));
        // When the tables were made is no reading.
        let lines: Vec<&str> = text.lines().filter(asks).filter(|line| !line.contains("INTO schema_version")).collect();
        assert!(lines.is_empty(), "{}: {lines:?}", file.display());
    }
}

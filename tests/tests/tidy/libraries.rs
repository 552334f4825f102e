//! Which file may name which library. What a library does badly is then to be looked for, and replaced, in one place.

use crate::files::{TextFile, assert_none, finds, is_of_a_name, text_files};

/// A library, and the files that may name it; an entry that ends with `/` is a folder.
const PLACES: [(&str, &[&str]); 11] = [
    ("sled", &["queue/src/store.rs"]),
    ("lz4_flex", &["queue/src/body.rs"]),
    ("governor", &["gateway/src/intake/quota.rs", "gateway/src/drain/rate.rs"]),
    ("gpiocdev", &["gateway/src/led/character_device.rs"]),
    ("rppal", &["gateway/src/led/pi.rs"]),
    ("i2cdev", &["sensors/src/i2c/linux.rs"]),
    ("rumqttc", &["sensors/src/mqtt/client.rs"]),
    ("tokio_serial", &["sensors/src/serial/port.rs"]),
    ("mysql_async", &["gateway/src/database.rs", "gateway/src/database/"]),
    ("rustls", &["gateway/src/database/link.rs"]),
    ("serde_cbor", &["queue/src/frame.rs", "sensors/src/reading/wire.rs", "gateway/src/command/queue/format/cbor.rs"]),
];

fn breaches(files: &[TextFile]) -> Vec<String> {
    let product = files.iter().filter(|file| file.is_rust() && !file.is_in_a_tests_folder());
    product.flat_map(breaches_of).collect()
}

fn breaches_of(file: &TextFile) -> Vec<String> {
    PLACES
        .iter()
        .filter(|(library, places)| names(&file.text, library) && !is_among(&file.path, places))
        .map(|(library, places)| {
            let places = places.join(", ");
            format!("{}: names {library}, which belongs to {places} (one place a library)", file.path)
        })
        .collect()
}

fn is_among(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

/// Whether a text has a path into the library, or a `use` of it.
fn names(text: &str, library: &str) -> bool {
    finds(text, library).any(|(before, after)| {
        let whole = !before.ends_with(is_of_a_name) && !after.starts_with(is_of_a_name);
        let used = after.starts_with("::") || before.trim_end().ends_with("use");
        whole && used
    })
}

#[test]
fn each_library_is_named_only_in_its_place() {
    assert_none(&breaches(&text_files()));
}

#[test]
fn each_place_is_there_and_names_its_library() {
    let files = text_files();
    for (library, places) in PLACES {
        for place in places {
            let used = files.iter().any(|file| is_among(&file.path, &[place]) && names(&file.text, library));
            assert!(used, "{place} does not name {library}: tests/tests/tidy/libraries.rs is behind");
        }
    }
}

#[test]
fn a_library_out_of_its_place_is_named() {
    let found = |path: &str, text: &str| breaches(&[TextFile::new(path, text)]);
    for text in ["use sled;", "use sled::Db;", "fn open() -> sled::Result<()> {", "use {sled::Db};"] {
        let said = found("gateway/src/drain.rs", text);
        assert!(
            matches!(said.as_slice(), [one] if one.starts_with("gateway/src/drain.rs: names sled")),
            "{text}: {said:?}"
        );
    }
    for text in ["// sled keeps it", "let bobsled = unsled::x();", "use bobsled;"] {
        assert!(found("gateway/src/drain.rs", text).is_empty(), "{text}");
    }
    assert!(found("queue/src/store.rs", "use sled::Db;").is_empty());
    assert!(found("queue/tests/probe.rs", "use sled::Db;").is_empty());
    assert!(found("gateway/src/database/cell.rs", "use mysql_async::Value;").is_empty());
    assert_eq!(found("gateway/src/databases.rs", "use mysql_async::Value;").len(), 1);
}

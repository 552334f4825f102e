//! `[[serial]]`: its defaults, its formats, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::path::Path;

use common::{GOOD, problems};
use fieldgate_config::{Channel, Column, Config, LineFormat, Parity, Serial, StopBits};

const PORT: &str = "[[serial]]\nport = \"/dev/ttyUSB0\"\nnode = \"silo\"\n";

fn load(text: &str) -> Vec<Serial> {
    Config::from_text(text, Path::new("f.toml"), "h").unwrap().serial
}

/// The only problem of the good file with a port that has these lines too.
fn words(lines: &str) -> String {
    let found = problems(&format!("{GOOD}{PORT}{lines}"));
    assert_eq!(found.len(), 1, "{lines}: {found:?}");
    format!("{}: {}; {}", found[0].path, found[0].what, found[0].remedy)
}

fn channel(name: &str) -> Channel {
    Channel::new(name).unwrap()
}

#[test]
fn a_file_with_serial_ports_alone_is_valid_and_has_every_default() {
    let text = GOOD.split("[[mqtt]]").next().unwrap();
    let serial = load(&format!("{text}{PORT}")).remove(0);
    assert_eq!((serial.port.to_str(), serial.node.as_str()), (Some("/dev/ttyUSB0"), "silo"));
    assert_eq!((serial.format, serial.baud), (LineFormat::JsonLines, 115_200));
    assert_eq!((serial.parity, serial.stop_bits, serial.max_frame_bytes), (Parity::None, StopBits::One, 4096));
    assert_eq!(load(GOOD), []);
}

#[test]
fn every_key_is_heard() {
    let wire = "baud = 9600\nparity = \"even\"\nstop_bits = 2\nmax_frame = \"64 KiB\"\n";
    let csv = "format = \"csv\"\ncolumns = [\"seq\", \"time\", \"-\", \"-\", \"level\"]\n";
    let serial = load(&format!("{GOOD}{PORT}{wire}{csv}delimiter = \"\\t\"")).remove(0);
    assert_eq!((serial.baud, serial.parity, serial.stop_bits), (9600, Parity::Even, StopBits::Two));
    assert_eq!(serial.max_frame_bytes, 64 * 1024);
    let columns =
        vec![Column::Sequence, Column::Time, Column::Skipped, Column::Skipped, Column::Channel(channel("level"))];
    assert_eq!(serial.format, LineFormat::Csv { columns: columns.clone(), delimiter: b'\t' });
    let default = load(&format!("{GOOD}{PORT}{csv}")).remove(0);
    assert_eq!(default.format, LineFormat::Csv { columns, delimiter: b',' });
    let number = load(&format!("{GOOD}{PORT}format = \"number\"\nchannel = \"level\"\n")).remove(0);
    assert_eq!(number.format, LineFormat::Number { channel: channel("level") });
}

#[test]
fn bounds_and_forms_are_kept_and_named() {
    for (lines, expected) in [
        ("baud = 49", "serial[0].baud: is 49; write a whole number between 50 and 4000000"),
        ("baud = 4000001", "between 50 and 4000000"),
        ("baud = \"9600\"", "is of the type text, not whole number"),
        ("parity = \"mark\"", "write \"none\" or \"even\" or \"odd\""),
        ("stop_bits = 3", "write 1 or 2"),
        ("max_frame = 15", "between \"16 B\" and \"64 KiB\""),
        ("max_frame = \"65 KiB\"", "between \"16 B\" and \"64 KiB\""),
        ("format = \"cbor\"\ncolumns = 3", "write \"json-lines\" or \"csv\" or \"number\""),
        ("format = \"csv\"", "serial[0].columns: is missing; add columns = "),
        ("format = \"csv\"\ncolumns = []", "has 0 entries; give between 1 and 256"),
        ("format = \"csv\"\ncolumns = [\"a\", \"-\", \"a\"]", "serial[0].columns[2]: means the same as columns[0]"),
        ("format = \"csv\"\ncolumns = [\"seq\", \"-\"]", "serial[0].columns: has no channel"),
        ("format = \"csv\"\ncolumns = [\"a\", \"\"]", "a channel name has 1 to 128 characters"),
        ("format = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \"::\"", "write one character such as"),
        ("format = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \"7\"", "serial[0].delimiter: is \"7\""),
        ("format = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \"\\n\"", "serial[0].delimiter: is \"\\n\""),
        ("format = \"csv\"\ncolumns = [\"a\"]\ndelimiter = \".\"", "serial[0].delimiter: is \".\""),
        ("format = \"number\"", "serial[0].channel: is missing; add channel = \"level\""),
    ] {
        assert!(words(lines).contains(expected), "{lines}: {}", words(lines));
    }
    let many: Vec<String> = (0..257).map(|number| format!("\"c{number}\"")).collect();
    assert!(words(&format!("format = \"csv\"\ncolumns = [{}]", many.join(","))).contains("between 1 and 256"));
}

#[test]
fn a_key_of_another_format_is_refused() {
    let csv = "is only for format = \"csv\"; remove it, or write format = \"csv\"";
    assert_eq!(words("columns = [\"a\"]"), format!("serial[0].columns: {csv}"));
    assert_eq!(words("format = \"number\"\nchannel = \"a\"\ndelimiter = \";\""), format!("serial[0].delimiter: {csv}"));
    assert!(words("channel = \"a\"").contains("serial[0].channel: is only for format = \"number\""));
}

#[test]
fn a_port_is_an_absolute_path_of_bounded_length() {
    let found = |port: &str| {
        let found = problems(&format!("{GOOD}[[serial]]\nport = \"{port}\"\nnode = \"silo\"\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].to_string()
    };
    assert!(found("ttyUSB0").contains("begin it with /"));
    assert!(found(&format!("/{}", "d".repeat(4096))).contains("has 4097 bytes; write at most 4096"));
    let bare = problems(&format!("{GOOD}[[serial]]\n"));
    let paths: Vec<&str> = bare.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["serial[0].port", "serial[0].node"]);
}

#[test]
fn no_port_and_no_name_twice() {
    let found = |text: &str| problems(&format!("{GOOD}{text}")).iter().map(ToString::to_string).collect::<Vec<_>>();
    let second = |port: &str, node: &str| format!("{PORT}[[serial]]\nport = \"{port}\"\nnode = \"{node}\"\n");
    assert_eq!(
        found(&second("/dev/ttyUSB0", "mill")),
        ["15: serial[1].port: is the port of serial[0] too; remove one of the two"]
    );
    assert_eq!(
        found(&second("/dev/ttyUSB1", "silo")),
        ["16: serial[1].node: is \"silo\", the name of another node, as in serial[0].node; write another"]
    );
    assert_eq!(
        found(&format!("node = \"silo\"\n{PORT}")),
        ["14: serial[0].node: is \"silo\", the name of another node, as in mqtt[0].node; write another"]
    );
    load(&format!("{GOOD}{}", second("/dev/ttyUSB1", "mill")));
}

#[test]
fn at_most_16_ports() {
    let with = |count: usize| {
        let port = |n: usize| format!("[[serial]]\nport = \"/dev/ttyS{n}\"\nnode = \"n{n}\"\n");
        (0..count).map(port).fold(GOOD.to_owned(), |text, port| text + &port)
    };
    assert_eq!(load(&with(16)).len(), 16);
    let found = problems(&with(17));
    assert_eq!((found.len(), found[0].what.as_str()), (1, "has 17 entries"));
}

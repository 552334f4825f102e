//! Wrong values: each bound and each form is kept, and its message names it.

mod common;

use common::words;

#[test]
fn bounds_are_kept_and_named() {
    let tests = [
        ("[mysql]", "probe_period = \"99 ms\"", "between \"100 ms\" and \"1 min\""),
        ("[mysql]", "connect_timeout = \"61 s\"", "between \"100 ms\" and \"1 min\""),
        ("[mysql]", "query_timeout = \"301 s\"", "between \"100 ms\" and \"5 min\""),
        ("[mysql]", "query_timeout = 5", "between \"100 ms\" and \"5 min\""),
        ("[mysql]", "keep_until_replicas = 2", "between 0 and 1"),
        ("[mysql]", "keep_until_replicas = -1", "between 0 and 1"),
        ("[mysql]", "keep_until_replicas = \"some\"", "\"all\" or a whole number between 0 and 1"),
        ("[mysql]", "keep_until_replicas = 1.5", "between 0 and 1"),
        ("[mysql]", "servers = []", "between 1 and 16"),
        ("[mysql]", "servers = \"db1\"", "write a list: servers = [\"db1\"]"),
        ("[mysql]", "user = \"\"", "write 1 to 80"),
        ("[queue]", "keep = \"366 days\"", "between \"0 ms\" and \"365 days\""),
        ("[queue]", "keep = \"1 week\"", "between \"0 ms\" and \"365 days\""),
        ("[queue]", "max = \"15 MiB\"", "between \"16 MiB\" and \"1 TiB\""),
        ("[queue]", "max = 1_099_511_627_777", "between \"16 MiB\" and \"1 TiB\""),
        ("[queue]", "max = -1", "between \"16 MiB\" and \"1 TiB\""),
        ("[queue]", "max = true", "between \"16 MiB\" and \"1 TiB\""),
        ("[queue]", "max = \"4 GB\"", "not a whole number with B, KiB"),
        ("[queue]", "commit = \"slow\"", "write \"card\" or \"fast\""),
    ];
    for (section, line, expected) in tests {
        assert!(words(section, line).contains(expected), "{}", words(section, line));
    }
    assert!(words("[mysql]", &format!("user = \"{}\"", "u".repeat(81))).contains("has 81 characters; write 1 to 80"));
    let servers: Vec<String> = (0..17).map(|number| format!("\"db{number}\"")).collect();
    assert!(
        words("[mysql]", &format!("servers = [{}]", servers.join(", ")))
            .contains("has 17 entries; give between 1 and 16")
    );
}

#[test]
fn forms_are_kept_and_named() {
    let tests = [
        ("[gateway]", "site = \"a\\tb\"", "no control characters"),
        ("[gateway]", "state_dir = \"var/lib\"", "begin it with /"),
        ("[gateway]", "state_dir = \"/a\\u0000b\"", "has control characters"),
        ("[mysql]", "password_file = \"p\"", "begin it with /"),
        ("[mysql]", "tls = \"preferred\"", "write \"off\" or \"verify\""),
        ("[mysql]", "ca_file = \"/ca.pem\"", "without tls no certificate is looked at; add tls = \"verify\""),
        ("[mysql]", "database = \"a b\"", "write 1 to 64 letters"),
        ("[mysql]", "user = \"a\\nb\"", "has control characters"),
        (
            "[mysql]",
            "servers = [\"db1\", \"DB1:3306\"]",
            "mysql.servers[1]: means the same as servers[0]; remove one of the two",
        ),
        ("[[mqtt]]", "broker = \"http://b\"", "write \"mqtt://HOST\""),
        ("[[mqtt]]", "client_id = \"\"", "write 1 to 128"),
        ("[[mqtt]]", "password_file = \"/p\"", "is given without user; add user"),
        ("[[mqtt]]", "sequence = \"seq\"", "not a JSON pointer"),
        ("[[mqtt]]", "time = \"/~\"", "not a JSON pointer"),
        ("[[mqtt]]", "node = \"\"", "a node name has 1 to 64 characters"),
        ("[[mqtt]]", "topics = [\"{node}/a\", \"+/b\"]", "use {node} in it, or add node"),
        ("[[mqtt]]", "topics = [\"{node}/#\", \"{node}/#\"]", "mqtt[0].topics[1]: means the same as topics[0]"),
        ("[[mqtt]]", "topics = [\"a/{node}-{channel}\"]", "stand alone between slashes"),
    ];
    for (section, line, expected) in tests {
        assert!(words(section, line).contains(expected), "{}", words(section, line));
    }
}

#[test]
fn lists_and_texts_have_a_longest() {
    let long = |count: usize| "x".repeat(count);
    let topics: Vec<String> = (0..65).map(|number| format!("\"{{node}}/{number}\"")).collect();
    let tests = [
        ("[gateway]", format!("site = \"{}\"", long(65)), "1 to 64 characters"),
        ("[mysql]", format!("database = \"{}\"", long(65)), "1 to 64 letters"),
        ("[[mqtt]]", format!("client_id = \"{}\"", long(129)), "write 1 to 128"),
        ("[[mqtt]]", format!("user = \"{}\"", long(129)), "write 1 to 128"),
        ("[[mqtt]]", format!("node = \"{}\"", long(65)), "1 to 64 characters"),
        ("[[mqtt]]", format!("topics = [\"{{node}}/{}\"]", long(1024)), "1 to 1024 bytes"),
        ("[[mqtt]]", format!("sequence = \"/{}\"", long(256)), "2 to 256 bytes"),
        ("[[mqtt]]", format!("topics = [{}]", topics.join(", ")), "give between 1 and 64"),
    ];
    for (section, line, expected) in tests {
        assert!(words(section, &line).contains(expected), "{}", words(section, &line));
    }
}

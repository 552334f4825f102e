//! The auditor against a real database, with tables and rows made here and not by the product.

use fieldgate_tests::audit::{Audit, NodeLog};
use fieldgate_tests::mariadb::{Server, WRITABLE};
use fieldgate_tests::payload::{Value, channel_name, value};

const TABLES: &str = "CREATE DATABASE field;
CREATE TABLE field.channels (channel_id INT UNSIGNED PRIMARY KEY, node VARCHAR(64), channel VARCHAR(64));
CREATE TABLE field.readings (seq BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, channel_id INT UNSIGNED, value DOUBLE,
  value_int BIGINT, value_text VARCHAR(4096), no_data TINYINT, node_seq BIGINT);
INSERT INTO field.channels VALUES (10, 'n1', 'c0'), (11, 'n1', 'c1'), (12, 'n1', 'c2'), (13, 'n1', 'c3');
INSERT INTO field.readings (channel_id, no_data) VALUES (10, 1)";

const MESSAGES: u64 = 400;

fn columns(value: &Value) -> String {
    match value {
        // With an exponent, or it would be a decimal number on its way.
        Value::Float(value) => format!("{value:e}, NULL, NULL"),
        Value::Integer(value) => format!("{value}, {value}, NULL"),
        Value::Bool(value) => format!("{value}, {value}, NULL"),
        Value::Text(value) => {
            let quoted = value.replace('\\', "\\\\").replace('\'', "''");
            format!("NULL, NULL, '{quoted}'")
        }
    }
}

fn fill(server: &Server) -> NodeLog {
    let mut rows = Vec::new();
    for seq in 1..=MESSAGES {
        for channel in 0..4 {
            rows.push(format!("({}, {seq}, {})", 10 + channel, columns(&value("n1", seq, channel))));
        }
    }
    server.execute(TABLES);
    server.execute("SET GLOBAL max_allowed_packet = 67108864");
    let names = "channel_id, node_seq, value, value_int, value_text";
    server.execute(&format!("INSERT INTO field.readings ({names}) VALUES {}", rows.join(",")));
    NodeLog { node: "n1".to_owned(), channels: 4, acknowledged: (1..=MESSAGES).collect(), ..NodeLog::default() }
}

fn findings(server: &Server, log: &NodeLog) -> (usize, usize, usize) {
    let audit = Audit::take(server, std::slice::from_ref(log));
    (audit.lost.len(), audit.doubled.len(), audit.wrong.len())
}

#[test]
fn the_auditor_finds_what_was_done_to_the_rows() {
    let server = Server::start_with(1, WRITABLE);
    let log = fill(&server);
    let audit = Audit::take(&server, std::slice::from_ref(&log));
    audit.assert_clean();
    assert_eq!(audit.to_string(), "sent 1600, rows 1600, lost 0, doubled 0");

    server.execute("DELETE FROM field.readings WHERE channel_id = 11 AND node_seq IN (7, 8)");
    assert_eq!(findings(&server, &log), (2, 0, 0));
    let audit = Audit::take(&server, std::slice::from_ref(&log));
    assert_eq!(audit.lost[0].to_string(), format!("n1 7 {}", channel_name(1)));

    server.execute(
        "INSERT INTO field.readings (channel_id, node_seq, value, value_int, value_text)
         SELECT channel_id, node_seq, value, value_int, value_text FROM field.readings WHERE node_seq = 9",
    );
    assert_eq!(findings(&server, &log), (2, 4, 0));

    let nearly = "UPDATE field.readings SET value = value * (1 + 4e-16) WHERE value_int IS NULL AND value IS NOT NULL";
    server.execute(&format!("{nearly} AND node_seq = 20"));
    assert_eq!(findings(&server, &log), (2, 4, 1), "the last digit of a double counts");
}

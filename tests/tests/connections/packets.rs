//! How long statements are.

use config::Tls;
use fieldgate_tests::scenario::number;
use gateway::database::{Cell, Row, Session};

use crate::{block_on, families, open, server};

const ROWS: u64 = 5000;
const BATCH: usize = 1000;
const TABLE: &str = "CREATE DATABASE t; CREATE TABLE t.t (stream BIGINT UNSIGNED, seq BIGINT UNSIGNED, channel INT UNSIGNED, \
                     at DATETIME(6), value DOUBLE, number BIGINT, text VARCHAR(4096), PRIMARY KEY (stream, seq))";
const INSERT: &str = "INSERT INTO t.t (stream, seq, channel, at, value, number, text) VALUES (?, ?, ?, ?, ?, ?, ?)";

/// Readings such as nodes send: few channels, times that rise, values that move little.
fn readings() -> Vec<Row> {
    let reading = |seq: u64| {
        let at = Cell::TimeUs(1_790_000_000_000_000 + i64::try_from(seq).unwrap() * 250_113);
        let value = Cell::Double(20.0 + (seq % 37) as f64 * 0.1);
        vec![Cell::UInt(0x5eed_c0de_5eed_c0de), Cell::UInt(seq), Cell::UInt(seq % 8), at, value, Cell::Null, Cell::Null]
    };
    (1..=ROWS).map(reading).collect()
}

async fn insert(session: &mut Session, rows: &[Row]) {
    session.run("START TRANSACTION").await.unwrap();
    for batch in rows.chunks(BATCH) {
        session.insert_many(INSERT, batch.to_vec()).await.unwrap();
    }
    session.run("COMMIT").await.unwrap();
}

#[test]
fn a_batch_that_is_longer_than_the_server_takes_goes_in_statements_that_are_not() {
    for family in families("max_allowed_packet of MySQL") {
        let server = server(family, &["--max-allowed-packet=64K"]);
        server.execute(TABLE);
        let long = |row: Row| [&row[..6], &[Cell::text("x".repeat(200))]].concat();
        let rows: Vec<Row> = readings().into_iter().map(long).collect();
        block_on(async {
            let mut session = open(&server, Tls::Off).await.unwrap();
            assert_eq!(session.max_packet_bytes(), 64 * 1024);
            insert(&mut session, &rows).await;
            // The limit is in force: one statement that is longer is refused.
            let refused = session.ask_with("SELECT LENGTH(?)", vec![Cell::Bytes(vec![b'x'; 128 * 1024])]).await;
            refused.expect_err("a statement beyond the limit");
        });
        assert_eq!(number(&server, "SELECT COUNT(*) FROM t.t WHERE LENGTH(text) = 200"), ROWS as usize);
    }
}

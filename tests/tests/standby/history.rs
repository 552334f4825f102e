//! What the other gateway has written in months: no transaction goes through it, as the lock of the group would be held meanwhile.

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::process::wait_for;
use fieldgate_tests::scenario::{DEADLINE, number};

use crate::town::{Town, with_a_line};

/// Rows that the active one wrote before, in the stream that it still writes.
const ROWS: usize = 100_000;
/// Numbers that the standby one deals with meanwhile, in many transactions.
const DEALT: usize = 300;

/// Gives a stream of the first gateway rows of another node, from an hour ago.
fn write_history(server: &Server) {
    server.execute("INSERT INTO field.channels (site, node, channel) VALUES ('lab', 'attic', 't')");
    let ten: Vec<String> = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect();
    let digits = |name: char| format!("({}) {name}", ten.join(" UNION ALL "));
    let tables: Vec<String> = ('a'..='e').map(digits).collect();
    server.execute(&format!(
        "INSERT INTO field.readings (stream, seq, channel_id, sampled_at, time_quality, value) \
         SELECT (SELECT MAX(stream) FROM field.streams WHERE gateway = 'one'), \
           1000000 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d, \
           (SELECT channel_id FROM field.channels WHERE node = 'attic'), \
           UTC_TIMESTAMP(6) - INTERVAL 1 HOUR, 2, a.d FROM {}",
        tables.join(", ")
    ));
}

/// Entries of indexes that statements have gone through, one after the other.
fn gone_through(server: &Server) -> usize {
    let row = server.query("SHOW GLOBAL STATUS LIKE 'Handler_read_next'").concat();
    row[1].parse().expect("a number")
}

#[test]
fn what_the_active_one_wrote_long_ago_is_not_gone_through_for_each_batch() {
    let mut town = Town::of(with_a_line(0).start());
    write_history(&town.pair.cluster.servers[0]);
    let dealt = |town: &Town| {
        number(&town.pair.cluster.servers[0], "SELECT SUM(last_seq) FROM field.streams WHERE gateway = 'two'")
    };
    let (before, read) = (dealt(&town), gone_through(&town.pair.cluster.servers[0]));
    town.wait_published(DEALT / 5);
    wait_for("the standby one to deal with more", DEADLINE, || dealt(&town) > before + DEALT);
    let read = gone_through(&town.pair.cluster.servers[0]) - read;
    println!("{read} entries gone through for {} numbers", dealt(&town) - before);
    assert!(read < ROWS, "{read}: a transaction went through all of {ROWS} old rows");
}

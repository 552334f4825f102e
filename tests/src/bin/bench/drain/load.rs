//! LOAD DATA LOCAL by the command-line client.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fieldgate_tests::artifacts::installed_program;
use fieldgate_tests::mariadb::{ADMIN, Family, Server};
use fieldgate_tests::mysql;

use super::{assert_complete, empty_tables};

/// Rows in a transaction.
const LOADED_AT_ONCE: usize = 5000;

/// Rows a second, of those that are in the table.
pub fn write_out_and_load(server: &Server, folder: &Path, rows: u64) -> f64 {
    write_out(server, folder, rows);
    load(server, folder, rows)
}

fn chunks(rows: u64) -> impl Iterator<Item = (u64, u64)> {
    let at_once = u64::try_from(LOADED_AT_ONCE).unwrap_or(1);
    (1..=rows).step_by(LOADED_AT_ONCE).map(move |first| (first, first + at_once - 1))
}

/// The rows as files for LOAD DATA, as the server itself writes them; those of an earlier round are the same but for the
/// stream.
fn write_out(server: &Server, folder: &Path, rows: u64) {
    for (first, last) in chunks(rows) {
        let file = folder.join(first.to_string());
        if file.exists() {
            continue;
        }
        let rows = format!("SELECT * FROM field.readings WHERE seq BETWEEN {first} AND {last} ORDER BY seq");
        server.execute(&format!("{rows} INTO OUTFILE '{}'", file.display()));
    }
}

/// Rows a second over TCP, as the gateway; each statement is a transaction.
pub fn load(server: &Server, folder: &Path, rows: u64) -> f64 {
    empty_tables(server);
    let statement = |(first, _)| {
        format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE field.readings;", folder.join(format!("{first}")).display())
    };
    let sql: String = chunks(rows).map(statement).collect();
    let mut command = match server.family() {
        Family::MariaDb => Command::new(installed_program("mariadb", "mariadb-client-core")),
        Family::MySql => Command::new(mysql::client()),
    };
    command.args(["--no-defaults", "--local-infile=1", "--protocol=tcp", "--default-character-set=utf8mb4"]);
    if server.family() == Family::MySql {
        command.arg("--get-server-public-key");
    }
    command.arg(format!("--user={ADMIN}")).arg(format!("--password={ADMIN}"));
    command.arg(format!("--host={}", server.address().ip())).args(["--execute", &sql]);
    let began = Instant::now();
    let output = command.output().expect("the client can be run");
    let rate = rows as f64 / began.elapsed().as_secs_f64();
    assert!(output.status.success(), "LOAD DATA: {}", String::from_utf8_lossy(&output.stderr));
    assert_complete(server, rows);
    rate
}

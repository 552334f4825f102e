//! A backlog in the queue into MariaDB, against the client's LOAD DATA of the same rows into the same table.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fieldgate_tests::artifacts::installed_program;
use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::{ADMIN, Server, WRITABLE};
use fieldgate_tests::process::wait_for;
use queue::Unit;

use crate::readings;
use crate::table::Line;

const ROWS: usize = 100_000;
/// Rows in a transaction of LOAD DATA.
const LOADED_AT_ONCE: usize = 5000;
/// Readings in a group when the backlog is made.
const GROUP: usize = 1000;
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Drained {
    rows_a_second: Vec<f64>,
    cpu_seconds: Vec<f64>,
    rss_mib: Vec<f64>,
}

/// Rows a second, and what the gateway needs for them.
pub fn measure(rounds: usize) -> Vec<Line> {
    let server = Server::start_with(1, WRITABLE);
    let bodies = readings::encoded(ROWS);
    let folder = tempfile::tempdir().expect("a folder for rows");
    let (mut ours, mut loaded) = (Drained::default(), Vec::new());
    for round in 0..rounds {
        drain(&server, &bodies, &mut ours);
        if round == 0 {
            write_out(&server, folder.path());
        }
        loaded.push(load(&server, folder.path()));
    }
    let limit = Some((loaded, "mariadb, LOAD DATA LOCAL, 5000 rows a transaction"));
    let line = |what: &str, fieldgate, limit| Line {
        what: format!("drain of {ROWS}: {what}"),
        fieldgate,
        limit,
        target: None,
    };
    vec![
        line("rows/s", ours.rows_a_second, limit),
        line("CPU s, with the start", ours.cpu_seconds, None),
        line("MiB resident", ours.rss_mib, None),
    ]
}

fn drain(server: &Server, bodies: &[Vec<u8>], drained: &mut Drained) {
    // A source of readings is required; this one never brings any.
    let gateway = Gateway::named("bench").servers([server.address()]).serial(Path::new("/dev/no-such-port"), "silent");
    let mut gateway = gateway.commit("card").build();
    gateway.apply_schema();
    empty_tables(server);
    fill_queue(&gateway.state_folder(), bodies);
    gateway.start();
    gateway.wait_log("connected to the source", DEADLINE);
    let began = Instant::now();
    wait_for("the backlog in the database", DEADLINE, || gateway.delivered() >= ROWS as u64);
    drained.rows_a_second.push(ROWS as f64 / began.elapsed().as_secs_f64());
    drained.cpu_seconds.push(gateway.cpu_seconds());
    drained.rss_mib.push(gateway.rss_bytes() as f64 / (1024.0 * 1024.0));
    gateway.terminate(DEADLINE);
    assert_complete(server);
}

fn empty_tables(server: &Server) {
    server.execute("TRUNCATE field.readings; TRUNCATE field.streams; TRUNCATE field.gaps");
}

/// The number that is compared must be the number that was written.
fn assert_complete(server: &Server) {
    assert_eq!(server.query("SELECT COUNT(*) FROM field.readings")[0][0], ROWS.to_string());
}

fn fill_queue(state: &Path, bodies: &[Vec<u8>]) {
    std::fs::create_dir_all(state).expect("the gateway's state folder");
    let mut opened = queue::open(&state.join("queue")).expect("a new queue");
    for group in bodies.chunks(GROUP) {
        let unit = |body: &Vec<u8>| Unit::new(vec![readings::record(body)]).expect("a unit of one reading");
        let units: Vec<Unit> = group.iter().map(unit).collect();
        let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
        opened.writer.append(&units, now_ms).expect("the queue takes readings");
    }
    opened.writer.close().expect("the queue can be closed");
}

fn chunks() -> impl Iterator<Item = (usize, usize)> {
    (1..=ROWS).step_by(LOADED_AT_ONCE).map(|first| (first, first + LOADED_AT_ONCE - 1))
}

/// The rows as files for LOAD DATA, as the server itself writes them.
fn write_out(server: &Server, folder: &Path) {
    for (first, last) in chunks() {
        let file = folder.join(first.to_string());
        let rows = format!("SELECT * FROM field.readings WHERE seq BETWEEN {first} AND {last} ORDER BY seq");
        server.execute(&format!("{rows} INTO OUTFILE '{}'", file.display()));
    }
}

/// Rows a second over TCP, as the gateway; each statement is a transaction.
fn load(server: &Server, folder: &Path) -> f64 {
    empty_tables(server);
    let statement = |(first, _)| {
        format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE field.readings;", folder.join(format!("{first}")).display())
    };
    let sql: String = chunks().map(statement).collect();
    let mut command = Command::new(installed_program("mariadb", "mariadb-client-core"));
    command.args(["--no-defaults", "--local-infile=1", "--protocol=tcp", "--default-character-set=utf8mb4"]);
    command.arg(format!("--user={ADMIN}")).arg(format!("--password={ADMIN}"));
    command.arg(format!("--host={}", server.address().ip())).args(["--execute", &sql]);
    let began = Instant::now();
    let output = command.output().expect("the client can be run");
    let rate = ROWS as f64 / began.elapsed().as_secs_f64();
    assert!(output.status.success(), "LOAD DATA: {}", String::from_utf8_lossy(&output.stderr));
    assert_complete(server);
    rate
}

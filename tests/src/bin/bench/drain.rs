//! A backlog in the queue into MariaDB, and into MySQL where it is at hand, against the client's LOAD DATA of the same rows into the same table.

mod first_row;
mod load;

use std::path::Path;
use std::time::{Duration, Instant};

use fieldgate_tests::gateway::Gateway;
use fieldgate_tests::mariadb::{Family, Server, WRITABLE};
use fieldgate_tests::mysql;
use fieldgate_tests::process::wait_for;
use queue::Unit;

use crate::readings;
use crate::table::{Line, Target};

/// A short backlog and a long one, in readings.
const SHORT: u64 = 100_000;
const LONG: u64 = 1_000_000;
/// Of the soak.
const LONGEST: u64 = 10_000_000;
/// Readings in a group when the backlog is made.
const GROUP: usize = 1000;
const DEADLINE: Duration = Duration::from_secs(60);
const DRAIN_DEADLINE: Duration = Duration::from_secs(600);

/// What is promised: of LOAD DATA's rate, and how much more a row may cost in a long backlog.
const OF_LOAD_DATA: Target = Target::RatioFrom(0.9);
const OF_LOAD_DATA_MYSQL: Target = Target::RatioFrom(0.8);
const FLAT: Target = Target::RatioUpTo(1.15);

#[derive(Clone, Default)]
struct Drained {
    rows_a_second: Vec<f64>,
    us_a_row: Vec<f64>,
    cpu_us_a_row: Vec<f64>,
    rss_mib: Vec<f64>,
}

/// Rows a second and what the gateway needs for them, and how soon it goes on after an outage.
pub fn measure(rounds: usize) -> Vec<Line> {
    let server = Server::start_with(1, WRITABLE);
    let folder = tempfile::tempdir().expect("a folder for rows");
    let (mut short, mut long) = (Drained::default(), Drained::default());
    let (mut short_loaded, mut long_loaded) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (rows, ours, loaded) in [(SHORT, &mut short, &mut short_loaded), (LONG, &mut long, &mut long_loaded)] {
            drain(&server, rows, ours);
            loaded.push(load::write_out_and_load(&server, folder.path(), rows));
        }
    }
    let cost = short.us_a_row.clone();
    let mut lines = of_backlog(SHORT, short, Some(short_loaded));
    lines.extend(of_backlog(LONG, long.clone(), Some(long_loaded)));
    lines.push(flat(LONG, long.us_a_row, cost));
    lines.push(first_row::measure(&server));
    lines.extend(measure_mysql(rounds, folder.path()));
    lines
}

/// The short backlog into MySQL, where it is at hand; the rows to load have been written by MariaDB.
fn measure_mysql(rounds: usize, folder: &Path) -> Vec<Line> {
    if !mysql::is_at_hand("bench, drain into MySQL") {
        return Vec::new();
    }
    let server = Server::start_of(Family::MySql, 1, &[WRITABLE, &["--local-infile=1"]].concat());
    let (mut short, mut loaded) = (Drained::default(), Vec::new());
    for _ in 0..rounds {
        drain(&server, SHORT, &mut short);
        loaded.push(load::load(&server, folder, SHORT));
    }
    vec![Line {
        what: format!("drain of {SHORT} into MySQL: rows/s"),
        fieldgate: short.rows_a_second,
        limit: Some((loaded, "mysql, LOAD DATA LOCAL, 5000 rows a transaction")),
        target: Some(OF_LOAD_DATA_MYSQL),
    }]
}

/// Ten million, beside a hundred thousand.
pub fn soak() -> Vec<Line> {
    let server = Server::start_with(1, WRITABLE);
    let (mut short, mut longest) = (Drained::default(), Drained::default());
    drain(&server, SHORT, &mut short);
    drain(&server, LONGEST, &mut longest);
    let (cost, longest_cost) = (short.us_a_row.clone(), longest.us_a_row.clone());
    let mut lines = of_backlog(SHORT, short, None);
    lines.extend(of_backlog(LONGEST, longest, None));
    lines.push(flat(LONGEST, longest_cost, cost));
    lines
}

fn of_backlog(rows: u64, drained: Drained, loaded: Option<Vec<f64>>) -> Vec<Line> {
    let target = loaded.as_ref().map(|_| OF_LOAD_DATA);
    let limit = loaded.map(|loaded| (loaded, "mariadb, LOAD DATA LOCAL, 5000 rows a transaction"));
    let line = |what: &str, fieldgate, limit, target| Line {
        what: format!("drain of {rows}: {what}"),
        fieldgate,
        limit,
        target,
    };
    vec![
        line("rows/s", drained.rows_a_second, limit, target),
        line("CPU us/row, with the start", drained.cpu_us_a_row, None, None),
        line("MiB resident", drained.rss_mib, None, None),
    ]
}

fn flat(rows: u64, long: Vec<f64>, short: Vec<f64>) -> Line {
    let limit = Some((short, "the same with 100000"));
    Line { what: format!("drain of {rows}: us/row"), fieldgate: long, limit, target: Some(FLAT) }
}

/// A gateway with readings in its queue and an empty database; not started.
fn with_backlog(server: &Server, rows: u64) -> Gateway {
    // A source of readings is required; this one never brings any.
    let gateway = Gateway::named("bench").servers([server.address()]).serial(Path::new("/dev/no-such-port"), "silent");
    let gateway = gateway.commit("card").build();
    gateway.apply_schema();
    empty_tables(server);
    fill_queue(&gateway.state_folder(), rows);
    gateway
}

fn drain(server: &Server, rows: u64, drained: &mut Drained) {
    let mut gateway = with_backlog(server, rows);
    gateway.start();
    gateway.wait_log("connected to the source", DEADLINE);
    let began = Instant::now();
    wait_for("the backlog in the database", DRAIN_DEADLINE, || gateway.delivered() >= rows);
    let (took, rows_done) = (began.elapsed().as_secs_f64(), rows as f64);
    drained.rows_a_second.push(rows_done / took);
    drained.us_a_row.push(took * 1e6 / rows_done);
    drained.cpu_us_a_row.push(gateway.cpu_seconds() * 1e6 / rows_done);
    drained.rss_mib.push(gateway.rss_bytes() as f64 / (1024.0 * 1024.0));
    gateway.terminate(DEADLINE);
    assert_complete(server, rows);
}

fn empty_tables(server: &Server) {
    server.execute("TRUNCATE field.readings; TRUNCATE field.streams; TRUNCATE field.gaps");
}

/// The number that is compared must be the number that was written.
fn assert_complete(server: &Server, rows: u64) {
    assert_eq!(server.query("SELECT COUNT(*) FROM field.readings")[0][0], rows.to_string());
}

fn fill_queue(state: &Path, rows: u64) {
    std::fs::create_dir_all(state).expect("the gateway's state folder");
    let mut opened = queue::open(&state.join("queue")).expect("a new queue");
    let mut bodies = readings::encoded_all().take(usize::try_from(rows).expect("a number of readings"));
    loop {
        let unit = |body: Vec<u8>| Unit::new(vec![readings::record(&body)]).expect("a unit of one reading");
        let units: Vec<Unit> = bodies.by_ref().take(GROUP).map(unit).collect();
        if units.is_empty() {
            break;
        }
        let now_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0);
        opened.writer.append(&units, now_ms).expect("the queue takes readings");
    }
    opened.writer.close().expect("the queue can be closed");
}

//! How soon rows come after a source became writable, while the gateway waited for one.

use std::time::{Duration, Instant};

use fieldgate_tests::mariadb::Server;
use fieldgate_tests::process::wait_for;

use super::{DEADLINE, with_backlog};
use crate::table::{Line, Target};

const ROUNDS: u32 = 8;
const BACKLOG: u64 = 1000;
/// By so much later each round begins, so that it meets the gateway's period of one second everywhere.
const SHIFT: Duration = Duration::from_millis(125);

pub fn measure(server: &Server) -> Line {
    let seconds = (0..ROUNDS).map(|round| after_outage(server, SHIFT * round)).collect();
    server.execute("SET GLOBAL read_only = 0");
    let what = "source writable to first row: s".to_owned();
    Line { what, fieldgate: seconds, limit: None, target: Some(Target::Below(1.0)) }
}

fn after_outage(server: &Server, later: Duration) -> f64 {
    let mut gateway = with_backlog(server, BACKLOG);
    server.execute("SET GLOBAL read_only = 1");
    gateway.start();
    gateway.wait_log("no server takes writes", DEADLINE);
    std::thread::sleep(later);
    server.execute("SET GLOBAL read_only = 0");
    let began = Instant::now();
    wait_for("the first row", DEADLINE, || server.query("SELECT COUNT(*) FROM field.readings")[0][0] != "0");
    let seconds = began.elapsed().as_secs_f64();
    gateway.terminate(DEADLINE);
    seconds
}

//! What happens in the demo, in order.

use std::ops::Range;
use std::time::{Duration, Instant};

use fieldgate_tests::audit::Watched;
use fieldgate_tests::mariadb::RelayLog;

use crate::numbers::Numbers;
use crate::site::{HEARS_SERIAL_NODE, Site};
use crate::table::Table;
use crate::{Interrupt, Interrupted};

/// What was measured on the way.
pub struct Told {
    /// At full speed, before anything broke; none where that was not measured.
    pub numbers: Option<Numbers>,
    /// From the promoted server taking writes to the first row in it.
    pub first_row: Duration,
    /// The server that takes writes at the end.
    pub source: usize,
    /// When the gateway was to ask the I2C node, and when it was dead.
    pub watched: Watched,
}

/// Tells the whole story.
pub fn tell(site: &mut Site, interrupt: &Interrupt) -> Result<Told, Interrupted> {
    let (mut table, begin) = (Table::begin(), now_us());
    let numbers = full_speed(site, &mut table, interrupt)?;
    table.say("two nodes begin to send 50 messages a second of 4 values each");
    site.start_node("shed", 50.0, 4);
    site.start_node("silo", 50.0, 4);
    table.watch(site, 4, interrupt)?;
    table.say("replication stops on db2: it falls behind from here on");
    site.cluster.servers[1].stop_replication();
    table.watch(site, 5, interrupt)?;
    table.say("the source db1 is killed (SIGKILL); what db2 lacks is not on it");
    site.cluster.servers[0].kill9();
    table.watch(site, 4, interrupt)?;
    let away = kill_gateway(site, &mut table, interrupt)?;
    table.watch(site, 4, interrupt)?;
    table.say("somebody promotes db2, of all servers the one that lags");
    let first_row = promote(site, &mut table, interrupt)?;
    table.say(&format!("first row in db2 {:.2} s after it took writes", first_row.as_secs_f64()));
    table.watch(site, 6, interrupt)?;
    table.say("the nodes stop");
    site.end_nodes();
    site.serial.freeze();
    let watched = Watched { all: begin..now_us(), away };
    wait_drained(site, &mut table, 1, interrupt)?;
    Ok(Told { numbers: Some(numbers), first_row, source: 1, watched })
}

/// Kills the gateway and starts it again; says when it was dead, microseconds since 1970.
fn kill_gateway(site: &mut Site, table: &mut Table, interrupt: &Interrupt) -> Result<Range<i64>, Interrupted> {
    table.say(
        "the serial node pauses: nobody acknowledges on a wire, so what is not durable yet would die with the gateway",
    );
    site.serial.freeze();
    // Ten times as long as the gateway gathers before it makes durable.
    table.watch(site, 2, interrupt)?;
    table.say(
        "the gateway is killed (SIGKILL) in the middle of the outage; the serial node goes on, and nobody hears it",
    );
    let killed = now_us();
    site.gateway.kill9();
    site.serial.thaw();
    table.watch(site, 2, interrupt)?;
    table.say("the gateway is started again");
    site.gateway.start();
    site.gateway.wait_log(HEARS_SERIAL_NODE, Duration::from_secs(20));
    Ok(killed..now_us())
}

pub fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Ten seconds as fast as it goes, on the whole site.
fn full_speed(site: &mut Site, table: &mut Table, interrupt: &Interrupt) -> Result<Numbers, Interrupted> {
    table.say("full speed for 10 s: two nodes send 1500 messages a second of 16 values each");
    let measure = crate::numbers::begin(site);
    site.start_node("fast-1", 1500.0, 16);
    site.start_node("fast-2", 1500.0, 16);
    table.watch(site, 10, interrupt)?;
    let numbers = measure.end(site);
    site.end_nodes();
    table.say("the database catches up");
    wait_drained(site, table, 0, interrupt)?;
    Ok(numbers)
}

fn promote(site: &mut Site, table: &mut Table, interrupt: &Interrupt) -> Result<Duration, Interrupted> {
    let before = site.rows(1);
    site.cluster.servers[1].promote(RelayLog::Apply);
    let writable = Instant::now();
    let deadline = writable + Duration::from_secs(30);
    table.watch_until(site, interrupt, |site| site.rows(1) > before || Instant::now() > deadline)?;
    Ok(writable.elapsed())
}

/// Until the source has everything that was sent, or two minutes have passed: then the audit will say what is missing.
pub fn wait_drained(site: &Site, table: &mut Table, source: usize, interrupt: &Interrupt) -> Result<(), Interrupted> {
    let deadline = Instant::now() + Duration::from_secs(120);
    table.watch_until(site, interrupt, |site| {
        site.rows(source).is_some_and(|rows| rows >= site.sent()) || Instant::now() > deadline
    })
}

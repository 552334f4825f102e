//! The second act: the source is killed, and the gateway lets a replica take writes by itself.

use std::time::{Duration, Instant};

use fieldgate_tests::audit::Watched;
use fieldgate_tests::mariadb::WRITABLE;

use crate::site::Site;
use crate::story::{Told, now_us, wait_drained};
use crate::table::Table;
use crate::{Interrupt, Interrupted};

/// For how long nobody takes writes before a server is promoted.
pub const GRACE: &str = "2 s";
/// Nothing here takes longer, or the audit will say what is missing.
const DEADLINE: Duration = Duration::from_secs(30);

/// Tells the whole story.
pub fn tell(site: &mut Site, interrupt: &Interrupt) -> Result<Told, Interrupted> {
    let (mut table, begin) = (Table::begin(), now_us());
    table.say("two nodes begin to send 50 messages a second of 4 values each");
    site.start_node("shed", 50.0, 4);
    site.start_node("silo", 50.0, 4);
    table.watch(site, 3, interrupt)?;
    table.say("db3 stops receiving: it falls behind");
    site.cluster.servers[2].stop_io_thread();
    table.watch(site, 2, interrupt)?;
    table.say("the source db1 is killed (SIGKILL), and nobody helps");
    let killed = Instant::now();
    site.cluster.servers[0].kill9();
    let source = promoted(site, &mut table, interrupt)?;
    let (writable, before) = (Instant::now(), site.rows(source));
    let name = format!("db{}", source + 1);
    table.say(&format!(
        "{name} takes writes {:.2} s after the kill: the gateway has promoted it",
        killed.elapsed().as_secs_f64()
    ));
    table.watch_until(site, interrupt, |site| site.rows(source) > before || writable.elapsed() > DEADLINE)?;
    let first_row = writable.elapsed();
    table.watch(site, 3, interrupt)?;
    table.say("db1 comes back and takes writes, as if nothing had been");
    site.cluster.servers[0].restart(WRITABLE);
    let back = Instant::now();
    table.watch_until(site, interrupt, |site| !is_open(site, 0) || back.elapsed() > DEADLINE)?;
    table.say(&format!("the gateway has closed it after {:.2} s", back.elapsed().as_secs_f64()));
    table.watch(site, 2, interrupt)?;
    table.say("the nodes stop");
    site.end_nodes();
    site.serial.freeze();
    let now = now_us();
    wait_drained(site, &mut table, source, interrupt)?;
    look(site);
    Ok(Told { numbers: None, first_row, source, watched: Watched { all: begin..now, away: begin..begin } })
}

/// The server that takes writes now; db2 when none does in time, where the audit will find nothing.
fn promoted(site: &Site, table: &mut Table, interrupt: &Interrupt) -> Result<usize, Interrupted> {
    let (began, mut found) = (Instant::now(), None);
    table.watch_until(site, interrupt, |site| {
        found = [1, 2].into_iter().find(|server| is_open(site, *server));
        found.is_some() || began.elapsed() > DEADLINE
    })?;
    Ok(found.unwrap_or(1))
}

fn is_open(site: &Site, server: usize) -> bool {
    let answer = site.cluster.servers[server].try_query("SELECT @@global.read_only");
    answer.is_ok_and(|rows| rows.concat() == ["0"])
}

/// What the gateway says of its servers, and what it has done.
fn look(site: &Site) {
    println!("\nfieldgate status --servers:");
    let status = site.gateway.command(&["status", "--servers"]);
    String::from_utf8_lossy(&status.stdout).lines().for_each(|line| println!("  {line}"));
    println!("\nwhat the gateway did, from its log:");
    let log = site.gateway.log();
    let is_told = |line: &&str| {
        ["promotion: ", "takes writes, ", " follows ", "was closed"].iter().any(|words| line.contains(words))
    };
    for line in log.lines().filter(|line| line.contains(" INFO ")).filter(is_told) {
        println!("  {}", line.split_once(" INFO ").map_or(line, |(_, words)| words));
    }
}

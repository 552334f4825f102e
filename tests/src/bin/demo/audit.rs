//! The end: what the nodes were told against what is in the database.

use std::time::Duration;

use fieldgate_tests::audit::{Audit, PolledAudit};

use crate::site::{I2C_CHANNELS, I2C_NODE, SERIAL_NODE, Site};
use crate::story::Told;
use crate::{Interrupt, Interrupted};

/// Audits from the nodes' logs, then lets `fieldgate db reconcile` say what it finds. True when neither finds anything.
pub fn audit(site: &mut Site, told: &Told, interrupt: &Interrupt) -> Result<bool, Interrupted> {
    interrupt.check()?;
    println!("\naudit, from what the broker acknowledged to the nodes and what went over the serial wire:");
    let source = &site.cluster.servers[told.source];
    let audit = Audit::take(source, &site.owed());
    println!(
        "  {audit}, sent again {}, first row {:.2} s after the new source was writable",
        sent_again(site, told.source),
        told.first_row.as_secs_f64()
    );
    let polled = PolledAudit::take(source, I2C_NODE, &I2C_CHANNELS, &told.watched);
    let dead = match dead_seconds(told) {
        0.0 => String::new(),
        seconds => format!(", which was dead for {seconds:.2} s"),
    };
    println!("  I2C node {I2C_NODE}: {polled}{dead}");
    println!("  serial node {SERIAL_NODE}: {}", wire(site));
    interrupt.check()?;
    println!("\nfieldgate db reconcile:");
    let reconcile = site.gateway.command(&["db", "reconcile"]);
    for line in
        String::from_utf8_lossy(&reconcile.stdout).lines().chain(String::from_utf8_lossy(&reconcile.stderr).lines())
    {
        println!("  {line}");
    }
    if let Some(numbers) = &told.numbers {
        println!("\nat full speed, everything on this machine:");
        println!(
            "  {:.0} rows/s, {:.2} CPU seconds per 100,000 rows, {:.0} MiB resident in the gateway",
            numbers.rows_a_second, numbers.cpu_seconds_a_100_000, numbers.rss_mib
        );
    }
    Ok(audit.is_clean() && polled.is_clean() && reconcile.status.success())
}

fn dead_seconds(told: &Told) -> f64 {
    let microseconds = told.watched.away.end - told.watched.away.start;
    Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64()
}

/// What became of the lines that nobody acknowledges.
fn wire(site: &Site) -> String {
    let log = site.serial.log();
    let (heard, unheard) = (log.heard().acknowledged.len() * log.channels, log.unheard.len() * log.channels);
    format!("{heard} of those sent; {unheard} more were written while no gateway ran, and a row of gaps says so")
}

/// What the gateway wrote into `events` of readings that the new source lacked.
fn sent_again(site: &Site, source: usize) -> String {
    let sql = "SELECT COALESCE(SUM(count), 0) FROM field.events WHERE kind = 'sent again'";
    site.cluster.servers[source].query(sql)[0][0].clone()
}

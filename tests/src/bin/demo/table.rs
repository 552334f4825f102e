//! The live table: one line a second, and a line for each thing that happens.

use std::thread;
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::{Interrupt, Interrupted};

/// Prints the table.
pub struct Table {
    began: Instant,
    next: Instant,
}

impl Table {
    /// Prints the head.
    pub fn begin() -> Self {
        println!("\n  time       sent      rows in db1       db2       db3   waiting");
        let now = Instant::now();
        Self { began: now, next: now }
    }

    /// Says what happens now.
    pub fn say(&self, text: &str) {
        println!("{:5.1} s  ** {text}", self.began.elapsed().as_secs_f64());
    }

    /// Goes on for so long, a line a second.
    pub fn watch(&mut self, site: &Site, seconds: u64, interrupt: &Interrupt) -> Result<(), Interrupted> {
        let until = Instant::now() + Duration::from_secs(seconds);
        self.watch_until(site, interrupt, |_| Instant::now() >= until)
    }

    /// Goes on until the condition holds.
    pub fn watch_until(
        &mut self,
        site: &Site,
        interrupt: &Interrupt,
        mut done: impl FnMut(&Site) -> bool,
    ) -> Result<(), Interrupted> {
        while !done(site) {
            interrupt.check()?;
            if Instant::now() >= self.next {
                self.next = Instant::now() + Duration::from_secs(1);
                self.line(site);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn line(&self, site: &Site) {
        let sent = site.sent();
        let rows: Vec<Option<usize>> = (0..3).map(|server| site.rows(server)).collect();
        let most = rows.iter().flatten().max().copied().unwrap_or(0);
        let cell = |rows: &Option<usize>| rows.map_or_else(|| "-".to_owned(), |rows| rows.to_string());
        println!(
            "{:5.1} s {sent:9}      {:>11} {:>9} {:>9} {:9}",
            self.began.elapsed().as_secs_f64(),
            cell(&rows[0]),
            cell(&rows[1]),
            cell(&rows[2]),
            sent.saturating_sub(most)
        );
    }
}

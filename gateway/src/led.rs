//! An LED that shows the state: [`pattern`] says when it is lit, and one of two implementations of [`line::Line`] lights it.
//!
//! It only looks at what the parts show of themselves anyway. A line that cannot be switched is a warning and no more.

pub mod character_device;
pub mod line;
pub mod pattern;
pub mod pi;

use crate::status::{DrainState, IntakeState};
use config::Led;
use line::{Line, LineError};
use pattern::{Blinks, State};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

/// How often the LED is looked at: a third of its shortest blink.
const TICK: Duration = Duration::from_millis(20);
/// From a line that cannot be switched to the next attempt; nobody else wants it, so there is no crowd to spread.
const RETRY: Duration = Duration::from_secs(60);
/// Where the firmware names the board.
const BOARD: &str = "/proc/device-tree/model";

/// What the LED shows.
pub struct Watched {
    /// The intake.
    pub intake: watch::Receiver<IntakeState>,
    /// The drain.
    pub drain: watch::Receiver<DrainState>,
    /// True once the gateway stops.
    pub stop: watch::Receiver<bool>,
}

/// Opens the configured line: through rppal on a Raspberry Pi, through the kernel's character device elsewhere and where
/// the former fails.
///
/// # Errors
/// When all that was tried failed.
pub fn open(settings: &Led) -> Result<Box<dyn Line>, LineError> {
    let board = std::fs::read(BOARD).unwrap_or_default();
    choose(
        is_pi(&board),
        || pi::open(settings).map(|line| -> Box<dyn Line> { Box::new(line) }),
        || character_device::open(settings).map(|line| -> Box<dyn Line> { Box::new(line) }),
    )
}

fn is_pi(board: &[u8]) -> bool {
    board.starts_with(b"Raspberry Pi")
}

fn choose<T>(
    is_pi: bool,
    pi: impl FnOnce() -> Result<T, LineError>,
    chip: impl FnOnce() -> Result<T, LineError>,
) -> Result<T, LineError> {
    if !is_pi {
        return chip();
    }
    pi().or_else(|first| chip().map_err(|second| LineError::Both(Box::new(first), Box::new(second))))
}

/// Shows the state until the gateway stops. A line that `open` refuses, or that fails later, is told once and tried again
/// every minute.
pub async fn show(watched: Watched, mut open: impl FnMut() -> Result<Box<dyn Line>, LineError>) {
    let start = Instant::now();
    let mut told = false;
    loop {
        let error = match open() {
            Ok(line) => {
                info!("the LED shows the state");
                told = false;
                let Err(error) = switch(Switch { line, lit: false }, &watched, start).await else { return };
                error
            }
            Err(error) => error,
        };
        if !std::mem::replace(&mut told, true) {
            warn!(
                "the LED cannot be switched: {error}; [led] must name a chip that is there and a line that `gpioinfo` shows as unused, and the user that runs fieldgate must be in the group gpio; fieldgate goes on without the LED and tries again every minute"
            );
        }
        sleep(RETRY).await;
    }
}

/// Switches the LED until the gateway stops.
async fn switch(mut led: Switch, watched: &Watched, start: Instant) -> Result<(), LineError> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut blinks = Blinks::default();
    loop {
        ticks.tick().await;
        let now_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let intake = *watched.intake.borrow();
        let state = pattern::state(intake, &watched.drain.borrow(), *watched.stop.borrow());
        led.set(pattern::is_lit(state, now_ms, blinks.look(intake.durable, now_ms)))?;
        if state == State::Stopping {
            return Ok(());
        }
    }
}

/// The line, which is asked only for changes, and is off at the end however the task ends.
struct Switch {
    line: Box<dyn Line>,
    lit: bool,
}

impl Switch {
    fn set(&mut self, lit: bool) -> Result<(), LineError> {
        if lit != self.lit {
            self.line.set(lit)?;
            self.lit = lit;
        }
        Ok(())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // A line that fails has been told of already.
        let _ = self.set(false);
    }
}

#[cfg(test)]
mod tests;

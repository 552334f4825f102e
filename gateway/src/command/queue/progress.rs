//! A bar on the terminal of somebody who waits; nothing where standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::Read;

/// The bar. It goes when it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// For so many steps, each a reading or a byte; without a bar when their number is not known.
    pub fn new(doing: &'static str, steps: Option<u64>) -> Self {
        let bar = steps.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template =
            if steps.is_some() { "{msg} {wide_bar} {percent:>3} % {eta:>5}" } else { "{msg} {spinner} {pos}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar.with_message(doing))
    }

    /// Counts the bytes that are read through it.
    pub fn reader<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.0.wrap_read(reader)
    }

    /// Says something on standard error without tearing the bar.
    pub fn say(&self, words: &str) {
        self.0.suspend(|| eprintln!("{words}"));
    }

    /// So many steps more are done.
    pub fn add(&self, steps: u64) {
        self.0.inc(steps);
    }

    /// So many of so many steps are done.
    pub fn set(&self, done: u64, steps: u64) {
        self.0.set_length(steps);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

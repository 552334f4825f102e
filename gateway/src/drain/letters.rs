//! How many dead letters wait for somebody, asked over the drain's connection while it has nothing else to do.

use super::Settings;
use super::source::Source;
use crate::database::{Cell, DbError};
use crate::status::{LETTERS_COUNTED, LettersState};
use std::time::Duration;
use tokio::time::Instant;

/// They are asked for this often at most.
const EVERY: Duration = Duration::from_secs(10);

/// When they are to be looked for again.
#[derive(Default)]
pub struct Letters {
    looked_at: Option<Instant>,
}

impl Letters {
    /// There are new ones.
    pub fn look_soon_if(&mut self, are_new: bool) {
        if are_new {
            self.looked_at = None;
        }
    }

    /// The letters of this gateway that nobody has dealt with; none when they were asked for a short while ago. Bounded
    /// whatever is in the table: the index leads to the letters of each stream, and counting ends early.
    pub async fn look(&mut self, source: &mut Source, settings: &Settings) -> Result<Option<LettersState>, DbError> {
        if self.looked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(None);
        }
        self.looked_at = Some(Instant::now());
        let sql = format!(
            "SELECT COUNT(*), MAX(line) FROM (SELECT \
               CONCAT(COALESCE(d.arrived_at, ''), ' ', d.origin, ': ', LEFT(COALESCE(d.server_words, d.reason), 200)) AS line \
               FROM streams s JOIN dead_letters d ON d.stream = s.stream AND d.state = 'new' \
               WHERE s.gateway = ? LIMIT {}) AS letters",
            LETTERS_COUNTED + 1
        );
        let rows = source.ask(&sql, vec![Cell::text(&settings.gateway)]).await?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let count = row.first().and_then(Cell::as_u64).unwrap_or(0);
        let newest = row.get(1).and_then(Cell::as_text).map(|line| line.trim_start().to_owned());
        Ok(Some(LettersState { count, newest }))
    }
}

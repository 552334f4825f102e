//! A batch of which the server refuses a row for what is in it, written all the same: the readings in halves and halves of
//! halves until each one that is refused stands alone, all in one transaction. A commit costs more than all the
//! statements of the search.

use super::{READING_COLUMNS, Tables, insert, reading_row};
use crate::database::{Class, DbError, Row};
use crate::drain::plan::{Batch, DeadLetterRow};
use std::ops::Range;

impl Tables {
    /// Writes a batch whose refused readings become dead letters. Returns those.
    ///
    /// # Errors
    /// [`DbError`]; of class `Data` when something else than a reading is refused. It can then be taken back.
    pub async fn write_apart(&mut self, batch: &Batch, now_us: i64) -> Result<Vec<DeadLetterRow>, DbError> {
        self.session.run("START TRANSACTION").await?;
        self.move_cursor(batch, now_us).await?;
        let mut rows = Vec::with_capacity(batch.readings.len());
        for (seq, reading) in &batch.readings {
            let channel_id = self.channel_id(reading).await?;
            rows.push(reading_row(batch.stream.as_u64(), *seq, channel_id, reading));
        }
        let refused = self.insert_apart(&rows).await?;
        let refused = refused.into_iter().filter_map(|(index, words)| {
            let (seq, reading) = batch.readings.get(index)?;
            Some(DeadLetterRow::refused(*seq, reading, &words))
        });
        let refused: Vec<DeadLetterRow> = refused.collect();
        self.insert_others(batch, &refused).await?;
        self.session.run("COMMIT").await?;
        Ok(refused)
    }

    /// Inserts what is taken; the index and the server's words of each row that is not.
    async fn insert_apart(&mut self, rows: &[Row]) -> Result<Vec<(usize, String)>, DbError> {
        let whole = 0..rows.len();
        let (mut parts, mut refused) = (vec![whole], Vec::new());
        let mut is_marked = false;
        while let Some(part) = parts.pop() {
            if !is_marked {
                self.session.run("SAVEPOINT part").await?;
            }
            is_marked = true;
            let some = rows.get(part.clone()).unwrap_or_default().to_vec();
            match self.session.insert_many(&insert("readings", READING_COLUMNS), some).await {
                Ok(()) => is_marked = false,
                Err(error) if error.class == Class::Data => {
                    // The mark stays where it is.
                    self.session.run("ROLLBACK TO SAVEPOINT part").await?;
                    match halves(&part) {
                        // The first half is to come out of the list first.
                        Some((first, second)) => parts.extend([second, first]),
                        None => refused.push((part.start, error.words)),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }
}

/// Both halves of a part; none of a single row.
fn halves(part: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let middle = part.start + part.len() / 2;
    (part.len() > 1).then_some((part.start..middle, middle..part.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_whole_and_a_single_row_has_none() {
        assert_eq!(halves(&(0..2)), Some((0..1, 1..2)));
        assert_eq!(halves(&(10..15)), Some((10..12, 12..15)));
        assert_eq!(halves(&(7..8)), None);
    }
}

//! Tries refused readings again.

use super::letter::{Letter, NEEDS_DECODER, PAGE, Place, page};
use super::{LettersError, Which, open_source};
use crate::database::{Account, Cell, Class, DbError};
use crate::drain::plan::{Batch, REASON_CHARACTERS, first_characters};
use crate::drain::routes::Routes;
use crate::drain::write::Tables;
use crate::exit::Exit;
use config::Config;
use sensors::Reading;
use serde::Serialize;

/// What came of one letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is a row of readings now.
    Retried,
    /// Somebody else was faster.
    AlreadyRetried,
    /// The server refuses it again, with these words.
    Refused(String),
    /// It is no reading.
    NoReading,
}

/// Retries all that were chosen; exit code 1 when one could not be.
pub async fn retry(config: &Config, account: Account, which: &Which) -> Result<Exit, LettersError> {
    let session = open_source(config, &account).await?;
    let site = config.gateway.site.as_str();
    let routes = Routes::new(&config.routes, config.gateway.id.as_str());
    let mut tables = Tables::open(session, site, routes).await?;
    let (mut behind, mut outcomes) = (Place::default(), Vec::new());
    loop {
        let letters = page(tables.session(), site, which, false, &behind, PAGE).await?;
        let Some(last) = letters.last() else { break };
        behind = last.place();
        for letter in &letters {
            let outcome = retry_one(&mut tables, letter).await?;
            if !which.json {
                println!("{}: {}", letter.name(), outcome.words());
            }
            outcomes.push((letter.name(), outcome));
        }
    }
    tables.close().await;
    Ok(finish(which, &outcomes))
}

fn finish(which: &Which, outcomes: &[(String, Outcome)]) -> Exit {
    let done = outcomes.iter().filter(|(_, outcome)| outcome.is_done()).count();
    let left = outcomes.len() - done;
    if which.json {
        println!("{:#}", serde_json::json!({ "retried": done, "left": left, "letters": outcomes }));
    } else {
        println!("{done} retried, {left} left as dead letters");
    }
    if left == 0 && (done > 0 || which.seq.is_none()) { Exit::Ok } else { Exit::No }
}

/// State and reading in one transaction: the state first, which takes the row's lock, so that two retries never write one
/// reading twice.
async fn retry_one(tables: &mut Tables, letter: &Letter) -> Result<Outcome, DbError> {
    let Some(reading) = letter.reading() else { return Ok(Outcome::NoReading) };
    match insert(tables, letter, reading).await {
        Err(error) if error.class == Class::Data => {
            tables.roll_back().await?;
            let words = first_characters(&error.words, REASON_CHARACTERS);
            let sql =
                "UPDATE dead_letters SET server_words = ? WHERE stream = ? AND seq = ? AND route = ? AND state = 'new'";
            tables.session().change(sql, [vec![Cell::text(&words)], key(letter)].concat()).await?;
            Ok(Outcome::Refused(words))
        }
        done => done,
    }
}

async fn insert(tables: &mut Tables, letter: &Letter, reading: Reading) -> Result<Outcome, DbError> {
    tables.session().run("START TRANSACTION").await?;
    let sql = "UPDATE dead_letters SET state = 'retried' WHERE stream = ? AND seq = ? AND route = ? AND state = 'new'";
    if tables.session().change(sql, key(letter)).await? != 1 {
        tables.roll_back().await?;
        return Ok(Outcome::AlreadyRetried);
    }
    tables.note_maker(letter.stream.as_u64(), &letter.gateway);
    tables.insert_refused(&Batch::single(letter.stream, letter.seq, reading), &letter.route).await?;
    tables.session().run("COMMIT").await?;
    Ok(Outcome::Retried)
}

fn key(letter: &Letter) -> Vec<Cell> {
    vec![Cell::UInt(letter.stream.as_u64()), Cell::UInt(letter.seq), Cell::text(&letter.route)]
}

impl Outcome {
    fn is_done(&self) -> bool {
        matches!(self, Self::Retried | Self::AlreadyRetried)
    }

    fn words(&self) -> String {
        match self {
            Self::Retried => "the row is there now".to_owned(),
            Self::AlreadyRetried => "has been retried already".to_owned(),
            Self::Refused(words) => format!("refused again: {words}"),
            Self::NoReading => format!("cannot be retried: {NEEDS_DECODER}"),
        }
    }
}

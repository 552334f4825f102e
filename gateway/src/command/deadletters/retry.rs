//! Tries refused readings again.

use super::letter::{LEFT_OUT, Letter, NEEDS_DECODER, PAGE, Place, page};
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
    /// The other gateway's row of it is there.
    LeftOut,
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
            let outcome = retry_one(&mut tables, letter, config.standby.is_some()).await?;
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
    let left_out = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::LeftOut).count();
    let (retried, left) = (done - left_out, outcomes.len() - done);
    if which.json {
        let said = serde_json::json!({ "retried": retried, "left_out": left_out, "left": left, "letters": outcomes });
        println!("{said:#}");
    } else {
        let there =
            if left_out > 0 { format!("{left_out} brought by the other gateway already, ") } else { String::new() };
        println!("{retried} retried, {there}{left} left as dead letters");
    }
    if left == 0 && (done > 0 || which.seq.is_none()) { Exit::Ok } else { Exit::No }
}

/// State and reading in one transaction: the state first, which takes the row's lock, so that two retries never write one
/// reading twice.
async fn retry_one(tables: &mut Tables, letter: &Letter, is_one_of_two: bool) -> Result<Outcome, DbError> {
    let Some(reading) = letter.reading() else { return Ok(Outcome::NoReading) };
    match insert(tables, letter, reading, is_one_of_two).await {
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

async fn insert(
    tables: &mut Tables,
    letter: &Letter,
    reading: Reading,
    is_one_of_two: bool,
) -> Result<Outcome, DbError> {
    tables.session().run("START TRANSACTION").await?;
    if !set_state(tables, letter, "new", "retried").await? {
        tables.roll_back().await?;
        return Ok(Outcome::AlreadyRetried);
    }
    tables.note_maker(letter.stream.as_u64(), &letter.gateway);
    let mut batch = Batch::single(letter.stream, letter.seq, reading);
    let is_shared = is_one_of_two && letter.route.is_empty();
    let outcome = if is_shared && tables.other_has(&mut batch).await? {
        set_state(tables, letter, "retried", LEFT_OUT).await?;
        Outcome::LeftOut
    } else {
        tables.insert_refused(&batch, &letter.route).await?;
        Outcome::Retried
    };
    tables.session().run("COMMIT").await?;
    Ok(outcome)
}

async fn set_state(tables: &mut Tables, letter: &Letter, from: &str, to: &str) -> Result<bool, DbError> {
    let sql = "UPDATE dead_letters SET state = ? WHERE stream = ? AND seq = ? AND route = ? AND state = ?";
    let values = [vec![Cell::text(to)], key(letter), vec![Cell::text(from)]].concat();
    Ok(tables.session().change(sql, values).await? == 1)
}

fn key(letter: &Letter) -> Vec<Cell> {
    vec![Cell::UInt(letter.stream.as_u64()), Cell::UInt(letter.seq), Cell::text(&letter.route)]
}

impl Outcome {
    fn is_done(&self) -> bool {
        matches!(self, Self::Retried | Self::LeftOut | Self::AlreadyRetried)
    }

    fn words(&self) -> String {
        match self {
            Self::Retried => "the row is there now".to_owned(),
            Self::LeftOut => "the other gateway's row of it is there".to_owned(),
            Self::AlreadyRetried => "has been retried already".to_owned(),
            Self::Refused(words) => format!("refused again: {words}"),
            Self::NoReading => format!("cannot be retried: {NEEDS_DECODER}"),
        }
    }
}

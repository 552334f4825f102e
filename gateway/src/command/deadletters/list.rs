//! Shows dead letters.

use super::letter::{Letter, Place, page};
use super::{LettersError, Which, open_source};
use crate::database::Account;
use crate::exit::Exit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::Config;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Prints them, oldest number first within each stream.
pub async fn list(config: &Config, account: Account, which: &Which, limit: u32) -> Result<Exit, LettersError> {
    let mut session = open_source(config, &account).await?;
    let site = config.gateway.site.as_str();
    // One more than is shown tells whether there are more.
    let mut letters = page(&mut session, site, which, which.all, &Place::default(), limit.saturating_add(1)).await?;
    session.close().await;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = letters.len() > shown;
    letters.truncate(shown);
    let mut out = io::stdout().lock();
    if which.json {
        let letters: Vec<Value> = letters.iter().map(as_json).collect();
        writeln!(out, "{:#}", json!(letters))?;
        return Ok(Exit::Ok);
    }
    for letter in &letters {
        writeln!(out, "{}", as_text(letter))?;
    }
    match (letters.len(), more) {
        (0, _) => writeln!(out, "no dead letters")?,
        (_, true) => writeln!(out, "and more: see them with --limit")?,
        (count, false) => writeln!(out, "{count} dead letters")?,
    }
    Ok(Exit::Ok)
}

fn as_text(letter: &Letter) -> String {
    let retry = match (letter.is_new(), letter.reading()) {
        (false, _) => "the row is there now",
        (true, Some(_)) => "it can be retried",
        (true, None) => "it cannot be retried: it would need its decoder",
    };
    format!(
        "{}  {}  {}\n    {}: {}\n    {} bytes, gateway {}; {retry}",
        letter.name(),
        time(letter.arrived_us).unwrap_or_else(|| "time unknown".to_owned()),
        letter.state,
        letter.origin,
        letter.why(),
        letter.length,
        letter.gateway
    )
}

fn as_json(letter: &Letter) -> Value {
    json!({
        "stream": letter.stream.to_string(),
        "seq": letter.seq,
        "gateway": letter.gateway,
        "state": letter.state,
        "route": letter.route,
        "arrived_at": time(letter.arrived_us),
        "origin": letter.origin,
        "reason": letter.reason,
        "server_words": letter.server_words,
        "length": letter.length,
        "bytes": STANDARD.encode(&letter.bytes),
        "can_be_retried": letter.is_new() && letter.reading().is_some(),
    })
}

fn time(us: Option<i64>) -> Option<String> {
    Timestamp::from_microsecond(us?).ok().map(|time| time.to_string())
}

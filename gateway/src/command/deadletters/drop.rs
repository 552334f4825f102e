//! Deletes dead letters. Each leaves a row of gaps with its number, so that every number of a stream stays accounted for.

use super::letter::{LEFT_OUT, Letter, PAGE, Place, page};
use super::{LettersError, Which, open_source};
use crate::database::{Account, Cell, DbError, Session};
use crate::drain::group::leave_out;
use crate::drain::plan::{REASON_CHARACTERS, first_characters};
use crate::event::Event;
use crate::exit::Exit;
use config::Config;
use sensors::{KernelClock, Reading, SampleClock};

/// Drops all that were chosen; exit code 1 when there was none.
pub async fn drop(config: &Config, admin: Account, which: &Which) -> Result<Exit, LettersError> {
    let now_us = KernelClock::open()?.stamp().wall_us;
    let mut session = open_source(config, &admin).await?;
    let (mut behind, mut dropped) = (Place::default(), 0);
    loop {
        let letters = page(&mut session, config.gateway.site.as_str(), which, true, &behind, PAGE).await?;
        let Some(last) = letters.last() else { break };
        behind = last.place();
        dropped += drop_page(&mut session, config, &letters, now_us).await?;
    }
    session.close().await;
    if which.json {
        println!("{}", serde_json::json!({ "dropped": dropped }));
    } else {
        println!("{dropped} dead letters dropped; rows of gaps say which");
    }
    Ok(if dropped > 0 || which.seq.is_none() { Exit::Ok } else { Exit::No })
}

/// All of them and the event that says so, or none.
async fn drop_page(session: &mut Session, config: &Config, letters: &[Letter], now_us: i64) -> Result<u64, DbError> {
    session.run("START TRANSACTION").await?;
    let mut dropped = 0;
    for letter in letters {
        dropped += drop_one(session, config, letter).await?;
    }
    let text = format!("{dropped} dead letters dropped by the operator");
    let event = Event {
        at_us: now_us,
        site: config.gateway.site.as_str(),
        gateway: config.gateway.id.as_str(),
        kind: "dead letters dropped",
        text: &text,
        count: Some(dropped),
    };
    event.write(session).await?;
    session.run("COMMIT").await?;
    Ok(dropped)
}

async fn drop_one(session: &mut Session, config: &Config, letter: &Letter) -> Result<u64, DbError> {
    let (stream, seq) = (Cell::UInt(letter.stream.as_u64()), Cell::UInt(letter.seq));
    let sql = "DELETE FROM dead_letters WHERE stream = ? AND seq = ? AND route = ? AND state = ?";
    let deleted = session.change(sql, vec![stream, seq, Cell::text(&letter.route), Cell::text(&letter.state)]).await?;
    // The number of a retried one, and of one that a route refused, is a reading.
    if deleted == 1 && letter.is_new() && letter.route.is_empty() {
        let sql = "INSERT INTO gaps (stream, seq, last_seq, site, node, channel, reason, from_time, to_time, `count`) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        session.change(sql, gap(config.gateway.site.as_str(), letter)).await?;
    }
    if deleted == 1 && letter.state == LEFT_OUT {
        leave_out(session, letter.stream, &[(letter.seq, letter.seq)]).await?;
    }
    Ok(deleted)
}

fn gap(site: &str, letter: &Letter) -> Vec<Cell> {
    let reading = letter.reading();
    let name = |of: fn(&Reading) -> &str| Cell::optional(reading.as_ref(), |reading| Cell::text(of(reading)));
    let reason = format!("a dead letter that the operator dropped, of {}: {}", letter.origin, letter.why());
    vec![
        Cell::UInt(letter.stream.as_u64()),
        Cell::UInt(letter.seq),
        Cell::UInt(letter.seq),
        Cell::text(site),
        name(|reading| reading.node.as_str()),
        name(|reading| reading.channel.as_str()),
        Cell::text(first_characters(&reason, REASON_CHARACTERS)),
        Cell::optional(letter.arrived_us, Cell::TimeUs),
        Cell::optional(letter.arrived_us, Cell::TimeUs),
        // How many readings a payload would have been, nobody knows.
        Cell::optional(reading.as_ref(), |_| Cell::UInt(1)),
    ]
}

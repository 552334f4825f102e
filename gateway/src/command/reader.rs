//! `fieldgate db reader`: which server to read from.

use crate::command::{account, block_on, now_us, refuse};
use crate::database::{Account, DbError, Deadlines, Session};
use crate::exit::Exit;
use crate::memory::look_and_choose;
use crate::topology::lag::milliseconds;
use crate::topology::reader::{Reader, Readers, readers};
use crate::topology::{Choice, View};
use config::Config;
use serde::Serialize;
use std::time::Duration;

/// Counts the turn up on the source; the first who asks makes the row.
const NEXT_TURN: &str = "INSERT INTO reader_turn (id, turn) VALUES (1, LAST_INSERT_ID(1)) \
    ON DUPLICATE KEY UPDATE turn = LAST_INSERT_ID(turn + 1)";

/// Half a second for each answer.
const SOON: Duration = Duration::from_millis(500);

/// How to answer.
#[derive(Debug, clap::Args)]
pub struct ReaderArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: std::path::PathBuf,
    /// Print the answer as JSON, with the reasons and why each other server is not the answer
    #[arg(long)]
    pub json: bool,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    /// `host:port` as configured; none when no server can be read from.
    server: Option<String>,
    /// How far it is behind the newest that any server shows; none when that is not known.
    lag_ms: Option<u64>,
    why: String,
    /// Who takes turns with it, itself included.
    turns: Vec<String>,
    /// Whose turn it is goes by the clock, not by the database, and why; none where it does not.
    by_clock: Option<String>,
    others: Vec<Other>,
}

#[derive(Debug, Serialize)]
struct Other {
    server: String,
    why_not: String,
}

/// Prints one server; exit code 69 when there is none to read from.
pub fn reader(config: &Config, arguments: &ReaderArguments) -> Exit {
    let account = match account(config) {
        Ok(account) => account,
        Err(problem) => return refuse(&arguments.config, &[problem]),
    };
    let answer = now_us().and_then(|now_us| block_on(ask(config, &account, now_us)));
    answer.map_or_else(|exit| exit, |answer| show(&answer, arguments.json))
}

fn show(answer: &Answer, json: bool) -> Exit {
    match &answer.server {
        _ if json => match serde_json::to_string_pretty(answer) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("the answer cannot be written as JSON: {error}");
                return Exit::Bug;
            }
        },
        Some(server) => println!("{server}"),
        None => eprintln!("{}", answer.why),
    }
    if answer.server.is_some() { Exit::Ok } else { Exit::Unavailable }
}

async fn ask(config: &Config, account: &Account, now_us: i64) -> Answer {
    let (views, choice, readers) = judge(config, account).await;
    let (turn, by_clock) = match readers.fit.as_slice() {
        [] | [_] => (0, None),
        _ => match next_turn(config, account, &choice).await {
            Ok(turn) => (turn, None),
            Err(why) => (u64::try_from(now_us / 1_000_000).unwrap_or(0), Some(why)),
        },
    };
    answer(&views, readers, turn, by_clock)
}

/// Not for long at first: a server that does not answer soon is not the one to read from, unless none does.
async fn judge(config: &Config, account: &Account) -> (Vec<View>, Choice, Readers) {
    let mut hasty = config.clone();
    hasty.mysql.connect_timeout = SOON.min(config.mysql.connect_timeout);
    let (views, choice) = look_and_choose(&hasty, account).await;
    let found = readers(&views, &choice);
    if found.has_replica {
        return (views, choice, found);
    }
    let (views, choice) = look_and_choose(config, account).await;
    let found = readers(&views, &choice);
    (views, choice, found)
}

fn answer(views: &[View], readers: Readers, turn: u64, by_clock: Option<String>) -> Answer {
    let name = |index: usize| views.get(index).map(|view| view.name.clone()).unwrap_or_default();
    let reader = readers.at_turn(turn);
    let other = |(index, why_not): (usize, String)| Other { server: name(index), why_not };
    Answer {
        server: reader.map(|reader| name(reader.index)),
        lag_ms: reader.and_then(|reader| reader.lag).map(milliseconds),
        why: readers.why,
        turns: readers.fit.iter().map(|reader: &Reader| name(reader.index)).collect(),
        by_clock,
        others: readers.others.into_iter().map(other).collect(),
    }
}

/// The next turn, over all who ask; or why there is none. This writes to the source, and only when at least two replicas receive
/// and show no newer term: in a source left behind by a failover it would be a transaction that nobody else has.
async fn next_turn(config: &Config, account: &Account, choice: &Choice) -> Result<u64, String> {
    let source = choice.source.and_then(|index| config.mysql.servers.get(index)).ok_or(&choice.why)?;
    // Whoever asks waits; the clock will do as well.
    let patience = config.mysql.connect_timeout;
    let deadlines = Deadlines { connect: patience, query: patience };
    let counted = async {
        let mut session = Session::open(source, account, deadlines).await?;
        session.change(NEXT_TURN, Vec::new()).await?;
        let turn = session.last_insert_id();
        session.close().await;
        turn.ok_or_else(|| DbError::unexpected(&source.to_string(), NEXT_TURN))
    };
    counted.await.map_err(|error: DbError| without_table(&error).unwrap_or_else(|| error.to_string()))
}

/// A database that was made by an earlier version lacks the table.
fn without_table(error: &DbError) -> Option<String> {
    let mend = "`fieldgate db schema --apply --admin-user NAME` makes it";
    (error.code == Some(1146)).then(|| format!("{}: the table reader_turn is missing; {mend}", error.server))
}

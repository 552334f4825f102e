//! `fieldgate db deadletters`: what the database refused, or what could not be understood; looked at, retried, dropped.

mod drop;
mod letter;
mod list;
mod retry;

use crate::command::{account, block_on, deadlines, refuse};
use crate::database::{Account, DbError, Session};
use crate::exit::Exit;
use crate::memory::look_and_choose;
use crate::secret::read_password;
use config::Config;
use queue::StreamId;
use std::future::Future;
use std::path::PathBuf;
use thiserror::Error;

/// What to do with dead letters.
#[derive(Debug, clap::Subcommand)]
pub enum LettersVerb {
    /// Show the dead letters of this site
    List {
        /// Which
        #[command(flatten)]
        which: Which,
        /// Show so many at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Try refused readings again, exactly as they are: after a trigger, a column or a constraint has been mended
    Retry {
        /// Which
        #[command(flatten)]
        which: Which,
    },
    /// Delete dead letters with an administrator's account; a row of gaps says of each what it was
    Drop {
        /// Which
        #[command(flatten)]
        which: Which,
        /// An administrator's account, which may delete: the gateway's own may not
        #[arg(long)]
        admin_user: String,
        /// A file with the administrator's password
        #[arg(long)]
        admin_password_file: Option<PathBuf>,
    },
}

/// Which letters.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Only those of this stream (16 hex digits)
    #[arg(long)]
    pub stream: Option<StreamId>,
    /// Only the one with this number in the stream
    #[arg(long, requires = "stream")]
    pub seq: Option<u64>,
    /// All of the site; for list, also those that were retried
    #[arg(long)]
    pub all: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

impl LettersVerb {
    /// The configuration file.
    pub fn config(&self) -> &PathBuf {
        match self {
            Self::List { which, .. } | Self::Retry { which } | Self::Drop { which, .. } => &which.config,
        }
    }
}

/// Does it; exit code 1 when a letter could not be dealt with.
pub fn run(config: &Config, verb: &LettersVerb) -> Exit {
    match verb {
        LettersVerb::List { which, limit } => {
            with_gateway_account(config, which, |account| list::list(config, account, which, *limit))
        }
        LettersVerb::Retry { which } if !is_chosen(which) => not_chosen(),
        LettersVerb::Drop { which, .. } if !is_chosen(which) => not_chosen(),
        LettersVerb::Retry { which } => {
            with_gateway_account(config, which, |account| retry::retry(config, account, which))
        }
        LettersVerb::Drop { which, admin_user, admin_password_file } => {
            let password = match admin_password_file.as_deref().map(read_password).transpose() {
                Ok(password) => password,
                Err(what) => {
                    eprintln!("--admin-password-file: {what}");
                    return Exit::Usage;
                }
            };
            let admin = Account {
                database: Some(config.mysql.database.clone()),
                ..Account::named(config, admin_user, password)
            };
            finish(drop::drop(config, admin, which))
        }
    }
}

fn with_gateway_account<F>(config: &Config, which: &Which, work: impl FnOnce(Account) -> F) -> Exit
where
    F: Future<Output = Result<Exit, LettersError>>,
{
    match account(config) {
        Ok(account) => finish(work(account)),
        Err(problem) => refuse(&which.config, &[problem]),
    }
}

fn finish(work: impl Future<Output = Result<Exit, LettersError>>) -> Exit {
    match block_on(work) {
        Ok(Ok(exit)) | Err(exit) => exit,
        Ok(Err(error)) => {
            eprintln!("{error}");
            Exit::Unavailable
        }
    }
}

/// Nothing is changed without having been named.
fn is_chosen(which: &Which) -> bool {
    which.all || which.stream.is_some()
}

fn not_chosen() -> Exit {
    eprintln!("say which: --all, or --stream with or without --seq; `fieldgate db deadletters list` shows them");
    Exit::Usage
}

/// Why the letters could not be reached.
#[derive(Debug, Error)]
enum LettersError {
    /// No server takes writes.
    #[error("{0}")]
    NoSource(String),
    /// A server failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The answer cannot be written, or the clock cannot be read.
    #[error("this machine: {0}")]
    Machine(#[from] std::io::Error),
}

/// A connection to the server that takes writes, by the same choice that the gateway makes.
async fn open_source(config: &Config, account: &Account) -> Result<Session, LettersError> {
    let (_, choice) = look_and_choose(config, account).await;
    let server = choice.source.and_then(|index| config.mysql.servers.get(index));
    let server = server.ok_or(LettersError::NoSource(choice.why))?;
    Ok(Session::open(server, account, deadlines(config)).await?)
}

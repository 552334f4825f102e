//! What `db failover`, `db switchover` and `db rejoin` have in common: the accounts, what the servers say, and whom it concerns.

use crate::command::{account, block_on, refuse};
use crate::database::{Account, DbError};
use crate::exit::Exit;
use crate::local::give_to_owner;
use crate::memory::look_and_remember;
use crate::promotion::{Failure, Hands, Login, Record, Rules};
use crate::secret::promote_password;
use crate::topology::{Choice, View, choose};
use config::Config;
use sensors::{KernelClock, SampleClock};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Everything that a command needs before it does anything.
pub struct Ready {
    /// The account that may promote.
    pub account: Account,
    /// By which rules.
    pub rules: Rules,
    /// What every server says.
    pub views: Vec<View>,
    /// Which one takes writes, and why.
    pub choice: Choice,
    /// The highest term that any server has shown.
    pub shown_term: u64,
    /// The highest term ever seen, or given by a promotion that was begun.
    pub highest_term: u64,
    /// What earlier promotions have begun.
    pub record: Record,
    /// This machine's clock.
    pub clock: Arc<dyn SampleClock>,
}

impl Ready {
    /// The clock, microseconds since 1970.
    pub fn now_us(&self) -> i64 {
        self.clock.stamp().wall_us
    }

    /// Connections to all servers, of which none is made yet.
    pub fn hands(&self, config: &Config) -> Hands {
        Hands::new(config, &self.account, self.views.clone())
    }
}

/// A line for whoever reads along. Nobody may: a terminal that is gone, or a pipe that is closed, must not end a change of the
/// servers between two of its steps.
pub fn say(words: &str) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Asks all servers, does the work, and gives what root has made to the owner of the state folder.
pub fn with_servers(file: &Path, config: &Config, work: impl AsyncFnOnce(Ready) -> Result<Exit, Failure>) -> Exit {
    let found = block_on(async {
        let ready = ready(file, config).await?;
        Ok(work(ready).await.unwrap_or_else(|failure| show(&failure)))
    });
    let folder = &config.gateway.state_dir;
    if folder.exists()
        && let Err(error) = give_to_owner(folder)
    {
        eprintln!("{}: {error}", folder.display());
    }
    match found {
        Ok(Ok(exit) | Err(exit)) | Err(exit) => exit,
    }
}

async fn ready(file: &Path, config: &Config) -> Result<Ready, Exit> {
    let refuse_one = |problem| refuse(file, &[problem]);
    let own = account(config).map_err(refuse_one)?;
    let password = promote_password(config).map_err(refuse_one)?;
    let needed = crate::promotion::account(config, password).zip(Rules::of(config));
    let Some((account, rules)) = needed else {
        let remedy = "add a section [mysql.promote] with user = \"fieldgate_promote\"; `fieldgate db schema` then prints its rights";
        return Err(refuse_one(config.problem(
            "mysql",
            "names no account that may let another server take writes",
            remedy,
        )));
    };
    let clock = KernelClock::open().map_err(|error| {
        eprintln!("cannot read the kernel's clock: {error}");
        Exit::Bug
    })?;
    let (views, shown_term) = look_and_remember(config, &own).await;
    let record = Record::open(&config.gateway.state_dir);
    let highest_term = shown_term.max(record.term());
    let choice = choose(&views, highest_term);
    Ok(Ready { account, rules, views, choice, shown_term, highest_term, record, clock: Arc::new(clock) })
}

/// The account that a former source follows the new one with.
///
/// # Errors
/// The exit code when there is none; that has been shown then.
pub fn login(file: &Path, config: &Config) -> Result<Login, Exit> {
    match Login::of(config).map_err(|problem| refuse(file, &[problem]))? {
        Some(login) => Ok(login),
        None => {
            let what = "names no account with a password that a former source can follow the new one with";
            let remedy = "add replication_user and replication_password_file";
            Err(refuse(file, &[config.problem("mysql.promote", what, remedy)]))
        }
    }
}

fn show(failure: &Failure) -> Exit {
    let _ = writeln!(std::io::stderr(), "{failure}");
    match failure {
        Failure::Database(DbError { .. }) => Exit::Unavailable,
        Failure::Record(..) => Exit::Storage,
        _ => Exit::No,
    }
}

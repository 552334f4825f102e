//! One file a verb.

pub mod accept;
pub mod check;
pub mod deadletters;
pub mod failover;
mod promotion;
pub mod queue;
pub mod reader;
pub mod reconcile;
pub mod replay;
pub mod run;
pub mod schema;
pub mod status;
pub mod switchover;
pub mod takeover;

use crate::database::{Account, Deadlines};
use crate::exit::Exit;
use config::{Config, Problem, ServerAddress};
use sensors::{KernelClock, SampleClock};
use std::path::Path;

/// Where the package puts the configuration.
pub const DEFAULT_CONFIG: &str = "/etc/fieldgate/fieldgate.toml";

/// The gateway's own account at the servers.
///
/// # Errors
/// A [`Problem`] when the password cannot be read.
pub fn account(config: &Config) -> Result<Account, Problem> {
    Ok(Account::configured(config, crate::secret::mysql_password(config)?))
}

/// The wall clock of this machine, microseconds since 1970: our rows never carry a server's.
///
/// # Errors
/// The exit code when it cannot be read; that has been shown then.
pub fn now_us() -> Result<i64, Exit> {
    KernelClock::open().map(|clock| clock.stamp().wall_us).map_err(|error| {
        eprintln!("cannot read the kernel's clock: {error}");
        Exit::Bug
    })
}

/// The configured deadlines.
pub fn deadlines(config: &Config) -> Deadlines {
    Deadlines { connect: config.mysql.connect_timeout, query: config.mysql.query_timeout }
}

/// The place of a server that was named on the command line.
///
/// # Errors
/// The exit code when it is not configured; that has been shown then.
pub fn place(config: &Config, named: &str) -> Result<usize, Exit> {
    let wanted = ServerAddress::parse(named).map(|address| address.to_string());
    let is_it = |server: &ServerAddress| wanted.as_ref().is_ok_and(|wanted| *wanted == server.to_string());
    config.mysql.servers.iter().position(is_it).ok_or_else(|| {
        eprintln!("{named} is not in mysql.servers");
        Exit::Usage
    })
}

/// Shows problems and ends with the exit code of a wrong configuration.
pub fn refuse(file: &Path, problems: &[Problem]) -> Exit {
    for problem in problems {
        eprintln!("{}:{problem}", file.display());
    }
    Exit::Configuration
}

/// Runs the asynchronous part of a short command.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(work)),
        Err(error) => {
            eprintln!("cannot start: {error}");
            Err(Exit::Bug)
        }
    }
}

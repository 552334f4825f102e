//! The command line.

use crate::command::accept::AcceptArguments;
use crate::command::deadletters::LettersVerb;
use crate::command::failover::FailoverArguments;
use crate::command::queue::QueueVerb;
use crate::command::reader::ReaderArguments;
use crate::command::replay::ReplayArguments;
use crate::command::schema::SchemaArguments;
use crate::command::status::StatusArguments;
use crate::command::switchover::{RejoinArguments, SwitchoverArguments};
use crate::command::takeover::TakeoverArguments;
use crate::command::{self, DEFAULT_CONFIG};
use crate::exit::Exit;
use clap::{Parser, Subcommand};
use config::Config;
use std::path::PathBuf;

/// A field gateway: reads sensor nodes, keeps every reading in a durable queue, and brings it into MariaDB or MySQL exactly once.
#[derive(Debug, Parser)]
#[command(name = "fieldgate", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gateway in the foreground, until SIGTERM or SIGINT
    Run {
        #[command(flatten)]
        configured: Configured,
        /// Simulate the nodes of I2C buses, so that no hardware is needed; their readings are made up
        #[arg(long)]
        simulate: bool,
    },
    /// Read a configuration file and show everything that is wrong with it
    Check {
        /// The file
        #[arg(default_value = DEFAULT_CONFIG)]
        file: PathBuf,
        /// Ask every database server too, and show what does not fit with the SQL that mends it
        #[arg(long)]
        connect: bool,
        /// Print what the servers answered as JSON
        #[arg(long, requires = "connect")]
        json: bool,
    },
    /// Show how the running gateway is getting on
    Status(StatusArguments),
    /// Change which of two gateways is active: this one asks the other one for its turn, or gives its own away (--give).
    /// Exit code 1 if nothing has changed, 69 if no gateway runs here, 78 without [standby]
    Takeover(TakeoverArguments),
    /// The readings that wait here: show, check, carry them to another machine
    #[command(subcommand)]
    Queue(QueueVerb),
    /// The database: its tables, and whether it has everything
    #[command(subcommand)]
    Db(Db),
}

#[derive(Debug, Subcommand)]
enum Db {
    /// Print the SQL for the tables and the account, or apply it
    Schema(SchemaArguments),
    /// Compare queue, source and replicas: what is lost, doubled or changed. Exit code 1 if anything is
    Reconcile {
        #[command(flatten)]
        configured: Configured,
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// What the database refused, or what could not be understood: list, retry, drop
    #[command(subcommand)]
    Deadletters(LettersVerb),
    /// Write readings that the database lacks below its cursor and the queue still has, as after a dump that was not of
    /// one moment. Exit code 1 if anything is left
    Replay(ReplayArguments),
    /// Let another server take writes, as planned: seven steps, taken back when one fails
    Switchover(SwitchoverArguments),
    /// Let the best replica take writes, now that the source is gone; or show with --dry-run what would be done, and why
    Failover(FailoverArguments),
    /// Let a server that has come back follow the source
    Rejoin(RejoinArguments),
    /// Name the server to read from: the replica that is well and lags least; those that lag the same take turns. Exit code 69
    /// if there is none
    Reader(ReaderArguments),
    /// Say that this server was restored from a backup: its older term is accepted, once
    AcceptRestored(AcceptArguments),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub struct Configured {
    /// The configuration file
    #[arg(long, short, default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
}

impl Arguments {
    /// Does what was asked.
    pub fn run(self) -> Exit {
        match self.verb {
            Verb::Run { configured, simulate } => {
                with_config(&configured.config, |config| command::run::run(&configured.config, &config, simulate))
            }
            Verb::Check { file, connect, json } => {
                with_config(&file, |config| command::check::check(&file, &config, connect, json))
            }
            Verb::Status(arguments) => {
                with_config(&arguments.config, |config| command::status::status(&config, &arguments))
            }
            Verb::Takeover(arguments) => {
                with_config(&arguments.config, |config| command::takeover::takeover(&config, &arguments))
            }
            Verb::Queue(verb) => command::queue::run(&verb),
            Verb::Db(Db::Schema(schema)) => {
                with_config(&schema.config, |config| command::schema::schema(&config, &schema))
            }
            Verb::Db(Db::Deadletters(verb)) => {
                with_config(verb.config(), |config| command::deadletters::run(&config, &verb))
            }
            Verb::Db(Db::Replay(replay)) => {
                with_config(&replay.config, |config| command::replay::replay(&config, &replay))
            }
            Verb::Db(Db::Switchover(switchover)) => {
                with_config(&switchover.config, |config| command::switchover::switchover(&config, &switchover))
            }
            Verb::Db(Db::Failover(failover)) => {
                with_config(&failover.config, |config| command::failover::failover(&config, &failover))
            }
            Verb::Db(Db::Rejoin(rejoin)) => {
                with_config(&rejoin.config, |config| command::switchover::rejoin(&config, &rejoin))
            }
            Verb::Db(Db::Reader(reader)) => {
                with_config(&reader.config, |config| command::reader::reader(&config, &reader))
            }
            Verb::Db(Db::AcceptRestored(accept)) => {
                with_config(&accept.config, |config| command::accept::accept(&config, &accept))
            }
            Verb::Db(Db::Reconcile { configured, json }) => with_config(&configured.config, |config| {
                command::reconcile::reconcile(&configured.config, &config, json)
            }),
        }
    }
}

/// Loads the configuration, or shows everything that is wrong with it.
fn with_config(file: &std::path::Path, work: impl FnOnce(Config) -> Exit) -> Exit {
    match load(file) {
        Ok(config) => work(config),
        Err(exit) => exit,
    }
}

/// Loads the configuration.
///
/// # Errors
/// The exit code when it is wrong; that has been shown then.
pub fn load(file: &std::path::Path) -> Result<Config, Exit> {
    crate::log::start();
    Config::load(file, &host_name()).map_err(|error| {
        eprintln!("{error}");
        Exit::Configuration
    })
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

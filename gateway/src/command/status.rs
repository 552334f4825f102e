//! `fieldgate status`: one screen about the running gateway, or about the servers also when none runs.

use crate::command::{account, block_on, refuse};
use crate::exit::Exit;
use crate::local;
use crate::memory::look_and_choose;
use crate::status::{ServersReport, Snapshot, report, states, whole};
use crate::topology::lag::behind_newest;
use config::Config;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// How it is to be shown.
#[derive(Debug, clap::Args)]
pub struct StatusArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: std::path::PathBuf,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
    /// Show it again every second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Only the database servers; when no gateway runs they are asked now
    #[arg(long)]
    pub servers: bool,
}

/// Shows the status; exit code 69 when no gateway runs, unless only the servers are asked for.
pub fn status(config: &Config, arguments: &StatusArguments) -> Exit {
    loop {
        let text = match text(config, arguments) {
            Ok(text) => text,
            Err(exit) => return exit,
        };
        let clear = if arguments.watch && !arguments.json { "\x1b[H\x1b[2J" } else { "" };
        // A closed pipe is how a reader says that it has seen enough.
        if writeln!(io::stdout(), "{clear}{text}").is_err() || !arguments.watch {
            return Exit::Ok;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn text(config: &Config, arguments: &StatusArguments) -> Result<String, Exit> {
    let folder = config.gateway.state_dir.display();
    match local::status(&config.gateway.state_dir) {
        Ok(Some(snapshot)) if arguments.servers => Ok(shown(&of_gateway(snapshot), arguments.json, report)),
        Ok(Some(snapshot)) => Ok(shown(&snapshot, arguments.json, whole)),
        Ok(None) if arguments.servers => Ok(shown(&ask(config, arguments)?, arguments.json, report)),
        Ok(None) => {
            eprintln!("no gateway runs on {folder}; start it with `fieldgate run`");
            Err(Exit::Unavailable)
        }
        Err(error) => {
            eprintln!("the gateway on {folder} does not say how it is: {error}");
            Err(Exit::Unavailable)
        }
    }
}

fn shown<T: Serialize>(what: &T, json: bool, text: impl Fn(&T) -> String) -> String {
    if !json {
        return text(what);
    }
    serde_json::to_string(what).unwrap_or_else(|error| format!("\"{error}\""))
}

fn of_gateway(snapshot: Snapshot) -> ServersReport {
    let Snapshot { drain, servers, .. } = snapshot;
    ServersReport { from_gateway: true, source: drain.source, why: drain.why, servers }
}

/// Asks the servers, and chooses the source as a gateway would.
fn ask(config: &Config, arguments: &StatusArguments) -> Result<ServersReport, Exit> {
    let account = account(config).map_err(|problem| refuse(&arguments.config, &[problem]))?;
    let (views, choice) = block_on(look_and_choose(config, &account))?;
    let source = choice.source.and_then(|index| views.get(index)).map(|view| view.name.clone());
    let servers = states(&views, source.as_deref(), &behind_newest(&views));
    Ok(ServersReport { from_gateway: false, source, why: choice.why, servers })
}

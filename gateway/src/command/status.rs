//! `fieldgate status`: one screen about the running gateway.

use crate::exit::Exit;
use crate::local;
use crate::status::{Snapshot, servers, whole};
use config::Config;
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
    /// Only the database servers
    #[arg(long)]
    pub servers: bool,
}

/// Shows the status; exit code 69 when no gateway runs.
pub fn status(config: &Config, arguments: &StatusArguments) -> Exit {
    loop {
        let text = match local::status(&config.gateway.state_dir) {
            Ok(Some(snapshot)) => render(&snapshot, arguments),
            Ok(None) => {
                eprintln!("no gateway runs on {}; start it with `fieldgate run`", config.gateway.state_dir.display());
                return Exit::Unavailable;
            }
            Err(error) => {
                eprintln!("the gateway on {} does not say how it is: {error}", config.gateway.state_dir.display());
                return Exit::Unavailable;
            }
        };
        let clear = if arguments.watch && !arguments.json { "\x1b[H\x1b[2J" } else { "" };
        // A closed pipe is how a reader says that it has seen enough.
        if writeln!(io::stdout(), "{clear}{text}").is_err() || !arguments.watch {
            return Exit::Ok;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn render(snapshot: &Snapshot, arguments: &StatusArguments) -> String {
    let json = |json: serde_json::Result<String>| json.unwrap_or_else(|error| format!("\"{error}\""));
    match (arguments.json, arguments.servers) {
        (true, true) => json(serde_json::to_string(&snapshot.servers)),
        (true, false) => json(serde_json::to_string(snapshot)),
        (false, true) => servers(&snapshot.servers),
        (false, false) => whole(snapshot),
    }
}

//! `fieldgate takeover`: the planned change of the active gateway.

use crate::exit::Exit;
use crate::local::{self, TurnAnswer, TurnWish};
use config::{Config, Standby};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to do, and how to answer.
#[derive(Debug, clap::Args)]
pub struct TakeoverArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Make this gateway active without asking the other one: only when that one does not run
    #[arg(long)]
    pub force: bool,
    /// Give the turn of this gateway, which is active, to the other one
    #[arg(long, conflicts_with = "force")]
    pub give: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Printed<'a> {
    /// The gateway that was asked.
    gateway: &'a str,
    #[serde(flatten)]
    answer: &'a TurnAnswer,
}

/// Asks the gateway that runs here; exit code 1 when nothing has changed, 69 when none runs, 78 for a gateway alone.
pub fn takeover(config: &Config, arguments: &TakeoverArguments) -> Exit {
    let Some(standby) = &config.standby else { return alone(&arguments.config) };
    let folder = config.gateway.state_dir.display();
    match local::take_over(&config.gateway.state_dir, wish(arguments), patience(standby)) {
        Ok(Some(answer)) => show(config.gateway.id.as_str(), &answer, arguments.json),
        Ok(None) => {
            eprintln!("no gateway runs on {folder}; start it with `fieldgate run`");
            Exit::Unavailable
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            eprintln!(
                "the gateway on {folder} may not be asked by this user: {error}; ask as root, or as the one that runs it"
            );
            Exit::Unavailable
        }
        Err(error) => {
            eprintln!("the gateway on {folder} does not answer: {error}");
            Exit::Unavailable
        }
    }
}

fn wish(arguments: &TakeoverArguments) -> TurnWish {
    match (arguments.force, arguments.give) {
        (true, _) => TurnWish::ThisByForce,
        (false, true) => TurnWish::Other,
        (false, false) => TurnWish::This,
    }
}

fn alone(file: &Path) -> Exit {
    let file = file.display();
    eprintln!(
        "{file}: there is no [standby], so there is no other gateway; write it into the files of both and restart them"
    );
    Exit::Configuration
}

/// For so long the gateway waits for the other one.
fn patience(standby: &Standby) -> Duration {
    standby.silence + standby.beat * 2
}

fn show(gateway: &str, answer: &TurnAnswer, json: bool) -> Exit {
    match serde_json::to_string_pretty(&Printed { gateway, answer }) {
        Ok(text) if json => println!("{text}"),
        Err(error) if json => {
            eprintln!("the answer cannot be written as JSON: {error}");
            return Exit::Bug;
        }
        _ if answer.done => println!("{}", answer.text),
        _ => eprintln!("{}", answer.text),
    }
    if answer.done { Exit::Ok } else { Exit::No }
}

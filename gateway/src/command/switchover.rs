//! `fieldgate db switchover` and `fieldgate db rejoin`: changes of the servers that somebody has planned.

use crate::command::place;
use crate::command::promotion::{login, with_servers};
use crate::exit::Exit;
use crate::promotion::{Failure, Switchover, rejoin as let_rejoin};
use config::Config;
use std::path::PathBuf;

/// Which server is to be the source.
#[derive(Debug, clap::Args)]
pub struct SwitchoverArguments {
    /// The replica that is to take writes, as in mysql.servers
    #[arg(long)]
    pub to: String,
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Show the steps and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Which server is to follow the source again.
#[derive(Debug, clap::Args)]
pub struct RejoinArguments {
    /// The server, as in mysql.servers
    pub server: String,
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
}

/// Changes the source; exit code 1 when it was refused or taken back, or when a server does not follow.
pub fn switchover(config: &Config, arguments: &SwitchoverArguments) -> Exit {
    let (to, login) = match place(config, &arguments.to).and_then(|to| Ok((to, login(&arguments.config, config)?))) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    with_servers(&arguments.config, config, async |ready| {
        let from = ready.choice.source.ok_or_else(|| Failure::Shut(ready.choice.why.clone()))?;
        if from == to {
            println!("{} takes writes already", arguments.to);
            return Ok(Exit::Ok);
        }
        let (hands, now_us) = (ready.hands(config), ready.now_us());
        let mut switchover =
            Switchover { hands, rules: ready.rules, login, from, to, highest_term: ready.highest_term };
        if arguments.dry_run {
            switchover.check()?;
            (1..).zip(switchover.in_words()).for_each(|(number, step)| println!("{number}. {step}"));
            return Ok(Exit::Ok);
        }
        let switched = switchover.run(now_us, |words| println!("{words}")).await?;
        switched.left.iter().for_each(|words| eprintln!("{words}"));
        switchover.hands.close().await;
        Ok(if switched.left.is_empty() { Exit::Ok } else { Exit::No })
    })
}

/// Lets a server follow the source again; exit code 1 when it has what the source lacks.
pub fn rejoin(config: &Config, arguments: &RejoinArguments) -> Exit {
    let found = place(config, &arguments.server).and_then(|index| Ok((index, login(&arguments.config, config)?)));
    let (index, login) = match found {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    with_servers(&arguments.config, config, async |ready| {
        let source = ready.choice.source.ok_or_else(|| Failure::Shut(ready.choice.why.clone()))?;
        let mut hands = ready.hands(config);
        let words = let_rejoin(&mut hands, index, source, &login, &ready.rules, ready.now_us()).await?;
        println!("{words}");
        hands.close().await;
        Ok(Exit::Ok)
    })
}

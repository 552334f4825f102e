//! `fieldgate db switchover` and `fieldgate db rejoin`: changes of the servers that somebody has planned.

use crate::command::place;
use crate::command::promotion::{Ready, login, say, with_servers};
use crate::exit::Exit;
use crate::promotion::{Failure, Hands, Switchover, closed_source_for, do_chores, rejoin as let_rejoin};
use crate::topology::promote::chores::chores;
use config::Config;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
        if ready.choice.source == Some(to) {
            let hands = ready.hands(config);
            say(&format!("{} takes writes already", hands.name(to)));
            return finish(hands, ready, to).await;
        }
        let begun = || closed_source_for(&ready.views, to, ready.highest_term);
        let from = ready.choice.source.or_else(begun).ok_or_else(|| Failure::Shut(ready.choice.why.clone()))?;
        let (hands, clock) = (ready.hands(config), Arc::clone(&ready.clock));
        let rules = ready.rules.clone();
        let mut switchover = Switchover::new(hands, rules, Some(login), clock, (from, to), ready.highest_term);
        if arguments.dry_run {
            return dry_run(&switchover, from == to);
        }
        let _deaf = deaf();
        if from == to {
            say(&switchover.reopen().await?);
            return finish(switchover.into_hands(), ready, to).await;
        }
        let switched = switchover.run(say).await?;
        switched.left.iter().for_each(|words| say(words));
        switchover.into_hands().close().await;
        Ok(if switched.left.is_empty() { Exit::Ok } else { Exit::No })
    })
}

fn dry_run(switchover: &Switchover, is_reopened: bool) -> Result<Exit, Failure> {
    if is_reopened {
        println!("1. open the closed source again, if no other server has anything that it lacks");
        return Ok(Exit::Ok);
    }
    switchover.check()?;
    (1..).zip(switchover.in_words()).for_each(|(number, step)| println!("{number}. {step}"));
    Ok(Exit::Ok)
}

/// The source takes writes; what a switchover that was killed has left undone at the others is done.
async fn finish(mut hands: Hands, mut ready: Ready, source: usize) -> Result<Exit, Failure> {
    let now_us = ready.now_us();
    hands.ask_all().await;
    let tasks = chores(hands.views(), source, ready.record.stopped());
    let (done, is_all) = do_chores(&mut hands, &tasks, Some(source), &mut ready.record, &ready.rules, now_us).await;
    done.iter().for_each(|words| say(words));
    for index in hands.answering().into_iter().filter(|index| *index != source) {
        if hands.facts(index).is_some_and(|facts| facts.replication.is_empty() && facts.cluster.is_none()) {
            let name = hands.name(index);
            say(&format!("{name} follows nobody: `fieldgate db rejoin {name}` lets it follow"));
        }
    }
    hands.close().await;
    Ok(if is_all { Exit::Ok } else { Exit::No })
}

/// From now on neither Ctrl-C nor a terminal that goes away ends this program between two steps; a switchover is over, or taken
/// back, within seconds.
fn deaf() -> [Option<Signal>; 3] {
    [SignalKind::interrupt(), SignalKind::hangup(), SignalKind::terminate()].map(|kind| signal(kind).ok())
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
        say(&words);
        hands.close().await;
        Ok(Exit::Ok)
    })
}

//! `fieldgate db failover`: lets the best replica take writes now, because somebody asks for it.

use crate::command::promotion::{Ready, say, with_servers};
use crate::exit::Exit;
use crate::promotion::{Failure, Promotion, do_chores};
use crate::topology::View;
use crate::topology::promote::chores::chores;
use crate::topology::promote::steps::in_words;
use crate::topology::promote::{Answer, Considered, Gate, Situation, consider};
use crate::topology::switchover::begun;
use config::Config;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Whoever asks answers for these.
const WAIVED: [Gate; 3] = [Gate::Majority, Gate::Grace, Gate::Cooldown];

/// What is asked for.
#[derive(Debug, clap::Args)]
pub struct FailoverArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Show every gate with its reason, and the steps, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the gates and steps as JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,
}

/// What a dry run shows.
#[derive(Debug, Serialize)]
struct Shown {
    gates: Vec<ShownGate>,
    /// The gateway would do it by itself, with `failover = "promote"`.
    by_itself: bool,
    /// This command would do it.
    by_command: bool,
    candidate: Option<String>,
    steps: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ShownGate {
    gate: &'static str,
    open: bool,
    /// By command it does not matter.
    waived: bool,
    why: String,
}

/// Does it, or shows what would be done. Exit code 1 when a gate is shut.
pub fn failover(config: &Config, arguments: &FailoverArguments) -> Exit {
    with_servers(&arguments.config, config, async |ready| {
        if arguments.dry_run { Ok(dry_run(&ready, arguments.json)) } else { promote(config, ready).await }
    })
}

async fn promote(config: &Config, mut ready: Ready) -> Result<Exit, Failure> {
    if begun(&ready.views, ready.highest_term).is_some() {
        // Its words say which command finishes what was begun.
        return Err(Failure::Shut(ready.choice.why));
    }
    ready.rules.waived = WAIVED.to_vec();
    let (rules, clock, hands) = (ready.rules.clone(), Arc::clone(&ready.clock), ready.hands(config));
    let highest_term = ready.shown_term;
    let promotion = Promotion::new(ready.rules, hands, ready.record, ready.clock, highest_term, None, None);
    let (promoted, mut hands, mut record) = promotion.run(say).await?;
    hands.ask_all().await;
    let tasks = chores(hands.views(), promoted.server, record.stopped());
    let now_us = clock.stamp().wall_us;
    let (done, is_all) = do_chores(&mut hands, &tasks, Some(promoted.server), &mut record, &rules, now_us).await;
    done.iter().for_each(|words| say(words));
    say(&format!("{} is the source in term {}", hands.name(promoted.server), promoted.term));
    hands.close().await;
    Ok(if is_all { Exit::Ok } else { Exit::No })
}

fn dry_run(ready: &Ready, json: bool) -> Exit {
    let considered = consider(&Situation {
        views: &ready.views,
        highest_term: ready.shown_term,
        without_source: None,
        now_us: ready.now_us(),
        grace: ready.rules.grace,
        cooldown: ready.rules.cooldown,
    });
    let shown = shown(&ready.views, &considered, ready.highest_term.saturating_add(1));
    let exit = if shown.by_command { Exit::Ok } else { Exit::No };
    match json {
        true => match serde_json::to_string_pretty(&shown) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("{error}"),
        },
        false => print(&shown),
    }
    exit
}

fn shown(views: &[View], considered: &Considered, term: u64) -> Shown {
    let gate = |Answer { gate, open, why }: &Answer| ShownGate {
        gate: gate.as_str(),
        open: *open,
        waived: WAIVED.contains(gate),
        why: why.clone(),
    };
    let steps = considered.candidate.map(|(index, way)| in_words(views, index, way, term));
    let candidate = considered.candidate.and_then(|(index, _)| views.get(index)).map(|view| view.name.clone());
    Shown {
        gates: considered.answers.iter().map(gate).collect(),
        // For how long nobody has taken writes only a running gateway knows.
        by_itself: considered.is_open_but(&[Gate::Grace]),
        by_command: considered.is_open_but(&WAIVED),
        candidate,
        steps: steps.unwrap_or_default(),
    }
}

fn print(shown: &Shown) {
    for ShownGate { gate, open, waived, why } in &shown.gates {
        let state = match (open, waived) {
            (true, _) => "open",
            (false, true) => "shut, but not for this command",
            (false, false) => "shut",
        };
        println!("{gate}: {state}: {why}");
    }
    if !shown.steps.is_empty() {
        println!("steps:");
    }
    for (number, step) in (1..).zip(&shown.steps) {
        println!("  {number}. {step}");
    }
    let answer = |yes| if yes { "would do this now" } else { "would not do this now" };
    println!(
        "`fieldgate db failover` {}; a gateway with failover = \"promote\" {}, once grace is over",
        answer(shown.by_command),
        answer(shown.by_itself)
    );
}
